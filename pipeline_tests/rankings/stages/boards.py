"""A ranking of invented sources, from what they publish to every table, and real ones where the shared data is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd

from pipeline.rankings import About, Benchmark, FetchStatus, ModelName, Parsed, Result, Status
from pipeline.rankings.declaration import Rankings
from pipeline.rankings.identity import Decision, Identity, identify
from pipeline.rankings.stages import (
    Published,
    alias_rows,
    benchmark_rows,
    leaderboard_rows,
    model_rows,
    names_of,
    result_rows,
    score_rows,
    unmatched_rows,
    vocabulary_of,
)
from pipeline.tables import TableSpec

FETCHED_AT = datetime(2026, 7, 1, 6)
LOOKED_AT = datetime(2026, 7, 2, 6)


def published(
    name: str,
    results: Iterable[Result],
    names: Iterable[ModelName] = (),
    fetched_at: datetime = FETCHED_AT,
    benchmarks: dict[str, Benchmark] | None = None,
) -> Published:
    """A source whose names mean by their link what they are called, unless names are given."""
    results, named = tuple(results), {one.raw_name: one for one in names}
    for result in results:
        named.setdefault(result.raw_name, linked(result.raw_name))
    parsed = Parsed(results, tuple(named.values()))
    status = FetchStatus(name, Status.LIVE, LOOKED_AT, fetched_at, None, len(results), None, "")
    about = About(name, name.title(), f"https://{name}.test")
    return Published(about, parsed, status, "0" * 64, benchmarks or {})


def linked(raw_name: str, model: str = "", **said: Any) -> ModelName:
    """A name with a link to a repository: ``model (high)`` is of ``owner/model``."""
    model = model or raw_name.split(" ")[0]
    return ModelName(raw_name, hugging_face_id=model if "/" in model else f"owner/{model}", **said)


@dataclass
class Board:
    """Everything that a ranking makes of what is published."""

    published: Sequence[Published]
    declared: dict[str, Any] = field(default_factory=dict)
    decisions: Sequence[Decision] = ()

    @cached_property
    def declaration(self) -> Rankings:
        sources = {one.about.name: {} for one in self.published}
        return Rankings.model_validate({"name": "board", "title": "Board", "sources": sources, **self.declared})

    @cached_property
    def benchmarks(self) -> Any:
        return vocabulary_of(self.published)

    @cached_property
    def identity(self) -> Identity:
        return identify(names_of(self.published), self.decisions)

    @cached_property
    def models(self) -> pd.DataFrame:
        return model_rows(self.identity, self.published)

    @cached_property
    def aliases(self) -> pd.DataFrame:
        return alias_rows(self.identity, self.published)

    @cached_property
    def results(self) -> pd.DataFrame:
        return result_rows(self.published, self.aliases, self.declaration)

    @cached_property
    def unmatched(self) -> pd.DataFrame:
        return unmatched_rows(self.aliases, self.results)

    @cached_property
    def measures(self) -> pd.DataFrame:
        return benchmark_rows(self.results, self.benchmarks)

    @cached_property
    def scores(self) -> pd.DataFrame:
        return score_rows(self.results, self.declaration, self.benchmarks)

    @cached_property
    def leaderboard(self) -> pd.DataFrame:
        return leaderboard_rows(self.scores, self.models, self.results, self.declaration, self.benchmarks)

    def score(self, model: str, score: str) -> dict[str, Any]:
        rows = self.scores
        return rows[(rows["model"] == model) & (rows["score"] == score)].iloc[0].to_dict()

    def standing(self, model: str) -> dict[str, Any]:
        return self.leaderboard.set_index("model").loc[model].to_dict()

    def used(self) -> list[tuple[str, str, str, float]]:
        """Source, name, measure and value of every figure that is used."""
        rows = self.results[self.results["is_used"]]
        return sorted(zip(rows["source"], rows["raw_name"], rows["measure"], rows["value"], strict=True))

    def left_out(self) -> dict[tuple[str, str, str], str]:
        """Why figures are not used, by source, name and measure."""
        rows = self.results[~self.results["is_used"]]
        keys = zip(rows["source"], rows["raw_name"], rows["measure"], strict=True)
        return dict(zip(keys, rows["left_out"], strict=True))


def columns_of(spec: TableSpec) -> list[str]:
    """All but the board's name."""
    return [one.name for one in spec.columns][1:]
