"""From a page to the next one."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page


@contextmanager
def followed(page: Page) -> Iterator[None]:
    """A block that leads to another page, which is there whole after it: a click alone waits for nothing."""
    with page.expect_navigation():
        yield
