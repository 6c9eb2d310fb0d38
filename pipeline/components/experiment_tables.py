"""How each table of an experiment is brought up to date: files land, tables follow from their rows and the declaration.

Rows of files are in ``landing.*``, which tables do not name as their inputs; so the number of the last file's change is
part of what made their rows.
"""

import json
from collections.abc import Callable
from datetime import datetime

import pandas as pd

from pipeline.components.catalog import catalog_row
from pipeline.components.inbox import Landing, land_waiting
from pipeline.components.recompute import Outcome, Recompute, recompute, recompute_whole
from pipeline.experiments import (
    GROUPINGS,
    BoardError,
    Experiment,
    ScoredRuns,
    agreement_rows,
    changed_without_version,
    comparison_rows,
    configuration_rows,
    frame_of_rows,
    input_rows,
    leaderboard_rows,
    plan,
    planned_row,
    prompt_rows,
    run_board_rows,
    score_runs,
    score_table,
    scorer_rows,
    stage_code,
    stage_rows,
    with_former,
)
from pipeline.experiments.arrivals import AskedRuns
from pipeline.experiments.given import computed_scores, scores_of_files, scores_with_runs
from pipeline.experiments.scorers import Answer
from pipeline.intake.experiments import LandedRuns, declared_inputs, experiment_intakes
from pipeline.landing import Landed
from pipeline.tables import (
    BOARDS,
    EXPERIMENT_AGREEMENT,
    EXPERIMENT_COMPARISONS,
    EXPERIMENT_CONFIGURATIONS,
    EXPERIMENT_FILES,
    EXPERIMENT_INPUTS,
    EXPERIMENT_LEADERBOARD,
    EXPERIMENT_PROMPTS,
    EXPERIMENT_RUN_BOARD,
    EXPERIMENT_RUNS,
    EXPERIMENT_SCORERS,
    EXPERIMENT_SCORES,
    EXPERIMENT_STAGES,
    MACHINE,
    RUN_ROWS,
    SCORE_ROWS,
    WHOLE,
    TableSpec,
)
from pipeline.warehouse import Store, compose

_OF_BOARDS = (
    *("run_id", "configuration", "input_id", "repeat", "status", "created_at"),
    *("duration_ms", "tokens_in", "tokens_out", "cost"),
)
_WEIGHED = ("run_id", "scorer", "rater", "value", "scored_at", "is_latest")


def land_inbox(store: Store, experiment: Experiment, config: Landing) -> list[Landed]:
    """Land the files that wait in an experiment's inbox, runs first."""
    intakes = experiment_intakes(experiment, LandedRuns(store, experiment).ids)
    return land_waiting(store, experiment.name, EXPERIMENT_FILES, intakes, config)


def update_catalog(store: Store, experiment: Experiment, config: Recompute) -> Outcome:
    """Write the declaration, for readers of SQL."""
    row = catalog_row(experiment)
    code = stage_code("catalog", experiment, repr(row))
    return recompute_whole(store, BOARDS, experiment.name, code, config, lambda: pd.DataFrame([row]))


def update_prompts(store: Store, experiment: Experiment, config: Recompute) -> Outcome:
    """Write the prompts that are declared, or were, and those that runs have.

    Raises
    ------
    ValueError
        If a prompt's text changed and its version did not.
    """

    def rows() -> pd.DataFrame:
        before = _before(store, EXPERIMENT_PROMPTS, experiment)
        known = before.loc[before["is_declared"], ["prompt", "version", "sha256"]]
        changed = changed_without_version(experiment.prompts, known.itertuples(index=False, name=None))
        if changed:
            raise ValueError("; ".join(changed))
        key = ["prompt", "version"]
        asked = frame_of_rows(EXPERIMENT_PROMPTS, LandedRuns(store, experiment).asked().prompt_rows)
        now = with_former(prompt_rows(experiment), asked, key)
        return with_former(now, before, key)

    return _following_files(store, EXPERIMENT_PROMPTS, experiment, config, rows)


def update_inputs(store: Store, experiment: Experiment, config: Recompute) -> Outcome:
    """Write the inputs that are declared, or were, and those that runs have."""
    declared = input_rows(declared_inputs(experiment))

    def rows() -> pd.DataFrame:
        before = _before(store, EXPERIMENT_INPUTS, experiment)
        asked = frame_of_rows(EXPERIMENT_INPUTS, LandedRuns(store, experiment).asked().input_rows)
        now = with_former(declared, asked, ["input_id"])
        return with_former(now, before, ["input_id"])

    return _following_files(store, EXPERIMENT_INPUTS, experiment, config, rows, declared.to_csv())


def update_configurations(store: Store, experiment: Experiment, config: Recompute) -> Outcome:
    """Write the configurations that are declared, or were, and those that runs have."""
    told: dict[str, str] = {}

    def rows() -> pd.DataFrame:
        before = _before(store, EXPERIMENT_CONFIGURATIONS, experiment)
        others = LandedRuns(store, experiment).asked().configurations
        try:
            now = configuration_rows(experiment, others)
        except ValueError as error:  # what was imported has not, or not only, what is declared as the baseline
            told["podium/baseline"] = str(error)
            now = configuration_rows(experiment.model_copy(update={"baseline": None}), others)
        return with_former(now, before.assign(is_baseline=False), ["configuration"])

    code = _code(store, EXPERIMENT_CONFIGURATIONS, experiment)
    done = recompute_whole(store, EXPERIMENT_CONFIGURATIONS, experiment.name, code, config, rows)
    return Outcome(done.changes, done.why, told)


def update_runs(store: Store, experiment: Experiment, config: Recompute) -> Outcome:
    """Write what became of every run: by the rows of files that count, and as pending what nobody ran yet."""

    def rows() -> pd.DataFrame:
        runs = LandedRuns(store, experiment)
        numbered = runs.numbered()
        landed = _landed_runs(store, experiment, numbered, runs.asked())
        done = frozenset(zip(numbered["config_hash"], numbered["repeat"], strict=True))
        planned = map(planned_row, plan(experiment, declared_inputs(experiment), done))
        return pd.concat([landed, frame_of_rows(EXPERIMENT_RUNS, list(planned))], ignore_index=True)

    code = _code(store, EXPERIMENT_RUNS, experiment)
    return recompute_whole(store, EXPERIMENT_RUNS, experiment.name, code, config, rows)


def update_stages(store: Store, experiment: Experiment, config: Recompute) -> Outcome:
    """Write the stages of runs."""

    def rows() -> pd.DataFrame:
        told = _rows_with(store, experiment, "stages")
        texts = zip(told["run_id"], told["stages"], strict=True)
        found = [row for run, text in texts for row in stage_rows(run, json.loads(text))]
        return frame_of_rows(EXPERIMENT_STAGES, found)

    code = _code(store, EXPERIMENT_STAGES, experiment)
    return recompute_whole(store, EXPERIMENT_STAGES, experiment.name, code, config, rows)


def update_scores(store: Store, experiment: Experiment, config: Recompute) -> Outcome:
    """Write the scores that were given, and those that need nobody, which are computed where they are not there yet."""

    def rows() -> pd.DataFrame:
        given = store.read(SCORE_ROWS, experiment.name)
        return score_table(
            _computed(store, experiment, given["identity"].dropna()),
            scores_with_runs(_rows_with(store, experiment, "scores", only_counting=False)),
            scores_of_files(given),
        )

    seqs = [_seq(store, spec, experiment) for spec in (SCORE_ROWS, EXPERIMENT_INPUTS)]
    code = _code(store, EXPERIMENT_SCORES, experiment, *map(str, seqs))
    return recompute_whole(store, EXPERIMENT_SCORES, experiment.name, code, config, rows)


def update_run_board(store: Store, experiment: Experiment, config: Recompute) -> Outcome:
    """Rank the runs."""
    return _board(store, EXPERIMENT_RUN_BOARD, experiment, config, run_board_rows)


def update_leaderboard(store: Store, experiment: Experiment, config: Recompute) -> Outcome:
    """Rank configurations, models and prompts."""

    def rows(scored: ScoredRuns) -> pd.DataFrame:
        inputs = store.read(EXPERIMENT_INPUTS, experiment.name, columns=["input_id", "is_declared"])
        ids = inputs.loc[inputs["is_declared"], "input_id"].tolist()
        boards = [leaderboard_rows(scored, grouping, ids) for grouping in GROUPINGS]
        return pd.concat(boards, ignore_index=True)

    return _board(store, EXPERIMENT_LEADERBOARD, experiment, config, rows)


def update_scorer_summary(store: Store, experiment: Experiment, config: Recompute) -> Outcome:
    """Say what each scorer says of each contestant."""

    def rows(scored: ScoredRuns) -> pd.DataFrame:
        return pd.concat([scorer_rows(scored, grouping) for grouping in GROUPINGS], ignore_index=True)

    return _board(store, EXPERIMENT_SCORERS, experiment, config, rows)


def update_comparisons(store: Store, experiment: Experiment, config: Recompute) -> Outcome:
    """Compare configurations with the baseline."""
    told: dict[str, str] = {}

    def rows(scored: ScoredRuns) -> pd.DataFrame:
        try:
            return comparison_rows(scored)
        except BoardError as error:
            told["podium/baseline"] = str(error)
            return frame_of_rows(EXPERIMENT_COMPARISONS, [])

    done = _board(store, EXPERIMENT_COMPARISONS, experiment, config, rows)
    return Outcome(done.changes, done.why, told)


def update_agreement(store: Store, experiment: Experiment, config: Recompute) -> Outcome:
    """Say how far people agree."""

    def rows() -> pd.DataFrame:
        scores = store.read(EXPERIMENT_SCORES, experiment.name, columns=_WEIGHED)
        return agreement_rows(scores[scores["rater"] != MACHINE])

    code = stage_code(EXPERIMENT_AGREEMENT.name, experiment)
    return recompute_whole(store, EXPERIMENT_AGREEMENT, experiment.name, code, config, rows)


def _following_files(
    store: Store,
    spec: TableSpec,
    experiment: Experiment,
    config: Recompute,
    rows: Callable[[], pd.DataFrame],
    *also: str,
) -> Outcome:
    """A table without inputs, that follows from the declaration and the rows of files."""
    code = stage_code(spec.name, experiment, *also)
    by_hand = Recompute(force=config.force)
    newest = {WHOLE: _seq(store, RUN_ROWS, experiment)}
    return recompute(store, spec, experiment.name, code, by_hand, lambda _: rows(), cycles=newest)


def _board(
    store: Store,
    spec: TableSpec,
    experiment: Experiment,
    config: Recompute,
    rows_of: Callable[[ScoredRuns], pd.DataFrame],
) -> Outcome:
    """A table that is made of runs and their scores."""

    def rows() -> pd.DataFrame:
        runs = store.read(EXPERIMENT_RUNS, experiment.name, columns=_OF_BOARDS)
        scores = store.read(EXPERIMENT_SCORES, experiment.name, columns=_WEIGHED)
        configurations = store.read(EXPERIMENT_CONFIGURATIONS, experiment.name)
        return rows_of(ScoredRuns.of(experiment, runs, scores[scores["is_latest"]], configurations))

    seqs = [_seq(store, one, experiment) for one in (EXPERIMENT_CONFIGURATIONS, EXPERIMENT_INPUTS)]
    code = stage_code(spec.name, experiment, *map(str, seqs))
    return recompute_whole(store, spec, experiment.name, code, config, rows)


def _code(store: Store, spec: TableSpec, experiment: Experiment, *also: str) -> str:
    """What makes the rows of a table that follows from the rows of files of runs."""
    return stage_code(spec.name, experiment, str(_seq(store, RUN_ROWS, experiment)), *also)


def _seq(store: Store, spec: TableSpec, experiment: Experiment) -> int:
    """The number of a table's last change; 0 before the first."""
    return store.seqs(spec, experiment.name).get(WHOLE, 0)


def _before(store: Store, spec: TableSpec, experiment: Experiment) -> pd.DataFrame:
    """The rows that a table has now, without the experiment's name."""
    return store.read(spec, experiment.name).drop(columns=spec.board)


def _landed_runs(store: Store, experiment: Experiment, numbered: pd.DataFrame, asked: AskedRuns) -> pd.DataFrame:
    """Rows of ``experiments.runs`` out of the rows of files that count."""
    rows = store.read(RUN_ROWS, experiment.name)
    rows = rows.drop(columns=["repeat", "config_hash", "input_id"]).merge(
        numbered[numbered["counts"]], on=["file_number", "row_number"], validate="one_to_one"
    )
    created = rows["created_at"].fillna(rows["started_at"]).fillna(rows["completed_at"]).fillna(rows["received_at"])
    whole = rows.assign(created_at=created, repeat=rows["repeat"].astype("int32")).join(
        asked.by_config, on="config_hash"
    )
    return whole[[name for name in EXPERIMENT_RUNS.column_names if name != EXPERIMENT_RUNS.board]]


def _rows_with(store: Store, experiment: Experiment, column: str, *, only_counting: bool = True) -> pd.DataFrame:
    """Rows of files that have something in a column, with the runs that they speak of, in the order of arrival."""
    statement = compose(
        "SELECT file_number, row_number, received_at, created_at, started_at, completed_at, {column}"
        " FROM {rows} WHERE {board} = ? AND {column} IS NOT NULL ORDER BY file_number, row_number",
        column=[column],
        rows=RUN_ROWS,
        board=RUN_ROWS.board,
    )
    told = store.query(statement, [experiment.name])
    if told.empty:
        return told.assign(run_id=pd.Series(dtype="str"))
    numbered = LandedRuns(store, experiment).numbered()
    of_rows = numbered[numbered["counts"]] if only_counting else numbered
    return told.merge(of_rows[["file_number", "row_number", "run_id"]], on=["file_number", "row_number"])


def _computed(store: Store, experiment: Experiment, given: "pd.Series[str]") -> pd.DataFrame:
    """Scores by scorers that need nobody."""
    stored = _before(store, EXPERIMENT_SCORES, experiment)
    stored = stored[stored["scorer"].isin(experiment.computed) & (stored["rater"] == MACHINE)]
    if not experiment.computed:
        return stored.iloc[:0]
    known = stored.dropna(subset=["identity"])[["run_id", "scorer", "identity"]]
    answered = stored_answers(store, experiment)
    scored = score_runs(
        experiment,
        ((run, answer) for run, (answer, _) in answered.items()),
        set(known.itertuples(index=False, name=None)),
        names=experiment.computed,
    )
    return computed_scores(scored, stored, {run: ended_at for run, (_, ended_at) in answered.items()}, given)


def stored_answers(store: Store, experiment: Experiment) -> dict[str, tuple[Answer, datetime]]:
    """Completed runs as what scorers see of them, and when each of them ended."""
    statement = compose(
        "SELECT run_id, output, config -> 'input_data' AS input_data, reference,"
        " coalesce(completed_at, created_at) AS ended_at"
        " FROM {runs} LEFT JOIN {inputs} USING (experiment, input_id)"
        " WHERE experiment = ? AND status = 'completed' ORDER BY run_id",
        runs=EXPERIMENT_RUNS,
        inputs=EXPERIMENT_INPUTS,
    )
    found = store.connection.execute(statement, [experiment.name]).fetchall()
    return {
        run: (Answer.of(output, _loaded(reference), _loaded(input_data)), ended_at)
        for run, output, input_data, reference, ended_at in found
    }


def _loaded(text: str | None) -> object:
    return None if text is None else json.loads(text)
