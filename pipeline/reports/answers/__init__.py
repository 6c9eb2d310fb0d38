"""What the report API answers: one class for each kind of row, whose fields say what they are.

Here is what all have in common, and operators' own endpoints build on; the rest is in a module for each kind of board.
"""

from pipeline.reports.answers.base import Answer, Moment, Page, Problem, as_rows

__all__ = ["Answer", "Moment", "Page", "Problem", "as_rows"]
