"""The order in which people expect names that may be numbers."""


def natural_key(name: str) -> tuple[bool, float, str]:
    """Numbers by size, before texts by letter: -1, 0, 2, 10, US."""
    try:
        return False, float(name), name
    except ValueError:
        return True, 0.0, name
