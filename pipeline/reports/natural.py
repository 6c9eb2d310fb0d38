"""The order in which people expect names that may be numbers."""

import math


def natural_key(name: str) -> tuple[bool, float, str]:
    """Numbers by size, before texts by letter: -1, 0, 2, 10, US."""
    try:
        number = float(name)
    except ValueError:
        number = math.nan
    return (True, 0.0, name) if math.isnan(number) else (False, number, name)
