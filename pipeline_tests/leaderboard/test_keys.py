"""What a board is ranked by."""

import pytest

from pipeline.leaderboard import Direction, RankBy, RankingKey, WeightedKey

IC = RankingKey("anchor.ic")
LOSS = RankingKey("anchor.wis", Direction.ASC)


def test_a_key_is_descending_unless_told() -> None:
    assert IC.direction is Direction.DESC


def test_ranking_by_a_metric_without_direction_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cannot rank by 'anchor\.turnover': its direction is none.*rank by a metric"):
        RankingKey("anchor.turnover", Direction.NONE)


def test_an_unknown_direction_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'ic' has unknown direction 'up'; known: desc, asc, none"):
        RankingKey("ic", "up")  # type: ignore[arg-type]


def test_a_weighted_key_names_its_sum() -> None:
    key = WeightedKey((IC, RankingKey("steady.ic")), (0.5, 0.25))
    assert key.name == "0.5 anchor.ic + 0.25 steady.ic"
    assert key.direction is Direction.DESC


def test_a_weighted_key_of_mixed_directions_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"mixes directions \(anchor\.ic desc, anchor\.wis asc\); weigh columns of one"
    ):
        WeightedKey((IC, LOSS), (0.5, 0.5))


@pytest.mark.parametrize("weight", [0.0, -0.2, float("nan"), float("inf")])
def test_a_weight_that_is_not_positive_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match=r"weight of 'anchor\.ic' is .*; weights must be positive numbers"):
        WeightedKey((IC,), (weight,))


def test_weights_must_match_parts() -> None:
    with pytest.raises(ValueError, match="has 1 parts but 2 weights; give one weight per part"):
        WeightedKey((IC,), (0.5, 0.5))


def test_a_weighted_key_needs_a_part() -> None:
    with pytest.raises(ValueError, match="no parts; name at least one column"):
        WeightedKey((), ())


def test_a_part_listed_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"part of the weighted ranking key 'anchor\.ic' occurs more than once"):
        WeightedKey((IC, IC), (0.5, 0.5))


def test_a_key_listed_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ranking key 'anchor\.ic' occurs more than once; list it once"):
        RankBy(IC, (LOSS, RankingKey("anchor.ic", Direction.ASC)))


def test_a_part_of_the_weighted_key_may_break_its_ties() -> None:
    primary = WeightedKey((IC, RankingKey("steady.ic")), (0.5, 0.5))
    assert RankBy(primary, (IC,)).keys == (primary, IC)
