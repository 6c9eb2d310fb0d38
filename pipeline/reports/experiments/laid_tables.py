"""The tables of one experiment with what waits of it: what is laid over each, made when it is first asked for."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from pipeline.reports.experiments.laying import Laid
from pipeline.reports.experiments.published_rows import published_rows
from pipeline.reports.experiments.raters import Raters
from pipeline.reports.experiments.waiting import Waiting
from pipeline.reports.experiments.waiting_boards import waiting_grouped, waiting_run_board
from pipeline.reports.experiments.waiting_rows import (
    waiting_configurations,
    waiting_inputs,
    waiting_prompts,
    waiting_runs,
    waiting_stages,
)
from pipeline.reports.experiments.waiting_scores import Scored, waiting_scores
from pipeline.reports.queries.experiment_tables import ExperimentTables
from pipeline.tables import (
    EXPERIMENT_CONFIGURATIONS,
    EXPERIMENT_INPUTS,
    EXPERIMENT_PROMPTS,
    EXPERIMENT_RUN_BOARD,
    EXPERIMENT_RUNS,
    EXPERIMENT_SCORES,
    EXPERIMENT_STAGES,
    TableSpec,
)

MOST_GROUPED = 20_000
"""Runs of an experiment whose boards of configurations, models and prompts are made anew for a reader, at most."""


@dataclass(eq=False)
class LaidTables:
    """What is laid over the tables of an experiment.

    Parameters
    ----------
    waiting : Waiting
    raters : Raters
    scored : Scored
    """

    waiting: Waiting
    raters: Raters
    scored: Scored
    _made: dict[str, Laid | None] = field(default_factory=dict)
    _guard: threading.RLock = field(default_factory=threading.RLock)

    def laid(self, table: str, tables: ExperimentTables) -> Laid | None:
        """What is laid over a table; None where it is as it is published."""
        with self._guard:
            if table not in self._made:
                self._made[table] = self._make(table, tables)
            return self._made[table]

    def is_grouped(self, tables: ExperimentTables) -> bool:
        """Whether boards of configurations, models and prompts are made anew."""
        waiting = self.waiting
        (n,) = tables.rows("SELECT count(*) FROM {runs} WHERE experiment = $name", name=waiting.declared.name)[0]
        return int(n) + len(waiting.runs) + len(waiting.planned) <= MOST_GROUPED

    def _make(self, table: str, tables: ExperimentTables) -> Laid | None:
        waiting = self.waiting

        def overlaid(spec: TableSpec, ids: Sequence[str] | None) -> pd.DataFrame:
            return self._overlaid(tables, spec, ids)

        def published_board() -> pd.DataFrame:
            return published_rows(tables, EXPERIMENT_RUN_BOARD, waiting.declared.name)

        makers: Mapping[str, Callable[[], Laid]] = {
            EXPERIMENT_PROMPTS.name: lambda: waiting_prompts(waiting, tables),
            EXPERIMENT_INPUTS.name: lambda: waiting_inputs(waiting, tables),
            EXPERIMENT_CONFIGURATIONS.name: lambda: waiting_configurations(waiting, tables),
            EXPERIMENT_RUNS.name: lambda: waiting_runs(waiting),
            EXPERIMENT_STAGES.name: lambda: waiting_stages(waiting),
            EXPERIMENT_SCORES.name: lambda: waiting_scores(waiting, tables, self.raters, self.scored),
            EXPERIMENT_RUN_BOARD.name: lambda: waiting_run_board(waiting, overlaid, published_board),
        }
        if table in makers:
            return makers[table]()
        return waiting_grouped(table, waiting, overlaid) if self.is_grouped(tables) else None

    def _overlaid(self, tables: ExperimentTables, spec: TableSpec, ids: Sequence[str] | None) -> pd.DataFrame:
        """Rows of a table with what is laid over it; of some runs only, if they are named."""
        before = published_rows(tables, spec, self.waiting.declared.name, "run_id", ids)
        laid = self.laid(spec.name, tables)
        if laid is None:
            return before
        return laid.over(before, None if ids is None else laid.rows[laid.rows["run_id"].isin(ids)])
