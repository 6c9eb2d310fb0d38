"""Texts of unknown length, as lists, messages and pages show them."""


def on_one_line(text: str) -> str:
    """A text with a single space for each run of white space, and none around it."""
    return " ".join(text.split())


def shortened(text: str, most: int) -> str:
    """A text of at most ``most`` characters, the last of which is … where more followed."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
