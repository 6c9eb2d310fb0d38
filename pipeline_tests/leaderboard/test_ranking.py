"""The one function that ranks every board."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from pipeline.leaderboard import (
    Direction,
    RankBy,
    Ranking,
    RankingKey,
    WeightedKey,
    eligibility,
    rank_change,
    rank_contestants,
)

NAN = float("nan")
BY_IC = RankBy(RankingKey("ic"))
BY_LOSS = RankBy(RankingKey("loss", Direction.ASC))
BY_IC_THEN_LOSS = RankBy(RankingKey("ic"), (RankingKey("loss", Direction.ASC), RankingKey("recent")))
WEIGHTED = RankBy(
    WeightedKey((RankingKey("anchor.ic"), RankingKey("steady.ic"), RankingKey("recent.ic")), (0.5, 0.3, 0.2))
)

VALUES = st.sampled_from([NAN, float("inf"), -0.0, 0.0, 0.1, 0.2, 0.3, 0.1 + 0.2, -1.5, 1e-310])
REASONS = st.sampled_from([None, None, None, "low_coverage", "inactive"])
ROWS = st.lists(st.tuples(VALUES, VALUES, VALUES, st.booleans(), REASONS), max_size=14)
Row = tuple[float, float, float, bool, str | None]


def ids(n: int) -> list[str]:
    return [f"m{index:03d}" for index in range(n)]


def rank_rows(names: Sequence[str], rows: Sequence[Row]) -> Ranking:
    """Rank rows of (ic, loss, recent, virtual, ineligible)."""
    columns = {name: [row[index] for row in rows] for index, name in enumerate(("ic", "loss", "recent"))}
    return rank_contestants(
        names, columns, BY_IC_THEN_LOSS, virtual=[row[3] for row in rows], ineligible=[row[4] for row in rows]
    )


def as_dicts(names: Sequence[str], ranking: Ranking) -> dict[str, tuple[object, ...]]:
    columns = (ranking.position, ranking.rank, ranking.rank_with_ensembles, ranking.status)
    keys = [None if np.isnan(key) else key for key in ranking.key]
    return {name: (*row, key) for name, key, *row in zip(names, keys, *columns, strict=True)}


# Worked by hand


def test_ties_share_a_rank_and_the_next_counts_them() -> None:
    ranking = rank_contestants(["c", "b", "a"], {"ic": [0.1, 0.3, 0.3]}, BY_IC)
    assert ranking.rank.tolist() == [3, 1, 1]
    assert ranking.position.tolist() == [3, 2, 1]
    assert ranking.order.tolist() == [2, 1, 0]
    assert ranking.status.tolist() == ["ranked"] * 3
    assert ranking.key.tolist() == [0.1, 0.3, 0.3]


def test_floating_point_noise_does_not_break_a_tie_so_the_next_key_decides() -> None:
    columns = {"ic": [0.3, 0.1 + 0.2, 0.2], "loss": [5.0, 4.0, 1.0], "recent": [1.0, 1.0, 1.0]}
    assert rank_contestants(ids(3), columns, BY_IC_THEN_LOSS).rank.tolist() == [2, 1, 3]


def test_a_lower_loss_is_better() -> None:
    assert rank_contestants(ids(4), {"loss": [2.0, 1.0, 3.0, 1.0]}, BY_LOSS).rank.tolist() == [3, 1, 4, 1]


@pytest.mark.parametrize("direction", [Direction.DESC, Direction.ASC])
def test_an_undefined_tie_breaker_comes_last_in_both_directions(direction: Direction) -> None:
    by = RankBy(RankingKey("ic"), (RankingKey("loss", direction),))
    ranking = rank_contestants(ids(3), {"ic": [0.1, 0.1, 0.1], "loss": [NAN, 7.0, -7.0]}, by)
    assert ranking.rank[0] == 3
    assert ranking.status.tolist() == ["ranked"] * 3


def test_two_undefined_tie_breakers_tie_and_the_next_key_decides() -> None:
    columns = {"ic": [0.1, 0.1, 0.1], "loss": [NAN, NAN, 1.0], "recent": [0.1, 0.2, 0.0]}
    assert rank_contestants(ids(3), columns, BY_IC_THEN_LOSS).rank.tolist() == [3, 2, 1]


def test_undefined_and_infinite_keys_are_unranked_and_listed_last_by_id() -> None:
    ranking = rank_contestants(["z", "d", "c", "b"], {"ic": [-0.5, NAN, float("inf"), -float("inf")]}, BY_IC)
    assert ranking.rank.tolist() == [1, 0, 0, 0]
    assert ranking.rank_with_ensembles.tolist() == [1, 0, 0, 0]
    assert ranking.position.tolist() == [1, 4, 3, 2]
    assert ranking.status.tolist() == ["ranked"] + ["unranked: undefined_key"] * 3
    assert np.isnan(ranking.key[1:]).all()


def test_none_is_an_undefined_value() -> None:
    ranking = rank_contestants(ids(2), {"ic": [None, 0.1]}, BY_IC)  # type: ignore[dict-item]
    assert ranking.rank.tolist() == [0, 1]


def test_the_reason_of_an_undefined_key_is_shown() -> None:
    ranking = rank_contestants(
        ids(3), {"ic": [NAN, NAN, 0.1]}, BY_IC, undefined={"ic": ["constant_input", None, None], "other": []}
    )
    assert ranking.status.tolist() == ["unranked: constant_input", "unranked: undefined_key", "ranked"]


def test_not_being_eligible_comes_before_an_undefined_key_and_keeps_the_value() -> None:
    ranking = rank_contestants(
        ids(2),
        {"ic": [NAN, 0.9]},
        BY_IC,
        ineligible=["low_coverage", "inactive"],
        undefined={"ic": ["constant_input", None]},
    )
    assert ranking.status.tolist() == ["unranked: low_coverage", "unranked: inactive"]
    assert ranking.key[1] == 0.9
    assert ranking.rank.tolist() == [0, 0]


def test_reasons_of_eligibility_are_taken_as_they_are() -> None:
    reasons = eligibility([1.0, 0.2], [9, 9], min_coverage=0.5)
    ranking = rank_contestants(ids(2), {"ic": [0.1, 0.2]}, BY_IC, ineligible=reasons)
    assert ranking.status.tolist() == ["ranked", "unranked: low_coverage"]


def test_unranked_contestants_are_listed_by_id_virtual_or_not_whatever_their_values() -> None:
    ranking = rank_contestants(
        ["c", "__ensemble_main__", "a"],
        {"ic": [0.9, NAN, 0.1]},
        BY_IC,
        virtual=[False, True, False],
        ineligible=["inactive", None, "low_coverage"],
    )
    assert ranking.order.tolist() == [1, 2, 0]


def test_virtual_models_take_no_place_from_real_ones() -> None:
    ranking = rank_contestants(
        ["e1", "a", "e2", "b", "c"], {"ic": [0.5, 0.4, 0.3, 0.3, 0.2]}, BY_IC, virtual=[True, False, True, False, False]
    )
    assert ranking.rank.tolist() == [0, 1, 0, 2, 3]
    assert ranking.rank_with_ensembles.tolist() == [1, 2, 3, 3, 5]


def test_a_weighted_key_is_undefined_where_a_part_is() -> None:
    columns = {"anchor.ic": [0.1, 0.2, 0.3], "steady.ic": [0.2, 0.2, NAN], "recent.ic": [0.4, 0.1, 0.9]}
    ranking = rank_contestants(
        ids(3), columns, WEIGHTED, undefined={"steady.ic": ["stale", "stale", "too_few_pairs"], "recent.ic": [None] * 3}
    )
    assert ranking.key[:2] == pytest.approx([0.19, 0.18], abs=1e-15)
    assert np.isnan(ranking.key[2])
    assert ranking.rank.tolist() == [1, 2, 0]
    assert ranking.status[2] == "unranked: too_few_pairs"


def test_the_first_undefined_part_that_has_a_reason_gives_it() -> None:
    columns = {"anchor.ic": [NAN, NAN], "steady.ic": [NAN, NAN], "recent.ic": [0.1, 0.1]}
    reasons = {"anchor.ic": ["first", None], "steady.ic": ["second", "second"]}
    ranking = rank_contestants(ids(2), columns, WEIGHTED, undefined=reasons)
    assert ranking.status.tolist() == ["unranked: first", "unranked: second"]


def test_a_weighted_sum_that_overflows_or_cancels_infinities_is_undefined() -> None:
    columns = {
        "anchor.ic": [1.7e308, float("inf"), 0.0],
        "steady.ic": [1.7e308, -float("inf"), 0.0],
        "recent.ic": [1.7e308, 0.0, 0.0],
    }
    by = RankBy(WeightedKey(tuple(map(RankingKey, columns)), (1.0, 1.0, 1.0)))
    assert rank_contestants(ids(3), columns, by).rank.tolist() == [0, 0, 1]


def test_nobody_is_a_board_too() -> None:
    ranking = rank_contestants([], {"ic": []}, BY_IC)
    assert ranking.rank.shape == ranking.position.shape == ranking.status.shape == (0,)


def test_nobody_ranked_is_a_board_too() -> None:
    assert rank_contestants(ids(2), {"ic": [NAN, NAN]}, BY_IC).position.tolist() == [1, 2]


# Errors


def test_a_missing_column_is_named_with_those_given() -> None:
    with pytest.raises(ValueError, match=r"no column 'ic' to rank by; given: loss, recent"):
        rank_contestants(ids(1), {"recent": [1.0], "loss": [1.0]}, BY_IC)
    with pytest.raises(ValueError, match=r"no column 'ic' to rank by; given: none"):
        rank_contestants(ids(1), {}, BY_IC)


def test_a_contestant_listed_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="contestant 'a' occurs more than once; rank each once per board"):
        rank_contestants(["a", "b", "a"], {"ic": [1.0, 2.0, 3.0]}, BY_IC)


def test_every_length_is_checked() -> None:
    with pytest.raises(ValueError, match=r"column 'ic' has shape \(1,\), expected \(2,\): one value per contestant"):
        rank_contestants(ids(2), {"ic": [1.0]}, BY_IC)
    with pytest.raises(ValueError, match=r"virtual has shape \(1,\), expected \(2,\)"):
        rank_contestants(ids(2), {"ic": [1.0, 2.0]}, BY_IC, virtual=[True])
    with pytest.raises(ValueError, match=r"ineligible has shape \(1,\), expected \(2,\)"):
        rank_contestants(ids(2), {"ic": [1.0, 2.0]}, BY_IC, ineligible=[None])
    with pytest.raises(ValueError, match=r"undefined\['ic'\] has shape \(1,\), expected \(2,\)"):
        rank_contestants(ids(2), {"ic": [1.0, NAN]}, BY_IC, undefined={"ic": [None]})


# Properties


@given(ROWS, st.randoms())
def test_permuting_the_input_permutes_the_output(rows: list[Row], random: object) -> None:
    names = ids(len(rows))
    shuffled = list(range(len(rows)))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    board = as_dicts(names, rank_rows(names, rows))
    other_names = [names[index] for index in shuffled]
    assert as_dicts(other_names, rank_rows(other_names, [rows[index] for index in shuffled])) == board


@given(ROWS, ROWS)
def test_adding_contestants_who_are_not_eligible_changes_no_rank(rows: list[Row], added: list[Row]) -> None:
    names = ids(len(rows) + len(added))
    alone = rank_rows(names[len(added) :], rows)
    barred: list[Row] = [(*row[:4], "low_coverage") for row in added]
    together = rank_rows(names, [*barred, *rows])
    assert together.rank[len(added) :].tolist() == alone.rank.tolist()
    assert together.rank_with_ensembles[len(added) :].tolist() == alone.rank_with_ensembles.tolist()
    assert not together.rank[: len(added)].any()


@given(ROWS)
def test_removing_virtual_models_changes_no_real_rank(rows: list[Row]) -> None:
    names = ids(len(rows))
    real = [index for index, row in enumerate(rows) if not row[3]]
    with_virtual = rank_rows(names, rows).rank
    without = rank_rows([names[index] for index in real], [rows[index] for index in real])
    assert without.rank.tolist() == with_virtual[real].tolist()
    assert without.rank_with_ensembles.tolist() == without.rank.tolist()


@given(st.lists(st.tuples(VALUES, VALUES), max_size=14))
def test_ascending_equals_descending_of_the_negated_values(rows: list[tuple[float, float]]) -> None:
    a, b = np.array(rows).reshape(-1, 2).T
    up = RankBy(RankingKey("a", Direction.ASC), (RankingKey("b", Direction.ASC),))
    down = RankBy(RankingKey("a"), (RankingKey("b"),))
    ascending = rank_contestants(ids(len(rows)), {"a": a, "b": b}, up)
    descending = rank_contestants(ids(len(rows)), {"a": -a, "b": -b}, down)
    assert ascending.position.tolist() == descending.position.tolist()
    assert ascending.rank.tolist() == descending.rank.tolist()
    assert ascending.status.tolist() == descending.status.tolist()


@given(ROWS)
def test_a_board_is_well_formed(rows: list[Row]) -> None:
    ranking = rank_rows(ids(len(rows)), rows)
    ranked = ranking.status == "ranked"
    assert sorted(ranking.position) == list(range(1, len(rows) + 1))
    assert (ranking.position[ranked] <= ranked.sum()).all()
    assert ((ranking.rank_with_ensembles > 0) == ranked).all()
    assert ((ranking.rank > 0) == ranked & ~np.array([row[3] for row in rows], dtype=bool)).all()
    assert (np.diff(ranking.rank_with_ensembles[ranking.order][: ranked.sum()]) >= 0).all()
    assert (ranking.rank <= ranking.rank_with_ensembles).all()


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40), st.sampled_from([BY_IC, BY_LOSS]))
def test_ranks_agree_with_scipy(values: list[int], by: RankBy) -> None:
    signed = -np.array(values) if by is BY_IC else np.array(values)
    numbers = np.array(values) / 7
    ranking = rank_contestants(ids(len(values)), {"ic": numbers, "loss": numbers}, by)
    assert ranking.rank.tolist() == rankdata(signed, method="min").tolist()


@given(ROWS)
def test_ranks_agree_with_counting_who_is_better(rows: list[Row]) -> None:
    """An independent definition, pair by pair: rank = 1 + number of ranked real contestants that are better."""

    def sort_key(row: Row) -> tuple[tuple[bool, float], ...]:
        signed = (-row[0], row[1], -row[2])
        return tuple((False, float(f"{v:.11e}")) if np.isfinite(v) else (True, 0.0) for v in signed)

    ranked = [np.isfinite(row[0]) and row[4] is None for row in rows]
    expected = [
        1 + sum(sort_key(other) < sort_key(row) and ok and not other[3] for other, ok in zip(rows, ranked, strict=True))
        if is_ranked and not row[3]
        else 0
        for row, is_ranked in zip(rows, ranked, strict=True)
    ]
    assert rank_rows(ids(len(rows)), rows).rank.tolist() == expected


def test_a_hundred_thousand_contestants_are_ranked() -> None:
    rng = np.random.default_rng(3)
    n = 100_000
    names = [f"model_{index:06d}" for index in rng.permutation(n)]
    columns = {"ic": rng.integers(0, 1000, n) / 1000, "loss": rng.random(n), "recent": rng.random(n)}
    ranking = rank_contestants(names, columns, BY_IC_THEN_LOSS)
    assert ranking.rank.max() == n


# Change of rank


def test_places_gained_are_positive_and_a_missing_rank_is_none() -> None:
    change = rank_change([1, 2, 5, 0, 4, 0], [3, 2, 1, 4, 0, 0])
    assert change[:3].tolist() == [2, 0, -4]
    assert np.isnan(change[3:]).all()


def test_nan_is_a_missing_rank() -> None:
    assert np.isnan(rank_change([NAN, 1.0], [1.0, NAN])).all()


def test_boards_must_be_aligned() -> None:
    with pytest.raises(ValueError, match=r"ranks of shape \(2,\) now and \(3,\) before; align both"):
        rank_change([1, 2], [1, 2, 3])
