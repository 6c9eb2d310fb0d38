"""YAML that others wrote: plain values, and never more of them than were written."""

import yaml

_LONGEST = 1_000_000


def load_plain(text: str) -> object:
    """What a text in YAML says.

    Raises
    ------
    yaml.YAMLError
        If it is no YAML.
    ValueError
        If it has more than a million characters, a value that is none, or aliases: each may stand for several others,
        and a few lines then for gigabytes.
    RecursionError
        If it is nested too deeply.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"it has {len(text):,} characters; {_LONGEST:,} are the most")
    if "*" in text and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
        raise ValueError("it has aliases (*name); write out what they stand for")
    return yaml.safe_load(text)
