"""Commands whose packages are imported once: a server imports them, and each command is a fork of it.

A command is a process of its own, with the arguments, the folder, the environment and the streams that it was given;
only its imports, which are half of what a short one costs, are done. For commands in tests that do not ask how one
starts.
"""

from pipeline_tests.preloaded.commands import Preloaded
from pipeline_tests.preloaded.server import DBT_COMMAND

__all__ = ["DBT_COMMAND", "Preloaded"]
