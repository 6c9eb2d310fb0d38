"""The component behind ``type: pipeline.components.Competition``: a contest declared in YAML becomes its assets.

It only wires: what a table's rows are is in ``competition_tables``, how a table is brought up to date in
``recompute``, what must hold in ``competition_checks``, what every kind of board has in ``board``.
"""

import difflib
from dataclasses import replace

import dagster as dg

from pipeline.competition import Contract
from pipeline.competition.declaration import HUB, INBOX
from pipeline.components import (
    competition_tables,
    ensemble_tables,
    evaluation_tables,
    hub_tables,
    inbox_tables,
    pictures,
)
from pipeline.components.automation import inbox_sensor
from pipeline.components.board import Board, Picture, Update, board_definitions, table_asset
from pipeline.components.checks import Check
from pipeline.components.competition_checks import of_table
from pipeline.components.hub_sensor import hub_sensors
from pipeline.components.inbox import files_asset
from pipeline.declaration import BoardDeclaration
from pipeline.registry import UnknownNameError, resolve_dotted_path
from pipeline.tables import (
    BOARDS,
    CYCLE_METRICS,
    ENSEMBLE_METRICS,
    ENSEMBLE_PREDICTIONS,
    ENSEMBLE_SCORES,
    ENSEMBLE_WEIGHTS,
    EVALUATIONS,
    FACTORS,
    FILES,
    LEADERBOARD,
    MEMBER_METRICS,
    MODEL_VERSIONS,
    MODELS,
    PREDICTIONS,
    SCORES,
    SNAPSHOTS,
    SUBJECTS,
    SUBMISSIONS,
    TRUTH,
    TableSpec,
)

Asset = tuple[TableSpec, Update[Contract], tuple[TableSpec, ...]]
"""A table: how it is brought up to date, and which tables that reads."""

_FROM_SOURCE: dict[TableSpec, Asset] = {
    PREDICTIONS: (PREDICTIONS, competition_tables.update_predictions, (BOARDS,)),
    TRUTH: (TRUTH, competition_tables.update_truth, (BOARDS,)),
    FACTORS: (FACTORS, competition_tables.update_factors, (BOARDS,)),
    MODELS: (MODELS, competition_tables.update_models, (PREDICTIONS,)),
    MODEL_VERSIONS: (MODEL_VERSIONS, competition_tables.update_versions, (PREDICTIONS,)),
    SUBJECTS: (SUBJECTS, competition_tables.update_subjects, (PREDICTIONS,)),
}
"""The tables that begin a competition, when a source computes them."""

_FROM_FILES: dict[TableSpec, Asset] = {
    PREDICTIONS: (PREDICTIONS, inbox_tables.update_predictions, (FILES,)),
    TRUTH: (TRUTH, inbox_tables.update_truth, (FILES,)),
    FACTORS: (FACTORS, inbox_tables.update_factors, (FILES,)),
    MODELS: (MODELS, inbox_tables.update_models, (FILES, PREDICTIONS)),
    MODEL_VERSIONS: (MODEL_VERSIONS, inbox_tables.update_versions, (FILES, PREDICTIONS)),
    SUBJECTS: (SUBJECTS, inbox_tables.update_subjects, (FILES, PREDICTIONS)),
}
"""The same, when they arrive as files."""

_FROM_HUB: dict[TableSpec, Asset] = _FROM_SOURCE | {
    PREDICTIONS: (PREDICTIONS, hub_tables.update_predictions, (BOARDS,)),
    TRUTH: (TRUTH, hub_tables.update_truth, (BOARDS,)),
}
"""The same, when they are a forecast hub's."""

_BESIDE_PREDICTIONS = (FILES, SUBMISSIONS)
"""Tables that the predictions of a hub's files are written with."""

_SUBMISSIONS: Asset = (SUBMISSIONS, inbox_tables.update_submissions, (FILES,))

_COMPUTED: tuple[Asset, ...] = (
    (SCORES, competition_tables.update_scores, (PREDICTIONS, TRUTH)),
    (CYCLE_METRICS, competition_tables.update_cycle_metrics, (PREDICTIONS, FACTORS, TRUTH, SCORES)),
    (SNAPSHOTS, competition_tables.update_snapshots, (CYCLE_METRICS, MODELS)),
    (LEADERBOARD, competition_tables.update_leaderboard, (SNAPSHOTS, CYCLE_METRICS, MODELS)),
)
"""What follows from them, whatever they came from."""

_EVALUATIONS: Asset = (EVALUATIONS, evaluation_tables.update_evaluations, (PREDICTIONS, TRUTH))
"""What a contest with evaluation sets has besides."""

_ENSEMBLES: tuple[Asset, ...] = (
    (ENSEMBLE_WEIGHTS, ensemble_tables.update_weights, (PREDICTIONS, CYCLE_METRICS)),
    (ENSEMBLE_PREDICTIONS, ensemble_tables.update_predictions, (PREDICTIONS, ENSEMBLE_WEIGHTS)),
    (ENSEMBLE_SCORES, ensemble_tables.update_scores, (ENSEMBLE_PREDICTIONS, TRUTH)),
    (
        ENSEMBLE_METRICS,
        ensemble_tables.update_metrics,
        (ENSEMBLE_PREDICTIONS, TRUTH, ENSEMBLE_SCORES, PREDICTIONS, FACTORS),
    ),
    (MEMBER_METRICS, ensemble_tables.update_member_metrics, (PREDICTIONS, TRUTH, CYCLE_METRICS)),
)
"""What a contest with ensembles has besides."""

_SEE_ENSEMBLES: dict[TableSpec, tuple[TableSpec, ...]] = {
    MODELS: (ENSEMBLE_PREDICTIONS,),
    SNAPSHOTS: (ENSEMBLE_METRICS, MEMBER_METRICS),
    EVALUATIONS: (ENSEMBLE_PREDICTIONS,),
}
"""Which other tables read its tables."""

_NAMED_SOURCES = (INBOX, HUB)

_PICTURES: dict[TableSpec, Picture[Contract]] = {SNAPSHOTS: pictures.cumulative, LEADERBOARD: pictures.top_of_board}


class Competition(Board):
    """A prediction competition, from predictions and truth to a leaderboard.

    Everything about the contest is in the attributes; see each field's description. A mistake in them fails at
    load and says which names are known.
    """

    contract: Contract
    declared_as = Contract

    @classmethod
    def check(cls, contract: BoardDeclaration) -> None:
        """Refuse a source that is not known, or cannot be imported."""
        if isinstance(contract, Contract):
            _check_sources(contract)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """The assets, the job that materializes them and all that follows from them, and its schedule."""
        return competition_definitions(self.contract)


def _check_sources(contract: Contract) -> None:
    """Refuse a source that is neither the inbox nor can be imported.

    Raises
    ------
    UnknownNameError
        Naming the part that declares it, and what is known.
    """
    parts = {"predictions": contract.predictions, "truth": contract.truth, "factors": contract.factors}
    for name, part in parts.items():
        source, named = INBOX if part is None else part.source, (INBOX,) if name == "factors" else _NAMED_SOURCES
        if "." not in source and source not in named:
            near = difflib.get_close_matches(source.strip().lower(), named, n=1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise UnknownNameError(
                f"{name}.source: unknown source {source!r}{meant}; known: {', '.join(named)}, or a dotted "
                f"path such as pipeline.baselines.sp500"
            )
        if source not in named:
            resolve_dotted_path(source, f"{name}.source")


def competition_definitions(contract: Contract) -> dg.Definitions:
    """Definitions of one competition, from its contract alone."""
    assets = [
        table_asset(contract, spec, update, upstream, checks_of(contract, spec), _PICTURES.get(spec))
        for spec, update, upstream in assets_of(contract)
    ]
    if contract.predictions.source == HUB:
        return board_definitions(contract, assets, hub_sensors(contract))
    if not contract.has_inbox:
        return board_definitions(contract, assets)
    sensor = inbox_sensor(contract.name, tuple(contract.folders))
    files = files_asset(
        contract.name,
        FILES,
        lambda store, config: inbox_tables.land_inbox(store, contract, config),
        of_table(FILES),
    )
    return board_definitions(contract, [*assets, files], [sensor])


def assets_of(contract: Contract) -> tuple[Asset, ...]:
    """The tables of a competition, by where its parts come from."""
    predictions = _beginning(contract.predictions.source)
    factors = _beginning(contract.factors.source if contract.factors else contract.predictions.source)
    beginning = (
        predictions[PREDICTIONS],
        _beginning(contract.truth.source)[TRUTH],
        factors[FACTORS],
        predictions[MODELS],
        predictions[MODEL_VERSIONS],
        predictions[SUBJECTS],
    )
    submissions = (_SUBMISSIONS,) if contract.predictions.source == INBOX else ()
    evaluations = (_EVALUATIONS,) if contract.evaluations else ()
    assets = ((BOARDS, competition_tables.update_catalog, ()), *submissions, *beginning, *_COMPUTED, *evaluations)
    if not contract.active_ensembles:
        return assets
    seeing = tuple((spec, update, (*read, *_SEE_ENSEMBLES.get(spec, ()))) for spec, update, read in assets)
    return (*seeing, *_ENSEMBLES)


def checks_of(contract: Contract, spec: TableSpec) -> list[Check]:
    """What must hold of a table, and of those that are written with it."""
    held = of_table(spec)
    if spec is PREDICTIONS and contract.predictions.source == HUB:
        for beside in _BESIDE_PREDICTIONS:
            held += [replace(one, name=f"{beside.name}_{one.name}") for one in of_table(beside)]
    return held


def _beginning(source: str) -> dict[TableSpec, Asset]:
    return {INBOX: _FROM_FILES, HUB: _FROM_HUB}.get(source, _FROM_SOURCE)
