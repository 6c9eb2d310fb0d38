"""How many random stories a test tells: one each by default, as many more as the variable ``STORIES`` says."""

import os

STORIES = int(os.environ.get("STORIES", "1"))
"""Stories of each test; ``make soak`` tells more."""


def seeds() -> range:
    """What the stories of a test begin with, from 0."""
    return range(STORIES)
