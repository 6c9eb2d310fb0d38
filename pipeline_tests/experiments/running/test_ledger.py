"""The money: no number of workers ever spends more than the ceiling, and what nobody knows counts as spent."""

import threading
from pathlib import Path

import pytest

from pipeline.experiments.running import Money, Queue
from pipeline_tests.experiments.running.workers import die_at_work


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "capitals.sqlite"


@pytest.fixture
def ledger(path: Path):
    with Queue(path, "capitals") as queue:
        yield queue.ledger


def test_what_a_call_can_cost_is_held_until_it_is_known(ledger) -> None:
    held = ledger.hold(0.5, 1.0)
    assert ledger.money == Money(0.0, 0.0, 0.5, 0)
    ledger.settle(held, 0.125)
    assert ledger.money == Money(0.125, 0.0, 0.0, 0)
    ledger.settle(held, 0.125)
    assert ledger.money.spent == 0.125


def test_no_call_may_take_everything_over_the_ceiling(ledger) -> None:
    assert ledger.hold(0.75, 1.0) is not None
    assert ledger.hold(0.5, 1.0) is None
    assert ledger.hold(0.25, 1.0) is not None
    assert ledger.money.at_most == 1.0


def test_a_call_of_unknown_cost_is_presumed_to_have_cost_the_most(ledger) -> None:
    ledger.settle(ledger.hold(0.75, 1.0), None)
    assert ledger.money == Money(0.0, 0.75, 0.0, 0)
    assert ledger.hold(0.5, 1.0) is None


def test_without_a_limit_of_the_call_a_ceiling_lets_nothing_through(ledger) -> None:
    assert ledger.hold(None, 1.0) is None
    held = ledger.hold(None, None)
    ledger.settle(held, None)
    assert ledger.money == Money(0.0, 0.0, 0.0, 1)


def test_what_costs_nothing_may_run_when_everything_is_spent(ledger) -> None:
    ledger.settle(ledger.hold(1.0, 1.0), 1.5)
    assert ledger.hold(0.0, 1.0) is not None
    assert ledger.hold(0.001, 1.0) is None


def test_threads_together_never_hold_more_than_the_ceiling(ledger) -> None:
    granted: list[int] = []

    def ask() -> None:
        for _ in range(20):
            held = ledger.hold(0.125, 1.0)
            if held is not None:
                granted.append(held)
                assert ledger.money.at_most <= 1.0

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 8


def test_what_a_killed_process_held_is_presumed_spent(path) -> None:
    with Queue(path, "capitals") as queue:
        die_at_work(path, amount=0.75)
        assert queue.ledger.money == Money(0.0, 0.0, 0.75, 0)
        queue.recover()
        assert queue.ledger.money == Money(0.0, 0.75, 0.0, 0)
