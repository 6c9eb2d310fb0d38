"""A comparison as a table of means with marks of significance, in Markdown and LaTeX."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import ascii_lowercase

import numpy as np

from pipeline.leaderboard.multiplicity import Correction
from pipeline.leaderboard.significance.board_comparison import BoardComparison, MeasureComparison
from pipeline.leaderboard.significance.pairwise import SignificanceTest

_MISSING = "–"
_TESTS = {
    SignificanceTest.T: "Student's paired t test",
    SignificanceTest.WILCOXON: "Wilcoxon's signed rank test",
    SignificanceTest.FISHER: "Fisher's randomisation test",
    SignificanceTest.TUKEY: "Tukey's HSD test by randomisation",
}
_CORRECTIONS = {
    Correction.HOLM: ", Holm's correction",
    Correction.BONFERRONI: ", Bonferroni's correction",
    Correction.BENJAMINI_HOCHBERG: ", Benjamini and Hochberg's correction",
    Correction.NONE: "",
}
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}
_MARKDOWN = re.compile(r"([\\`*_\[\]|~$])")


@dataclass(frozen=True, eq=False)
class SignificanceTable:
    """Means of runs by measure; a letter marks each run that a run is significantly better than.

    Parameters
    ----------
    comparison : BoardComparison
        What is shown.
    digits : int
        Decimal places of means.
    """

    comparison: BoardComparison
    digits: int = 4

    @cached_property
    def order(self) -> list[int]:
        """Runs in the order of rows: best first by the first measure."""
        return [int(run) for run in self.comparison.measures[0].ranking.order]

    @property
    def letters(self) -> list[str]:
        """The letter of each row."""
        return run_letters(len(self.order))

    @cached_property
    def marks(self) -> list[list[str]]:
        """What marks each run, by measure and run in the board's order: the letters of those it is better than."""
        letters = dict(zip(self.order, self.letters, strict=True))
        return [
            [_joined([letters[other] for other in self.order if row[other]]) for row in one.pairs.better]
            for one in self.comparison.measures
        ]

    @property
    def caption(self) -> str:
        """What the marks mean, and what was left out."""
        return f"{self._caption(str)}."

    def to_markdown(self) -> str:
        """The table for GitHub's Markdown, marks as ``<sup>``; the caption below."""
        names = [_markdown(one.measure.name) for one in self.comparison.measures]
        lines = [f"| | run | {' | '.join(names)} |", f"|---|---|{'---:|' * len(names)}"]
        for letter, run in zip(self.letters, self.order, strict=True):
            cells = [self._markdown_cell(place, run) for place in range(len(names))]
            lines.append(f"| {letter} | {_markdown(self.comparison.run_ids[run])} | {' | '.join(cells)} |")
        return "\n".join([*lines, "", f"{self._caption(_markdown)}; the best in bold.", ""])

    def to_latex(self) -> str:
        r"""The table for LaTeX with ``\usepackage{booktabs}``; where marks are missing their room is kept."""
        names = " & ".join(_latex(one.measure.name) for one in self.comparison.measures)
        lines = [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{self._caption(_latex)}; the best in bold.}}",
            rf"\begin{{tabular}}{{ll{'l' * len(self.comparison.measures)}}}",
            r"\toprule",
            rf"& run & {names} \\",
            r"\midrule",
        ]
        for letter, run in zip(self.letters, self.order, strict=True):
            cells = " & ".join(self._latex_cell(place, run) for place in range(len(self.marks)))
            lines.append(rf"{letter} & {_latex(self.comparison.run_ids[run])} & {cells} \\")
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])

    def plain_cell(self, place: int, run: int) -> str:
        """A run's mean on a measure, both by place, with its marks after it."""
        marks = self.marks[place][run]
        return self._mean(self.comparison.measures[place], run, _MISSING) + (f" {marks}" if marks else "")

    def _markdown_cell(self, place: int, run: int) -> str:
        one, marks = self.comparison.measures[place], self.marks[place][run]
        mean = self._mean(one, run, _MISSING)
        return (f"**{mean}**" if _is_best(one, run) else mean) + (f"<sup>{marks}</sup>" if marks else "")

    def _latex_cell(self, place: int, run: int) -> str:
        one, marks = self.comparison.measures[place], self.marks[place][run]
        mean = self._mean(one, run, "--")
        shown = (rf"\textbf{{{mean}}}" if _is_best(one, run) else mean) + _raised(marks)
        longest = max(self.marks[place], key=len)
        return shown + (rf"\hphantom{{{_raised(longest[len(marks) :])}}}" if len(longest) > len(marks) else "")

    def _mean(self, one: MeasureComparison, run: int, missing: str) -> str:
        mean = one.mean[run]
        return f"{mean:.{self.digits}f}" if np.isfinite(mean) else missing

    def _caption(self, name: Callable[[str], str]) -> str:
        """The caption, with names of runs as the format writes them."""
        how, compared = self.comparison.how, self.comparison.measures
        pairs = " and ".join(str(n) for n in sorted({one.pairs.n_pairs for one in compared}))
        said = [
            f"Means over {len(self.comparison.topic_ids)} topics",
            f"a letter marks a run that is significantly worse: {_TESTS[how.test]} on common topics, two-sided, "
            f"{pairs} pairs per measure{_CORRECTIONS[how.correction]}, level {how.level:g}",
        ]
        if self.comparison.baseline is not None:
            said.append(f"compared with {name(self.comparison.baseline)} only")
        if fewest := self._fewest_topics():
            lacking = ", ".join(f"{name(self.comparison.run_ids[run])} ({n})" for run, n in fewest.items())
            said.append(f"means over fewer topics, which count as absent and not as 0: {lacking}")
        if any(one.pairs.n_pairs == 0 for one in compared):
            said.append("nothing to test on some measure: no two runs differ on topics that both have")
        if any(one.pairs.is_too_coarse for one in compared):
            said.append("with so few topics or resamples no pair could be significant on some measure")
        return "; ".join(said)

    def _fewest_topics(self) -> dict[int, int]:
        """Of runs that lack topics, how many they have on the measure where they have the fewest."""
        n_topics = np.min([one.n_topics for one in self.comparison.measures], axis=0)
        return {run: int(n_topics[run]) for run in self.order if n_topics[run] < len(self.comparison.topic_ids)}


def run_letters(n: int) -> list[str]:
    """Letters for n runs: a to z, then aa, ab and so on.

    Examples
    --------
    >>> run_letters(28)[-3:]
    ['z', 'aa', 'ab']
    """
    found = list(ascii_lowercase)
    while len(found) < n:
        found += [first + last for first in found[-26 * 26 :] for last in ascii_lowercase]
    return found[:n]


def _is_best(one: MeasureComparison, run: int) -> bool:
    return int(one.ranking.rank[run]) == 1


def _raised(marks: str) -> str:
    return rf"\textsuperscript{{{marks}}}" if marks else ""


def _joined(marks: Sequence[str]) -> str:
    """Marks one after another, with commas where one has several letters."""
    return ("," if any(len(mark) > 1 for mark in marks) else "").join(marks)


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in " ".join(text.split()))


def _markdown(text: str) -> str:
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(r"\\\1", plain)
