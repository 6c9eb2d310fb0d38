"""The component behind ``type: pipeline.components.LlmRankings``: rankings of language models declared in YAML.

It only wires: how sources are looked at is in ``llm_sources``, what a table's rows are in ``llm_tables``, what must
hold in ``llm_checks``, what every kind of board has in ``board``.
"""

from collections.abc import Sequence
from functools import partial

import dagster as dg

from pipeline.components import llm_checks, llm_tables
from pipeline.components.automation import Watched, changed_files_sensor
from pipeline.components.board import Board, Update, board_definitions, table_asset
from pipeline.components.cron import require_cron
from pipeline.components.files_seen import FILES_SEEN
from pipeline.components.keys import asset_key
from pipeline.components.llm_sources import folder_seen, source_asset, source_key, source_schedule
from pipeline.declaration import BoardDeclaration
from pipeline.rankings import Source, Unit
from pipeline.rankings.declaration import Rankings
from pipeline.rankings.flags import known_flags
from pipeline.rankings.vocabulary import vocabulary
from pipeline.tables import (
    BOARDS,
    LLM_ALIASES,
    LLM_BENCHMARKS,
    LLM_BREAKS,
    LLM_FETCH_STATUS,
    LLM_LEADERBOARD,
    LLM_MODELS,
    LLM_RESULTS,
    LLM_SCORES,
    LLM_SNAPSHOTS,
    LLM_UNMATCHED,
    LLM_UNREAD,
    TableSpec,
)

ASSETS: tuple[tuple[TableSpec, Update[Rankings], tuple[TableSpec, ...]], ...] = (
    (BOARDS, llm_tables.update_catalog, ()),
    (LLM_FETCH_STATUS, llm_tables.update_fetch_status, (BOARDS,)),
    (LLM_UNREAD, llm_tables.update_unread, (LLM_FETCH_STATUS,)),
    (LLM_BREAKS, llm_tables.update_breaks, (LLM_FETCH_STATUS,)),
    (LLM_MODELS, llm_tables.update_models, (LLM_FETCH_STATUS,)),
    (LLM_ALIASES, llm_tables.update_aliases, (LLM_FETCH_STATUS,)),
    (LLM_RESULTS, llm_tables.update_results, (LLM_FETCH_STATUS, LLM_ALIASES)),
    (LLM_UNMATCHED, llm_tables.update_unmatched, (LLM_ALIASES, LLM_RESULTS)),
    (LLM_BENCHMARKS, llm_tables.update_benchmarks, (LLM_RESULTS,)),
    (LLM_SCORES, llm_tables.update_scores, (LLM_RESULTS,)),
    (LLM_LEADERBOARD, llm_tables.update_leaderboard, (LLM_SCORES, LLM_MODELS, LLM_RESULTS)),
    (LLM_SNAPSHOTS, llm_tables.update_snapshots, (LLM_LEADERBOARD, LLM_FETCH_STATUS)),
)
"""The tables of a ranking: how each is brought up to date, and which it reads."""


class LlmRankings(Board):
    """A ranking of language models out of what several sources publish.

    Everything about the ranking is in the attributes; see each field's description. A mistake in them fails at load and
    says which names are known; what a source sends is judged when it is looked at.
    """

    contract: Rankings
    declared_as = Rankings

    @classmethod
    def check(cls, contract: BoardDeclaration) -> None:
        """Refuse sources that are not there or cannot be made, and measures that nobody defines.

        Raises
        ------
        ValueError
            If there is one; the message says which names are known.
        """
        if isinstance(contract, Rankings):
            check_rankings(contract)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """The assets, the job that materializes them and all that follows from them, schedules and sensors."""
        return rankings_definitions(self.contract)


def check_rankings(rankings: Rankings) -> None:
    """Refuse a declaration for what it alone does not tell.

    Raises
    ------
    ValueError
        If a source is not there or cannot be made, is to be looked at when no cron line says, or a score is to be made
        of what nobody measures, or without what nobody says.
    """
    for name, declared in rankings.sources.items():
        if declared.schedule is not None:
            require_cron(declared.schedule, f"sources.{name}.schedule")
    made = [rankings.source(name) for name in rankings.sources]
    _refuse_unknown_flags(rankings, made)
    known = vocabulary(getattr(one, "benchmarks", {}) for one in made)
    measures = {f"{key}.{measure}" for key, one in known.items() for measure in one.measures}
    for part, named in {"weights.coding": tuple(rankings.weights.coding), "quality": (rankings.quality,)}.items():
        unknown = [name for name in named if name not in measures]
        if unknown:
            like = sorted(name for name in measures if name.split(".")[0] == unknown[0].split(".")[0]) or sorted(known)
            raise ValueError(f"{part}: nobody measures {', '.join(map(repr, unknown))}; known: {', '.join(like)}")
    benchmark, _, measure = rankings.quality.partition(".")
    unit = known[benchmark].measures[measure].unit
    if unit not in (Unit.PERCENT, Unit.INDEX):
        raise ValueError(
            f"quality: {rankings.quality} is a {unit}; the performance score needs an index or a percentage"
        )
    strangers = [name for name in rankings.ability.leave_out if name not in known]
    if strangers:
        raise ValueError(
            f"ability.leave_out: no benchmark is called {', '.join(map(repr, strangers))}; known: {', '.join(known)}"
        )


def _refuse_unknown_flags(rankings: Rankings, made: Sequence[Source]) -> None:
    flags = known_flags(made)
    unknown = [flag for flag in rankings.leave_out_flags if flag not in flags]
    if unknown:
        raise ValueError(
            f"leave_out_flags: nobody says {', '.join(map(repr, unknown))}; known: {', '.join(sorted(flags))}; a "
            f"source of one's own adds its flags by an attribute `flags`"
        )


def rankings_definitions(rankings: Rankings) -> dg.Definitions:
    """Definitions of one ranking, from its declaration alone."""
    sources = [source_asset(rankings, name) for name in rankings.sources]
    tables = [_table(rankings, spec, update, upstream) for spec, update, upstream in ASSETS]
    schedules = [one for name in rankings.sources if (one := source_schedule(rankings, name)) is not None]
    board = board_definitions(rankings, [*sources, *tables], [_files_sensor(rankings)])
    return dg.Definitions.merge(board, dg.Definitions(schedules=schedules))


def _files_sensor(rankings: Rankings) -> dg.SensorDefinition:
    """Compute what reads people's decisions or a folder when these change; no publisher is asked because of it."""
    aliases, models = (asset_key(rankings.name, spec) for spec in (LLM_ALIASES, LLM_MODELS))
    watched = [Watched(aliases, partial(llm_tables.decisions_seen, rankings), (aliases, models))]
    for name in (name for name, declared in rankings.sources.items() if declared.folder):
        key = source_key(rankings.name, name)
        watched.append(Watched(key, partial(folder_seen, rankings, name), (key,)))
    return changed_files_sensor(rankings.name, FILES_SEEN, watched)


def _table(
    rankings: Rankings, spec: TableSpec, update: Update[Rankings], upstream: Sequence[TableSpec]
) -> dg.AssetsDefinition:
    compared = llm_checks.OF_ALIASES if spec == LLM_ALIASES else ()
    sources = [source_key(rankings.name, name) for name in rankings.sources] if spec == LLM_FETCH_STATUS else []
    held = llm_checks.of_table(spec)
    return table_asset(rankings, spec, update, upstream, held, compared=compared, after=sources)
