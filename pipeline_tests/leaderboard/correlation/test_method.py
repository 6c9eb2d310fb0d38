"""Names of correlations: what strings say."""

import pytest

from pipeline.leaderboard import CorrelationMethod
from pipeline.leaderboard.correlation import COEFFICIENTS


@pytest.mark.parametrize("text", [*COEFFICIENTS, "kendall@10", "rbo(p=0.8)", "rbo_a(p=0.98)@3"])
def test_a_name_round_trips(text: str) -> None:
    assert str(CorrelationMethod.parse(text)) == text


def test_what_a_string_says() -> None:
    assert CorrelationMethod.parse("rbo(p=0.8)@10") == CorrelationMethod("rbo", 10, 0.8)
    assert CorrelationMethod.parse(" tau_ap_b ") == CorrelationMethod("tau_ap_b")
    assert str(CorrelationMethod.parse("rbo(p=0.9)")) == "rbo"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kendal", "unknown correlation 'kendal'; known: kendall, spearman, pearson, tau_ap,"),
        ("kendall@2", "correlation kendall@2 is of 2 runs; fewer than 3 make no ranking, give @3 or more"),
        ("kendall@ten", "correlation 'kendall@ten' cannot be read; write a name, such as kendall, kendall@10"),
        ("kendall(p=0.5)", "correlation 'kendall' has no option p; only rbo and rbo_a have"),
        ("rbo(p=1)", "option p of 'rbo' is 1.0; give a number between 0 and 1"),
        ("rbo(p=0.9.9)", "correlation 'rbo.p=0.9.9.': p is '0.9.9'; give a number between 0 and 1"),
        ("", "correlation '' cannot be read"),
    ],
)
def test_mistakes_are_refused_with_what_is_known(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CorrelationMethod.parse(text)
