"""Addresses: all state of a page is in its query."""

from starlette.requests import Request

from pipeline.reports.pages.address import Address, address_of, path_to


def test_a_change_keeps_the_rest_and_begins_anew_with_the_first_rows() -> None:
    here = Address("/boards/a", (("window", "recent"), ("offset", "100"), ("models", "x"), ("models", "y")))
    assert str(here.but(sort="-n")) == "/boards/a?window=recent&models=x&models=y&sort=-n"
    assert str(here.but(window=None, models=["z", "w"])) == "/boards/a?models=z&models=w"
    assert str(here.but(offset=200)) == "/boards/a?window=recent&models=x&models=y&offset=200"
    assert str(here.but(include_ensembles=True, window="")) == "/boards/a?models=x&models=y&include_ensembles=true"


def test_another_path_keeps_only_what_is_named() -> None:
    here = Address("/boards/a", (("window", "recent"), ("search", "x&y=1")))
    assert str(here.of("/reports/leaderboard", ["search"])) == "/reports/leaderboard?search=x%26y%3D1"
    assert (here.has("window"), here.value("window"), here.value("none")) == (True, "recent", "")


def test_names_in_paths_may_hold_any_letter() -> None:
    assert path_to("boards", "a/b", "models", "ä?#..") == "/boards/a%2Fb/models/%C3%A4%3F%23.."


def test_the_address_that_was_asked_for_stays_escaped_as_it_was() -> None:
    path = path_to("boards", "toy", "models", "../a?b#c=1")
    scope = {"type": "http", "path": "/boards/toy/models/../a?b#c=1", "raw_path": path.encode(), "headers": []}
    here = address_of(Request({**scope, "query_string": b"window=&sort=-n"}))
    assert str(here) == f"{path}?sort=-n"
