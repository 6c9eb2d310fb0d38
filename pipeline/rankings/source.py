"""What a source of published figures is: what it wants fetched, and how that is read; fetching itself is elsewhere.

A source is one module of ``pipeline.rankings.sources``: add one there, and a line to the YAML of the rankings. It opens
no connection and no file: :meth:`Source.wanted` says what to fetch next and is given it, :meth:`Source.parse` is given
all of it.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import TYPE_CHECKING, Protocol

from pipeline.rankings.results import Parsed

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class SourceError(ValueError):
    """What a source sent cannot be read as a whole; the message says which document, what is wrong and what it has."""


@dataclass(frozen=True)
class Wanted:
    """A document to fetch.

    Parameters
    ----------
    name : str
        The name of the file that it is kept as: what :meth:`Source.parse` knows it by.
    url : str
    content_types : tuple of str
        Beginnings of media types that it may come as; a page of HTML in place of data is an error.
    most_bytes : int
        A larger one is refused.
    header_settings : mapping
        By header, the name of the secret whose value it carries, such as ``{"x-api-key": "artificialanalysis"}``.
    """

    name: str
    url: str
    content_types: tuple[str, ...] = ("application/json", "text/plain", "application/octet-stream")
    most_bytes: int = 32 * 2**20
    header_settings: Mapping[str, str] = field(default_factory=dict)


Wanting = Generator[Wanted, bytes, None]
"""Yields what to fetch and is sent the body of each: later ones may depend on it (pages, a list of releases)."""


@dataclass(frozen=True)
class About:
    """What is said of a source wherever its figures are shown.

    Parameters
    ----------
    name : str
        Its key in tables: ``evalplus``.
    title : str
    home : str
        The page that people read.
    licence : str
        Of the data, as far as it is stated; empty where nothing is.
    attribution : str
        What has to be written where its figures are shown.
    is_frozen : bool
        Nothing is added any more: its age is no fault.
    changed_on : date or None
        Of one that is frozen and does not say it itself: the day of its last change.
    days : int
        How often it changes as a rule: what freshness is judged by.
    needs : str
        The secret without which it cannot be fetched; empty for none.
    edition : str
        Which of several things that are published is fetched, where options say so: each is kept apart. Empty for what
        is fetched without options.
    """

    name: str
    title: str
    home: str
    licence: str = ""
    attribution: str = ""
    is_frozen: bool = False
    days: int = 7
    needs: str = ""
    edition: str = ""
    changed_on: date | None = None


def edition_of(made: "DataclassInstance", *options: str) -> str:
    """What a source's options choose to be fetched, where they are not the default: for :attr:`About.edition`.

    Parameters
    ----------
    made : dataclass
        The source.
    *options : str
        Its fields that decide what is fetched; what only decides how that is read is none.
    """
    chosen = {one.name: getattr(made, one.name) for one in fields(made) if one.name in options}
    defaults = {one.name: one.default for one in fields(made)}
    return ", ".join(f"{name} {value}" for name, value in chosen.items() if value != defaults[name])


class Source(Protocol):
    """A publisher of figures about models.

    One that measures what nobody did before has an attribute ``benchmarks``, too: a mapping of keys, which begin with
    its name, to :class:`pipeline.rankings.Benchmark`. One that says against figures what nobody said before has
    an attribute ``flags``: a mapping of these words to what they mean.
    """

    @property
    def about(self) -> About:
        """What is said of it."""

    def wanted(self) -> Wanting:
        """What to fetch, one document after another."""

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        """Read what was fetched.

        Parameters
        ----------
        documents : mapping of str to bytes
            By file name. Names may be those of :meth:`wanted` or those that the publisher's repository uses, with a
            date or a prefix; what the source does not know is left alone.

        Raises
        ------
        SourceError
            If a document is missing or not what it should be.
        """
