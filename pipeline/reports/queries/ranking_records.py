"""Rows of rankings as records and as columns: what the API gives, in JSON and in files."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pyarrow as pa

from pipeline.reports.queries.ranking_lists import blended_price, tier_of
from pipeline.reports.queries.ranking_models import RANKED_FIELDS
from pipeline.reports.queries.ranking_sources import days_between
from pipeline.reports.queries.ranking_weights import Weighed
from pipeline.reports.queries.rankings import RankedModel, Ranking

_MOMENTS = ("benchmarks_at", "performance_at", "prices_at")
_DECIMALS = 2
_TEXT = ("model", "title", "organisation", "status", "tier", "partial_scores")
_WHOLE = (
    *("position", "rank", "rank_lo", "rank_hi", "loo_rank_lo", "loo_rank_hi", "tie_group"),
    *("context", "n_benchmarks", "n_sources"),
)
_YES_OR_NO = ("open_weights", "is_free", "is_partial")


def record(of: Ranking, row: RankedModel, now: datetime) -> dict[str, Any]:
    """A row with what follows from it: tier, blended price, ages at a moment, and its values of benchmarks."""
    told = {name: getattr(row, name) for name in RANKED_FIELDS} | _derived(row, now)
    return told | {"benchmarks": of.of(row), "partial_scores": of.partial_scores(row)}


def columns_of(of: Ranking, rows: Sequence[RankedModel], now: datetime) -> dict[str, pa.Array]:
    """Rows as columns for a file: as :func:`record`, with a column for each benchmark."""
    derived = [_derived(row, now) for row in rows]
    columns = {name: [getattr(row, name) for row in rows] for name in RANKED_FIELDS}
    columns |= {name: [one[name] for one in derived] for name in _derived_names()}
    columns["partial_scores"] = [", ".join(of.partial_scores(row)) for row in rows]
    columns |= {name: [of.values.get(row.model, {}).get(name) for row in rows] for name in of.headlines}
    return {name: pa.array(values, _type(name)) for name, values in columns.items()}


def weighed_record(one: Weighed) -> dict[str, Any]:
    """A model by the weights of whoever asked."""
    row = one.row
    told = {name: value for name, value in asdict(one).items() if name != "row"}
    facts = {"model": row.model, "title": row.title, "organisation": row.organisation, "board_rank": row.rank}
    return {
        **told,
        "missing": list(one.missing),
        "partial_parts": list(one.partial_parts),
        **facts,
        "rank_lo": row.rank_lo,
        "rank_hi": row.rank_hi,
    }


def _derived(row: RankedModel, now: datetime) -> dict[str, Any]:
    tier = tier_of(row.ttft)
    found = {"tier": None if tier is None else str(tier), "price_blended": blended_price(row)}
    for name in _MOMENTS:
        age = days_between(getattr(row, name), now)
        found[_age(name)] = None if age is None else round(age, _DECIMALS)
    return found


def _derived_names() -> list[str]:
    return ["tier", "price_blended", *map(_age, _MOMENTS)]


def _age(name: str) -> str:
    return f"{name.removesuffix('_at')}_age_days"


def _type(name: str) -> pa.DataType:
    if name in _TEXT:
        return pa.string()
    if name in _WHOLE:
        return pa.int64()
    if name in _YES_OR_NO:
        return pa.bool_()
    return {"released_on": pa.date32(), **dict.fromkeys(_MOMENTS, pa.timestamp("us"))}.get(name, pa.float64())
