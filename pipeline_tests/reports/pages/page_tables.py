"""The tables of a page by caption, and its links, as tests look at them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


@dataclass
class Cell:
    """A cell of a table: its text, the attributes of its element, and where its first link leads."""

    text: str
    attributes: dict[str, str | None]
    link: str | None = None

    @property
    def first(self) -> str:
        """The first word of its text."""
        return self.text.split()[0] if self.text.split() else ""


@dataclass
class Table:
    """A table: its caption and its rows, headings among them."""

    caption: str
    rows: list[list[Cell]] = field(default_factory=list)

    def column(self, number: int) -> list[Cell]:
        """The cells of a column, without that of the heading."""
        return [row[number] for row in self.rows[1:]]


class PageTables(HTMLParser):
    """What a page says.

    Parameters
    ----------
    html : str
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: list[Table] = []
        self.links: dict[str, str] = {}
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._text: list[str] = []
        self._caption: list[str] | None = None
        self._cell: Cell | None = None
        self._link: tuple[str, list[str]] | None = None
        self.feed(html)

    @property
    def text(self) -> str:
        """All text, with one space between words."""
        return " ".join("".join(self._text).split())

    def table(self, caption: str) -> Table:
        """The table whose caption begins so."""
        (found,) = (one for one in self.tables if one.caption.startswith(caption))
        return found

    def count(self, element: str, **attributes: str) -> int:
        """How many elements of a kind there are with some attributes."""
        return sum(name == element and attributes.items() <= given.items() for name, given in self.elements)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag == "table":
            self.tables.append(Table(""))
        elif tag == "caption":
            self._caption = []
        elif tag == "tr" and self.tables:
            self.tables[-1].rows.append([])
        elif tag in ("td", "th"):
            self._cell = Cell("", attributes)
            self.tables[-1].rows[-1].append(self._cell)
        elif tag == "a":
            self._link = (str(attributes.get("href")), [])
            if self._cell is not None and self._cell.link is None:
                self._cell.link = self._link[0]
        elif tag == "small":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "caption" and self._caption is not None:
            self.tables[-1].caption = " ".join("".join(self._caption).split())
            self._caption = None
        elif tag in ("td", "th") and self._cell is not None:
            self._cell.text = " ".join(self._cell.text.split())
            self._cell = None
        elif tag == "a" and self._link is not None:
            self.links["".join(self._link[1]).strip()] = self._link[0]
            self._link = None

    def handle_data(self, data: str) -> None:
        self._text.append(data)
        if self._caption is not None:
            self._caption.append(data)
        if self._cell is not None:
            self._cell.text += data
        if self._link is not None:
            self._link[1].append(data)
