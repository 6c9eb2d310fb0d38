"""Buckets of tokens: a minute's worth at once, then evenly; names do not share."""

from pipeline.reports.access.limits import Buckets


def test_a_bucket_gives_a_minute_s_tokens_at_once_and_then_as_they_come() -> None:
    seconds = [0.0]
    buckets = Buckets(3, clock=lambda: seconds[0])
    assert [buckets.take("a") for _ in range(5)] == [0, 0, 0, 20, 20]
    seconds[0] = 15
    assert buckets.take("a") == 5
    seconds[0] = 20
    assert [buckets.take("a") for _ in range(2)] == [0, 20]
    assert buckets.take("b") == 0


def test_a_bucket_never_holds_more_than_a_minute_s() -> None:
    seconds = [0.0]
    buckets = Buckets(2, clock=lambda: seconds[0])
    assert buckets.take("a") == 0
    seconds[0] = 1e6
    assert [buckets.take("a") > 0 for _ in range(3)] == [False, False, True]
