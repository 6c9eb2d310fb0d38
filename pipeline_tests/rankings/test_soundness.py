"""What a source's own code made of its documents is held to what tables can hold."""

import pytest

from pipeline.rankings import BENCHMARKS, ModelName, Parsed, Result, SourceError
from pipeline.rankings.soundness import require_sound

FIGURE = Result("m", "humaneval_plus", "pass_at_1", 50.0)
NAME = ModelName("m")


def test_what_is_sound_is_taken() -> None:
    require_sound(
        Parsed((FIGURE, Result("m", "humaneval_plus", "pass_at_1", 60.0, config="chat")), (NAME,)), BENCHMARKS
    )


@pytest.mark.parametrize(
    ("parsed", "said"),
    [
        (Parsed((FIGURE, FIGURE), (NAME,)), "'m', 'humaneval_plus', 'pass_at_1', '', '') is there 2 times"),
        (Parsed((), (NAME, NAME)), "the name 'm' is there 2 times"),
        (Parsed((FIGURE,), ()), "'m' has a figure and is not among the names"),
        (Parsed((Result("m", "mine", "score", 1.0),), (NAME,)), "a figure of mine.score, which nobody defines"),
        (Parsed((Result("m", "mbpp", "score", 1.0),), (NAME,)), "a figure of mbpp.score, which nobody defines"),
    ],
)
def test_what_is_not_is_named_with_what_to_do(parsed: Parsed, said: str) -> None:
    with pytest.raises(SourceError) as raised:
        require_sound(parsed, BENCHMARKS)
    assert said in str(raised.value)
