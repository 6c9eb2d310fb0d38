"""How long a test waits for what ought to happen soon."""

PATIENCE = 120.0
"""Seconds for another process or thread to do what it is asked, on a machine that is busy with other tests."""
