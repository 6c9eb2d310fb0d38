"""What YAML readers pass over in silence: a key that is written twice, of which only the last would count."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml


def repeated_keys(path: Path) -> list[str]:
    """Which keys of the mappings in a YAML file are written more than once, each with the lines and the remedy.

    Raises
    ------
    YAMLError
        If it is no YAML.
    OSError
        If it cannot be read.
    ValueError
        If it is no UTF-8.
    """
    documents = yaml.compose_all(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    return [problem for document in documents if document is not None for problem in _repeated_in(document, {})]


def _repeated_in(node: yaml.Node, seen: dict[int, yaml.Node]) -> Iterator[str]:
    if id(node) in seen:  # an alias of what was looked at already
        return
    seen[id(node)] = node
    if isinstance(node, yaml.MappingNode):
        lines: dict[tuple[str, str], list[int]] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                lines.setdefault((key.tag, key.value), []).append(key.start_mark.line + 1)
            yield from _repeated_in(value, seen)
        yield from _told(lines)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_in(item, seen)


def _told(lines: Mapping[tuple[str, str], list[int]]) -> Iterator[str]:
    for (_, key), found in lines.items():
        if len(found) > 1:
            where = ", ".join(map(str, found[:-1]))
            yield f"{key!r} is written {len(found)} times, in lines {where} and {found[-1]}; keep one"
