"""Keeping a Podium running: rebuild a warehouse out of what is kept, back all of it up, bring it back.

Above everything that makes boards; the command line is the only one that uses it.
"""

from pipeline.operation.errors import OperationError
from pipeline.operation.rebuilding import Rebuild, Report, TakenOver

__all__ = ["OperationError", "Rebuild", "Report", "TakenOver"]
