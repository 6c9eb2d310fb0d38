"""The ``podium`` command, one module for each group of commands."""

from pipeline.cli.app import main

__all__ = ["main"]
