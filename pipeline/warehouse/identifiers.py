"""How names get into SQL: quoted, by one function. Values never do; they are bound as parameters.

Statements are written as constant templates and filled by :func:`compose`, which quotes every name, so that a
table, column or board with any name at all is safe. Keep SQL itself out of here.
"""

from collections.abc import Sequence
from typing import TypeAlias

from pipeline.tables import TableSpec

Part: TypeAlias = str | Sequence[str] | TableSpec
"""What :func:`compose` puts into a template."""


class Sql(str):
    """A piece of SQL whose names are quoted already; :func:`compose` puts it in as it is."""

    __slots__ = ()


def quote(identifier: str) -> Sql:
    """``identifier`` as DuckDB reads it back unchanged, whatever is in it.

    Raises
    ------
    ValueError
        If it is empty or holds a NUL character, which DuckDB cannot store in a name.
    """
    if not identifier or "\0" in identifier:
        raise ValueError(f"{identifier!r} cannot name anything in DuckDB; use at least one character and no NUL")
    return Sql('"' + identifier.replace('"', '""') + '"')


def literal(value: str) -> Sql:
    """``value`` as a string constant, for the one place that takes no parameters: stored views and comments."""
    if "\0" in value:
        raise ValueError(f"{value!r} holds a NUL character, which DuckDB cannot store; remove it")
    return Sql("'" + value.replace("'", "''") + "'")


def compose(template: str, **parts: Part) -> Sql:
    """Fill ``{name}`` placeholders of a constant SQL template.

    Parameters
    ----------
    template : str
        SQL with placeholders; never built from values.
    **parts
        A string is quoted as one name, a sequence as a comma-separated list of names, a table specification as
        its qualified name; :class:`Sql` goes in unchanged.

    Raises
    ------
    KeyError
        If a placeholder has no part.
    """
    return Sql(template.format_map({name: _render(part) for name, part in parts.items()}))


def join(pieces: Sequence[Sql], separator: str = ", ") -> Sql:
    """Several pieces of SQL as one."""
    return Sql(separator.join(pieces))


def _render(part: Part) -> Sql:
    if isinstance(part, Sql):
        return part
    if isinstance(part, str):
        return quote(part)
    if isinstance(part, TableSpec):
        return Sql(f"{quote(part.schema)}.{quote(part.name)}")
    return join([_render(name) for name in part])
