"""Addresses of pages: all state of a page is in its query, so a link is the page with something changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from starlette.requests import Request

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Address:
    """A path with its query.

    Parameters
    ----------
    path : str
    query : tuple of pairs
        Name and value; a name may be there more than once.
    """

    path: str
    query: Pairs = ()

    def __str__(self) -> str:
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def has(self, name: str) -> bool:
        """Whether something is in the query."""
        return any(name == one for one, _ in self.query)

    def value(self, name: str) -> str:
        """What is in the query; the first if there are several, an empty text if there is none."""
        return next((value for one, value in self.query if one == name), "")

    def but(self, **changes: object) -> "Address":
        """The same with other values; None and empty ones are left out. ``offset`` begins anew unless it is given."""
        changed = {"offset": None, **changes}
        kept = tuple((name, value) for name, value in self.query if name not in changed)
        return Address(self.path, (*kept, *_pairs(changed)))

    def of(self, path: str, names: Iterable[str]) -> "Address":
        """Another path with the named parts of the query."""
        wanted = set(names)
        return Address(path, tuple((name, value) for name, value in self.query if name in wanted))


def address_of(request: Request) -> Address:
    """The address that was asked for, escaped as it was, without what is empty."""
    pairs = request.query_params.multi_items()
    path = request.scope.get("raw_path") or quote(request.scope["path"])  # servers need not give the raw one
    return Address(quote(path, safe="/%"), tuple((name, value) for name, value in pairs if value))


def path_to(*parts: str) -> str:
    """The path of parts that may hold any letter."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _pairs(changes: Mapping[str, object]) -> Pairs:
    pairs: list[tuple[str, str]] = []
    for name, value in changes.items():
        if value is None or value in ("", False):
            continue
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, "true" if one is True else str(one)) for one in values]
    return tuple(pairs)
