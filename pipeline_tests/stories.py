"""How many random stories a test tells: one each by default, as many more as the variable ``STORIES`` says."""

import os

STORIES = int(os.environ.get("STORIES", "1"))
"""Stories of each test; ``make soak`` tells more."""


def seeds() -> range:
    """What the stories of a test begin with, from 0."""
    return range(STORIES)


QUESTIONS = int(os.environ.get("QUESTIONS", "25"))
"""How many requests are made up for an operation of the report API."""

KILLS = int(os.environ.get("KILLS", "8"))
"""How often a process is killed at a random moment; ``make soak`` does it more often."""
