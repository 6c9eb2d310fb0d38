"""Garbage is not looked for in the block, and as before after it, whatever happens."""

import gc
from contextlib import suppress

import pytest

from pipeline import garbage


@pytest.mark.parametrize("before", [True, False], ids=["on", "off"])
def test_it_is_as_before_afterwards(monkeypatch: pytest.MonkeyPatch, before: bool) -> None:
    state = [before]
    monkeypatch.setattr(gc, "isenabled", lambda: state[0])
    monkeypatch.setattr(gc, "disable", lambda: state.__setitem__(0, False))
    monkeypatch.setattr(gc, "enable", lambda: state.__setitem__(0, True))

    with suppress(KeyError), garbage.not_looked_for():
        assert state == [False]
        raise KeyError

    assert state == [before]
