"""Which cycle is the one before another; what it is to that is tested with the blocks that hold it."""

from pipeline.competition.previous import cycles_before
from pipeline_tests.competition.contests import cycle


def test_cycles_before_are_those_not_given_already() -> None:
    played = [cycle(number) for number in (0, 1, 3, 4)]
    assert cycles_before([cycle(number) for number in (1, 3, 4)], played) == [cycle(0)]
    assert cycles_before([cycle(3)], played) == [cycle(1)]
    assert cycles_before([cycle(2), cycle(9)], played) == [cycle(1), cycle(4)]
    assert cycles_before([cycle(0)], played) == []
    assert cycles_before([], played) == cycles_before([cycle(1)], []) == []
