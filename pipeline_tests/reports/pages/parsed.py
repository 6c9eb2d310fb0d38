"""A page as a tree, and what a reader finds on it."""

import json
from typing import Any

from lxml import html
from starlette.testclient import TestClient


class Parsed:
    """The HTML of a page.

    Parameters
    ----------
    text : str
    """

    def __init__(self, text: str) -> None:
        self._tree = html.document_fromstring(text)

    def texts(self, path: str) -> list[str]:
        """The texts of all elements of an XPath, those of elements within them apart."""
        return [_text(one) for one in self._tree.xpath(path)]

    def text(self, path: str = "//main") -> str:
        """That of the only one."""
        (found,) = self.texts(path)
        return found

    def values(self, path: str) -> list[str]:
        """Attributes."""
        return [str(one) for one in self._tree.xpath(path)]

    def chart(self, name: str) -> dict[str, Any]:
        """The specification of a chart."""
        (found,) = self._tree.xpath(f"//script[@type='application/json' and @id='{name}']")
        spec: dict[str, Any] = json.loads(found.text)
        return spec

    def rows(self, caption: str) -> dict[str, list[str]]:
        """The rows of the table whose caption begins so: the cells by the heading of each."""
        path = f"//table[starts-with(normalize-space(caption), {_quoted(caption)})]/tbody/tr"
        found = {}
        for row in self._tree.xpath(path):
            heading, *cells = map(_text, row.xpath("./*"))
            found[heading] = cells
        return found


def opened(client: TestClient, path: str, status: int = 200, **parameters: Any) -> Parsed:
    """A page as a browser asks for it."""
    answer = client.get(path, params=parameters or None, headers={"accept": "text/html"})
    assert answer.status_code == status, answer.text
    return Parsed(answer.text)


def _text(element: html.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


def _quoted(text: str) -> str:
    return '"' + text + '"'
