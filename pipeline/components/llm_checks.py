"""What must hold of a ranking's tables, as asset checks that say which rows break it."""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg
import pandas as pd

from pipeline.components.checks import Check, keys_unique, ranks_well_formed
from pipeline.rankings.identity import Alias, Audit, Method, Status, audit, drops
from pipeline.tables import (
    LLM_ALIASES,
    LLM_LEADERBOARD,
    LLM_RESULTS,
    LLM_SCORES,
    TableSpec,
)
from pipeline.warehouse import Store

_SHOWN = 5

_OF_TABLE: dict[TableSpec, tuple[Check, ...]] = {
    LLM_ALIASES: (
        Check(
            "exactly_accepted_names_mean_a_model",
            "A name means a release exactly when that is accepted, and no agent system means one.",
            """
            SELECT source, raw_name, model, status, is_system FROM llm.aliases
            WHERE ranking = ? AND ((model IS NOT NULL) <> (status = 'accepted') OR (is_system AND model IS NOT NULL))
            """,
        ),
    ),
    LLM_RESULTS: (
        Check(
            "figures_that_are_used_are_there",
            "A figure has a value or a reason, and one that scores rest on has a value and a model.",
            """
            SELECT source, raw_name, benchmark, measure, value, reason, model, is_used, left_out FROM llm.results
            WHERE ranking = ? AND (
                (value IS NULL) <> (reason IS NOT NULL)
                OR (is_used AND (value IS NULL OR model IS NULL))
                OR is_used <> (left_out IS NULL)
            )
            """,
        ),
        Check(
            "one_figure_of_a_model_is_used",
            "Of a model's figures of one measure, scores rest on one.",
            """
            SELECT model, benchmark, measure, count(*) AS n FROM llm.results
            WHERE ranking = ? AND is_used GROUP BY ALL HAVING count(*) > 1
            """,
        ),
    ),
    LLM_SCORES: (
        Check(
            "scores_say_why",
            "A score is within its interval or has none, and without a value there is a reason.",
            """
            SELECT model, score, value, ci_low, ci_high, coverage, reason FROM llm.scores
            WHERE ranking = ? AND (
                (value IS NULL) <> (reason IS NOT NULL)
                OR NOT (ci_low <= value AND value <= ci_high)
                OR (ci_low IS NULL) <> (ci_high IS NULL)
                OR NOT (0 <= coverage AND coverage <= 1)
                OR (score <> 'ability' AND NOT (-1e-9 <= value AND value <= 100 + 1e-9))
            )
            """,
        ),
        Check(
            "abilities_are_at_rest",
            "The fit of abilities came to rest (a warning: without it they are a guess, and have no intervals).",
            """
            SELECT score, count(value) AS n_models FROM llm.scores WHERE ranking = ? AND NOT is_converged GROUP BY score
            """,
            blocking=False,
        ),
    ),
    LLM_LEADERBOARD: (
        ranks_well_formed(LLM_LEADERBOARD, "models", ("model",)),
        Check(
            "rank_intervals_hold_the_rank",
            "What a model's rank could be includes what it is, within the ranks there are.",
            """
            SELECT model, rank, rank_lo, rank_hi, loo_rank_lo, loo_rank_hi
            FROM (SELECT *, count(rank) OVER () AS ranked FROM llm.leaderboard WHERE ranking = ?)
            WHERE NOT (1 <= rank_lo AND rank_lo <= rank AND rank <= rank_hi AND rank_hi <= ranked)
               OR (rank_lo IS NULL) <> (rank_hi IS NULL)
               OR (rank IS NULL AND rank_lo IS NOT NULL)
            """,
        ),
        Check(
            "no_ranked_model_without_a_figure",
            "Every ranked model has a figure that scores rest on, and a source of it.",
            """
            SELECT b.model, b.rank, b.n_benchmarks, b.n_sources FROM llm.leaderboard AS b
            WHERE b.ranking = ? AND b.rank IS NOT NULL AND (
                b.n_benchmarks < 1 OR b.n_sources < 1
                OR NOT EXISTS (
                    SELECT 1 FROM llm.results AS r WHERE r.ranking = b.ranking AND r.model = b.model AND r.is_used
                )
            )
            """,
        ),
    ),
}


def of_table(spec: TableSpec) -> list[Check]:
    """The checks of a table: that its key is unique, and those of its own."""
    return [keys_unique(spec), *_OF_TABLE.get(spec, ())]


class MatchRatesHold:
    """No source matches fewer of its names than the last time, by more than the identity allows (a warning)."""

    name = "match_rates_hold"

    def spec(self, asset: dg.AssetKey) -> dg.AssetCheckSpec:
        """The check's declaration on an asset."""
        return dg.AssetCheckSpec(
            self.name,
            asset=asset,
            description="No source matches a share of its models that is smaller than before by much (a warning).",
        )

    def before(self, store: Store, board: str) -> Audit:
        """How much matched until now."""
        return audit(_aliases(store, board))

    def run(self, store: Store, board: str, before: Audit) -> dg.AssetCheckResult:
        """Compare with how much matches now."""
        return _warned(self.name, drops(audit(_aliases(store, board)), before))


class AcceptedNamesStay:
    """No name that was accepted means another release than the last time (a warning)."""

    name = "accepted_names_stay"

    def spec(self, asset: dg.AssetKey) -> dg.AssetCheckSpec:
        """The check's declaration on an asset."""
        return dg.AssetCheckSpec(
            self.name,
            asset=asset,
            description="No accepted name means another release than before (a warning: its figures moved with it).",
        )

    def before(self, store: Store, board: str) -> list[Alias]:
        """What names meant until now."""
        return _aliases(store, board)

    def run(self, store: Store, board: str, before: list[Alias]) -> dg.AssetCheckResult:
        """Compare with what they mean now."""
        moved = audit(_aliases(store, board), before).moved
        return _warned(
            self.name,
            [
                f"{one.source}: {one.raw_name!r} meant {one.before} and now means {one.after or 'no release'}"
                for one in moved
            ],
        )


OF_ALIASES = (MatchRatesHold(), AcceptedNamesStay())
"""What must hold of aliases beside what they were before."""


def _aliases(store: Store, board: str) -> list[Alias]:
    return [_alias(row) for row in store.read(LLM_ALIASES, board).to_dict("records")]


def _alias(row: Mapping[Any, Any]) -> Alias:
    text = {name: value if isinstance(value, str) else "" for name, value in row.items()}
    decided_at = None if pd.isna(row["decided_at"]) else row["decided_at"].to_pydatetime()
    return Alias(
        text["source"],
        text["raw_name"],
        text["model"] or None,
        text["family"],
        text["config"],
        Method(text["method"]),
        text["evidence"],
        Status(text["status"]),
        decided_at=decided_at,
    )


def _warned(name: str, sentences: Iterable[str]) -> dg.AssetCheckResult:
    found = list(sentences)
    more = f"; and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    return dg.AssetCheckResult(
        check_name=name,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{'; '.join(found[:_SHOWN])}{more}" if found else None,
        metadata={"violations": len(found)},
    )
