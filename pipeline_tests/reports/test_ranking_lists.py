"""Tiers, prices and the models that none beats, on values worked by hand and on any values."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reports.queries.ranking_lists import Filters, Tier, blended_price, listed, pareto, tier_of
from pipeline.reports.queries.ranking_sources import Age, age_of, days_between
from pipeline.reports.queries.rankings import RankedModel, Ranking
from pipeline_tests.reports.made_up_ranking import declared

ROW = RankedModel(
    **dict.fromkeys(RankedModel.__annotations__),  # type: ignore[arg-type]  # NULL wherever a test says nothing else
)
DAY = datetime(2026, 1, 2)


def priced(position: int, price: float | None, ability: float | None, rank: int | None = 1) -> RankedModel:
    return replace(
        ROW, model=f"m{position}", position=position, rank=rank, price_input=price, price_output=price, ability=ability
    )


@pytest.mark.parametrize(
    ("ttft", "tier"),
    [
        (0.0, Tier.FAST),
        (0.999, Tier.FAST),
        (1.0, Tier.MEDIUM),
        (4.999, Tier.MEDIUM),
        (5.0, Tier.SLOW),
        (199.0, Tier.SLOW),
        (None, None),
    ],
)
def test_tiers_begin_where_they_say(ttft: float | None, tier: Tier | None) -> None:
    assert tier_of(ttft) == tier


@pytest.mark.parametrize(
    ("price_input", "price_output", "blended"),
    [(2.0, 10.0, 4.0), (0.0, 0.0, 0.0), (None, 1.0, None), (1.0, None, None)],
)
def test_a_blended_price_has_three_of_input_to_one_of_output(
    price_input: float | None, price_output: float | None, blended: float | None
) -> None:
    assert blended_price(replace(ROW, price_input=price_input, price_output=price_output)) == blended


@pytest.mark.parametrize(
    ("status", "age_days", "age"),
    [
        ("live", 0.0, Age.FRESH),
        ("live", 7.0, Age.FRESH),
        ("kept", 7.1, Age.AGEING),
        ("bundled", 21.0, Age.AGEING),
        ("bundled", 21.1, Age.OLD),
        ("missing", None, Age.MISSING),
        ("live", None, Age.MISSING),
    ],
)
def test_an_age_is_judged_by_how_often_the_source_changes(status: str, age_days: float | None, age: Age) -> None:
    assert age_of(status, age_days, 7, is_frozen=False) == age


@pytest.mark.parametrize(
    ("status", "age_days", "age"),
    [("frozen", 900.0, Age.FROZEN), ("bundled", 900.0, Age.FROZEN), ("missing", None, Age.MISSING)],
)
def test_the_age_of_a_frozen_source_is_no_fault(status: str, age_days: float | None, age: Age) -> None:
    assert age_of(status, age_days, 365, is_frozen=True) == age


@pytest.mark.parametrize("written", ["deepseek", "DeepSeek", "deepseek-ai", "Deepseek AI"])
def test_a_maker_is_found_however_it_is_written(written: str) -> None:
    rows = tuple(
        replace(ROW, model=model, organisation=organisation)
        for model, organisation in (
            ("deepseek/deepseek-r1", "DeepSeek"),
            ("deepseek-ai/deepseek-coder-33b", None),
            ("reseller/other", "deepseek-ai"),
            ("deep/seek", None),
        )
    )
    found = listed(Ranking(declared(), {}, rows, {}, {}), Filters(providers=[written]))
    assert [row.model for row in found] == [row.model for row in rows[:3]]


def test_what_is_of_the_future_is_not_of_a_negative_age() -> None:
    assert days_between(DAY.replace(day=3), DAY) == 0
    assert days_between(DAY.replace(day=1, hour=12), DAY) == 0.5
    assert days_between(None, DAY) is None


def test_the_models_that_none_beats_are_found() -> None:
    rows = [
        priced(1, 10.0, 150.0),
        priced(2, 1.0, 140.0),
        priced(3, 1.0, 139.0),
        priced(4, 2.0, 140.0),
        priced(5, 0.0, 120.0),
        priced(6, 0.5, 145.0, rank=None),
        priced(7, None, 160.0),
        priced(8, 0.1, None),
        priced(9, 1.0, 140.0),
    ]
    assert [row.model for row in pareto(rows, "ability")] == ["m5", "m2", "m9", "m1"]
    assert pareto([], "ability") == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_none_of_those_is_beaten_and_all_others_are(values: list[tuple[int, int]]) -> None:
    rows = [priced(at, float(price), float(ability)) for at, (price, ability) in enumerate(values)]
    best = {row.model for row in pareto(rows, "ability")}
    for at, (price, ability) in enumerate(values):
        beaten = any(
            cheaper <= price and better >= ability and (cheaper, better) != (price, ability)
            for cheaper, better in values
        )
        assert (f"m{at}" in best) == (not beaten)
