"""A published competition, as it was known at any moment, or judged track as a board of runs, topics and measures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb

from pipeline.reports.queries.boards import newest
from pipeline.reports.queries.catalog import UnknownBoardError
from pipeline.reports.queries.tracks import track_board
from pipeline.tables import (
    ALL_TOPICS_ID,
    CYCLE_METRICS,
    ENSEMBLE_METRICS,
    MEASURE_SPECS,
    MEASURES,
    MEMBER_METRICS,
    OFFICIAL,
    OVERALL,
    TableSpec,
)
from pipeline.warehouse import Store, compose

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.competition import Contract
    from pipeline.leaderboard import Leaderboard

_KNOWN = """
    SELECT * FROM {table} WHERE competition = ? AND known_at <= ? AND (category = ? OR starts_with(category, ?))
"""
_N_SCORED = """
    SELECT model_id, max(n_scored) FROM competition.snapshots
    WHERE competition = ? AND category = ? AND as_of = ? AND window_name = ? GROUP BY model_id
"""


@dataclass(frozen=True)
class Exported:
    """A competition, or one board of a judged track.

    Parameters
    ----------
    board : Leaderboard
    as_of : datetime or None
        The moment that it speaks for, UTC: that of the newest board by then. None of a track, which has only one.
    notes : tuple of str
        What a reader of its numbers should know.
    """

    board: "Leaderboard"
    as_of: datetime | None
    notes: tuple[str, ...]


def exported(
    connection: duckdb.DuckDBPyConnection,
    contract: "Contract",
    as_of: datetime | None = None,
    *,
    category: str = OVERALL,
    topics: str = "cycle",
    window: str | None = None,
    include_ensembles: bool = False,
) -> Exported:
    """A published competition as a board of runs, topics and measures.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    contract : Contract
        The declaration that its boards were made by.
    as_of : datetime or None
        UTC; None for the newest board.
    category : str
        ``overall``, or a part of the contest such as ``horizon=2``.
    topics : str
        What topics are: ``cycle``, ``horizon`` or ``subject``.
    window : str or None
        The cycles of one of the contest's windows; all cycles without it.
    include_ensembles : bool
        Whether virtual models are runs too.

    Raises
    ------
    UnknownBoardError
        If there is no such part or window, or no board that early.
    ValueError
        If topics are nothing that the contest is divided by, or a part is asked for and parts are to be the topics.
    """
    from pipeline.competition.categories import By
    from pipeline.competition.topics import ALL_CYCLES, NoTopicsError, topic_board

    if window is not None and window not in contract.windows:
        raise UnknownBoardError(
            f"board {contract.name!r} has no window {window!r}; known: {', '.join(contract.windows)}"
        )
    if topics != "cycle" and topics not in tuple(By):
        raise ValueError(f"topics {topics!r} are unknown; known: cycle, {', '.join(By)}")
    newest(connection, contract.name, category, None)  # an error that lists the categories there are
    moment = newest(connection, contract.name, OVERALL, as_of)
    try:
        found = topic_board(
            _metrics(connection, contract, moment, category, topics),
            moment,
            contract,
            category=category,
            topics=None if topics == "cycle" else By(topics),
            window=ALL_CYCLES if window is None else contract.windows[window],
            include_ensembles=include_ensembles,
        )
    except NoTopicsError as error:
        raise UnknownBoardError(f"board {error}") from None
    named = window or next((name for name, one in contract.windows.items() if one == ALL_CYCLES), None)
    counted = dict(connection.execute(_N_SCORED, [contract.name, category, moment, named]).fetchall())
    return Exported(found.board, moment, tuple(_notes(contract, found.n_imputed, found.n_scored, counted)))


def exported_track(connection: duckdb.DuckDBPyConnection, name: str, judge: str = OFFICIAL) -> Exported:
    """One board of a published track, with the aggregates that the track has; the measure ranked by is the first.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    name : str
        Name of the track.
    judge : str
        ``official``, or the name of a judge.

    Raises
    ------
    UnknownBoardError
        If there is no such track, or it has no board of that name.
    """
    from pipeline.judging import specs_of
    from pipeline.leaderboard import LeaderboardBuilder, LeaderboardSpec

    store = Store(connection)
    ranked_by = track_board(connection, name, judge).measure
    specs = store.read(MEASURE_SPECS, name)
    values = store.read(MEASURES, name, columns=["judge", "run_id", "topic_id", "measure", "value"])
    values = values[values["judge"] == judge]
    wide = values.pivot(index=["run_id", "topic_id"], columns="measure", values="value")
    wide = wide.dropna(how="all").reset_index().sort_values(["run_id", "topic_id"], key=_aggregates_last, kind="stable")
    measures = sorted(specs_of(specs[specs["judge"] == judge]), key=lambda one: one.name != ranked_by)
    spec = LeaderboardSpec(tuple(measures), ALL_TOPICS_ID)
    builder = LeaderboardBuilder(spec)
    builder.expect_runs(values["run_id"].unique().tolist())
    builder.add_columns(
        run_ids=wide["run_id"].tolist(),
        topic_ids=wide["topic_id"].tolist(),
        values={one: wide[one].to_numpy() for one in spec.names},
    )
    topics = [topic for topic in values["topic_id"].unique().tolist() if topic != ALL_TOPICS_ID]
    return Exported(builder.build(topics, "fix_aggregate", drop_aggregate=False), None, ())


def _aggregates_last(ids: "pd.Series[str]") -> "pd.Series[str]":
    """Ids to sort by: ``all`` after every topic."""
    return ids.where(ids != ALL_TOPICS_ID, "\U0010ffff")


def _notes(
    contract: "Contract", n_imputed: int, n_scored: Mapping[str, int], counted: Mapping[str, int]
) -> Iterator[str]:
    if n_imputed:
        yield (
            f"{n_imputed:,} values stand in for cycles that models left out (missing: {contract.missing.policy}), as "
            f"on the board"
        )
    withheld = sum(max(0, counted.get(model, 0) - n) for model, n in n_scored.items())
    if withheld:
        yield (
            f"the board counts {withheld:,} scored predictions of cycles that are under embargo; these cycles are not "
            f"in it, so its values are other ones until they are published"
        )


def _metrics(
    connection: duckdb.DuckDBPyConnection, contract: "Contract", as_of: datetime, category: str, topics: str
) -> "pd.DataFrame":
    """The cycles' metrics of a category and its topics as known by then: of models, ensembles, members beside them."""
    import pandas as pd

    from pipeline.competition.stages import member_metrics, rows_as_listed

    def known(spec: TableSpec) -> pd.DataFrame:
        given = [contract.name, as_of, category, f"{topics}="]
        return Store(connection).query(compose(_KNOWN, table=spec), given)

    frames = [known(spec) for spec in (CYCLE_METRICS, ENSEMBLE_METRICS)]
    beside = known(MEMBER_METRICS)
    frames += [rows_as_listed(beside, metric.name, contract) for metric in member_metrics(contract)]
    return pd.concat([frames[0], *(one for one in frames[1:] if len(one))], ignore_index=True)
