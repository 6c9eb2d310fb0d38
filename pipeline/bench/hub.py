"""How fast a forecast hub's season is scored, and its boards made, beside a bare query of the same score in DuckDB."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from pipeline.bench.apart import apart
from pipeline.bench.season import NATIONAL, Season, SeasonFiles, write_season
from pipeline.competition import Contract
from pipeline.competition.evaluations import EvaluationSpec
from pipeline.competition.labels import times
from pipeline.competition.stages import score_tasks
from pipeline.components.evaluation_tables import evaluations_of
from pipeline.components.readings import predictions_of, truth_of
from pipeline.tables import ALL_TABLES, PREDICTIONS
from pipeline.warehouse import Store, compose, connect_in_memory
from pipeline.warehouse.ddl import create_tables
from pipeline.warehouse.identifiers import Sql, literal

BOARD = "bench"
BREAKDOWNS = ("subject", "cycle", "horizon", "target_time")

Tell = Callable[[str], None]

_PREDICTIONS = """
    CREATE {kind} competition.predictions AS
    SELECT {board} AS competition, model_id, reference_date::TIMESTAMP AS cycle, horizon::INTEGER AS horizon,
        location AS subject, 'quantile' AS output_type, levels.name AS output_type_id,
        target_end_date::TIMESTAMP AS target_time, value, reference_date::TIMESTAMP AS deadline,
        reference_date::TIMESTAMP AS received_at, false AS is_late, false AS is_imputed
    FROM read_parquet({file}) JOIN levels USING (quantile_level)
"""
_LEVELS = """
    CREATE TABLE levels AS
    SELECT quantile_level, quantile_level::VARCHAR AS name
    FROM (SELECT DISTINCT quantile_level FROM read_parquet({file}))
"""
_TRUTH = """
    INSERT INTO competition.truth
    SELECT {board}, location, target_end_date::TIMESTAMP, -1, target_end_date::TIMESTAMP, oracle_value
    FROM read_parquet({file}) WHERE oracle_value IS NOT NULL
"""
_BARE = """
    CREATE OR REPLACE TEMP TABLE scored AS
    SELECT p.model_id, p.cycle, p.horizon, p.subject,
        avg(2 * greatest(level * (t.value - p.value), (level - 1) * (t.value - p.value))) AS wis
    FROM forecasts AS p JOIN competition.truth AS t ON t.subject = p.subject AND t.target_time = p.target_time
    GROUP BY ALL
"""


@dataclass(frozen=True)
class HubSpeed:
    """What ``podium bench hub`` measures; times are medians of passes in one run.

    Parameters
    ----------
    rows, forecasts, models : int
        Of the season; a forecast is one row for each quantile level.
    rows_per_second : float
        From rows in memory to every measure of every forecast.
    ratio_to_bare : float
        Time of that beside a bare query of the WIS of every forecast in DuckDB, over the same rows in its memory.
    ratios_to_bare : tuple of float
        Of every pass: how noisy the machine was.
    cpu_ratio_to_bare : float
        The same in processor time of all threads, which other work on the machine hardly changes.
    largest_difference : float
        Of the mean WIS of the models, relative, between both.
    seconds : float
        From Parquet to the boards of both evaluation sets, overall and by every breakdown.
    cpu_seconds : float
        The same in processor time of all threads.
    seconds_of_process : float
        As ``seconds``, with the start of Python and all imports.
    numbers : int
        Numbers that these boards show.
    peak_mb : float
        Peak memory of the process that made them.
    """

    rows: int
    forecasts: int
    models: int
    rows_per_second: float
    ratio_to_bare: float
    ratios_to_bare: tuple[float, ...]
    cpu_ratio_to_bare: float
    largest_difference: float
    seconds: float
    cpu_seconds: float
    seconds_of_process: float
    numbers: int
    peak_mb: float


@dataclass(frozen=True)
class Took:
    """Seconds by the clock, and of the processor in all threads."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Pass:
    """One pass over rows in memory, by Podium and by the bare query."""

    podium: Took
    bare: Took


@dataclass(frozen=True)
class Made:
    """One way from Parquet to the boards: how long it took, alone and with the start of its process, and what of."""

    took: Took
    of_process: float
    numbers: int
    peak_mb: float


@dataclass(frozen=True)
class InMemory:
    """The passes over a season, its size, and how far both are apart."""

    passes: tuple[Pass, ...]
    rows: int
    forecasts: int
    models: int
    largest_difference: float


def measure_hub(given: SeasonFiles | None, season: Season, repeats: int, tell: Tell) -> HubSpeed:
    """Measure, each step in a process of its own.

    Parameters
    ----------
    given : SeasonFiles or None
        The season; one is made up without it.
    season : Season
        Size of the one that is made up.
    repeats : int
        Passes.
    tell : function
        Is told what begins.
    """
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as folder:
        files = given or _written(Path(folder), season, tell)
        tell(f"scoring it in memory, {repeats + 1} times")
        scored, _ = apart(score_in_memory, files, repeats)
        tell(f"from Parquet to the boards, {repeats} times")
        made = [_timed(files) for _ in range(repeats)]
    ratios = tuple(one.podium.wall / one.bare.wall for one in scored.passes)
    return HubSpeed(
        rows=scored.rows,
        forecasts=scored.forecasts,
        models=scored.models,
        rows_per_second=scored.rows / statistics.median(one.podium.wall for one in scored.passes),
        ratio_to_bare=statistics.median(ratios),
        ratios_to_bare=ratios,
        cpu_ratio_to_bare=statistics.median(one.podium.cpu / one.bare.cpu for one in scored.passes),
        largest_difference=scored.largest_difference,
        seconds=statistics.median(one.took.wall for one in made),
        cpu_seconds=statistics.median(one.took.cpu for one in made),
        seconds_of_process=statistics.median(one.of_process for one in made),
        numbers=made[0].numbers,
        peak_mb=max(one.peak_mb for one in made),
    )


def _written(folder: Path, season: Season, tell: Tell) -> SeasonFiles:
    tell("writing a season")
    return apart(write_season, folder, season)[0]


def _timed(files: SeasonFiles) -> Made:
    began = time.perf_counter()
    (took, numbers), peak = apart(make_boards, files)
    return Made(took, time.perf_counter() - began, numbers, peak)


def make_boards(files: SeasonFiles) -> tuple[Took, int]:
    """How long it takes from Parquet to the boards, and how many numbers they show."""
    numbers = 0

    def boards() -> None:
        nonlocal numbers
        with season_store(files, "VIEW") as store:
            numbers = int(evaluations_of(store, contract_of(store))["value"].notna().sum())

    return _took(boards), numbers


def score_in_memory(files: SeasonFiles, repeats: int) -> InMemory:
    """Score the rows of a season in memory, in turn by Podium and by the bare query; the first pass is not counted."""
    with season_store(files, "TABLE") as store:
        contract = contract_of(store)
        cycles = times(store.query("SELECT DISTINCT cycle FROM competition.predictions")["cycle"])
        rows = predictions_of(store, contract, cycles, PREDICTIONS)
        truth = truth_of(store, contract, rows)
        store.connection.execute(
            "CREATE TEMP TABLE forecasts AS SELECT model_id, cycle, horizon, subject, target_time,"
            " output_type_id::DOUBLE AS level, value FROM competition.predictions"
        )
        passes = [
            Pass(
                _took(lambda: score_tasks(rows, truth, contract)),
                _took(lambda: store.connection.execute(_BARE)),
            )
            for _ in range(repeats + 1)
        ]
        tasks = score_tasks(rows, truth, contract)
        means = pd.DataFrame(tasks.measures["wis"], columns=tasks.models).mean()
        bare = store.query("SELECT model_id, avg(wis) AS wis FROM scored GROUP BY model_id").set_index("model_id")[
            "wis"
        ]
    apart_by = ((means - bare) / bare).abs().max()
    return InMemory(tuple(passes[1:]), len(rows), int(tasks.submitted.sum()), len(tasks.models), float(apart_by))


def _took(run: Callable[[], object]) -> Took:
    began, began_cpu = time.perf_counter(), time.process_time()
    run()
    return Took(time.perf_counter() - began, time.process_time() - began_cpu)


@contextmanager
def season_store(files: SeasonFiles, kind: str) -> Iterator[Store]:
    """A warehouse in memory with a season: its predictions a VIEW of the file, or a TABLE.

    Raises
    ------
    ValueError
        If a file lacks columns.
    """
    with connect_in_memory() as connection:
        create_tables(connection, ALL_TABLES)
        connection.execute("DROP TABLE competition.predictions")
        try:
            connection.execute(_of_file(_LEVELS, files.forecasts))
            connection.execute(_of_file(_PREDICTIONS, files.forecasts, kind=Sql(kind)))
            connection.execute(_of_file(_TRUTH, files.outcomes))
        except duckdb.BinderException as error:
            raise ValueError(f"{files.forecasts} or {files.outcomes} is no season: {error}") from error
        yield Store(connection)


def _of_file(statement: str, file: Path, **parts: Sql) -> Sql:
    return compose(statement, board=literal(BOARD), file=literal(str(file)), **parts)


def contract_of(store: Store) -> Contract:
    """The season as a contest, with evaluation sets of the national level and of the others, by every breakdown.

    The baseline is the model with the most forecasts.
    """
    said = store.query(
        "SELECT (SELECT list(quantile_level ORDER BY 1) FROM levels) AS levels, list(DISTINCT subject) AS subjects,"
        " list(DISTINCT horizon) AS horizons, mode(model_id) AS baseline FROM competition.predictions"
    ).iloc[0]
    subjects = set(said["subjects"])
    sets = {"national": sorted(subjects & {NATIONAL}), "others": sorted(subjects - {NATIONAL})}
    horizons = sorted(one for one in said["horizons"].tolist() if one >= 0)
    return Contract.model_validate(
        {
            "name": BOARD,
            "title": "A season, to measure speed",
            "predictions": {
                "source": "inbox",
                "trusted": True,
                "output_type": "quantile",
                "output_type_ids": said["levels"].tolist(),
            },
            "truth": {"source": "inbox"},
            "scoring": {"rule": "wis", "primary": "wis"},
            "metrics": ["wis"],
            "min_subjects": 1,
            "windows": {"all": {}},
            "leaderboard": {"rank_by": "all.wis"},
            "evaluations": [_set(name, chosen, horizons, said["baseline"]) for name, chosen in sets.items() if chosen],
        }
    )


def _set(name: str, subjects: list[str], horizons: list[int], baseline: str) -> EvaluationSpec:
    return EvaluationSpec(
        name=name,
        metrics=("wis", "ae_median", "interval_coverage_50", "interval_coverage_95"),
        relative_metrics=("wis", "ae_median"),
        baseline=baseline,
        by=BREAKDOWNS,
        subjects=tuple(subjects),
        horizons=tuple(horizons),
    )
