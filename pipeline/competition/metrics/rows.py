"""The row form of metrics: lists of rows instead of arrays, both ways.

A panel is built from rows, so that a built-in metric gives the same numbers from either; and rows are taken from a
panel, so that an operator's own function over rows takes part in a contest.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from pipeline.competition.metrics.context import MetricsContext, Row, Rows
from pipeline.competition.metrics.metric import SectionMetric
from pipeline.competition.panel import Axes, Panel
from pipeline.competition.peers import Peers, are_virtual, is_virtual
from pipeline.competition.previous import Before
from pipeline.competition.reasons import error_code, reason_code

RowFunction = Callable[[list[dict[str, Any]], list[dict[str, Any]], MetricsContext], float | None]

_KEY = ["model_id", "cycle", "horizon", "subject"]


@dataclass(frozen=True)
class RowForm:
    """A function over rows as one over panels: called for each model and cross-section that it took part in.

    There the context's window is the cycle; a window of the board is the mean over its cycles, as of any metric.

    Parameters
    ----------
    function : function
        ``fn(predictions, scores, context)``, giving a number, or None or NaN where undefined. Predictions are rows of
        model_id, cycle, horizon, subject and value; scores those with an outcome, and its score as value.
    """

    function: RowFunction

    @property
    def __wrapped__(self) -> RowFunction:
        """The function, whose documentation is that of the metric."""
        return self.function

    def __call__(self, panel: Panel) -> SectionMetric:
        """The function's values; one that fails says why, and the others stay."""
        value = np.full(panel.shape[:2], np.nan)
        reason = np.full(panel.shape[:2], reason_code("no_predictions"), dtype=np.int32)
        for section in range(panel.shape[0]):
            for model, arguments in _calls(panel, section):
                value[section, model], reason[section, model] = self.over(*arguments)
        return SectionMetric(value, panel.n_pairs, reason)

    def over(self, predictions: Rows, scores: Rows, context: MetricsContext) -> tuple[float, int]:
        """The function's value of some rows, NaN where undefined, and the code of the reason."""
        try:
            given = self.function([dict(row) for row in predictions], [dict(row) for row in scores], context)
            value = np.nan if given is None else float(given)
            if np.isinf(value):
                raise ValueError("the value is infinite")
        except MemoryError:
            raise
        except Exception as error:
            return np.nan, error_code(error)
        return value, reason_code("undefined") if np.isnan(value) else 0


def _calls(panel: Panel, section: int) -> Iterator[tuple[int, tuple[Rows, Rows, MetricsContext]]]:
    """What a function over rows is given for each model that took part in a section."""
    cycle = pd.Timestamp(panel.cycles[section]).to_pydatetime()
    where = {"cycle": cycle, "horizon": int(panel.horizons[section])}
    everybody: dict[str, list[Row]] = {}
    for model in np.flatnonzero(panel.submitted[section].any(axis=1)):
        name = str(panel.models[model])
        subjects = np.flatnonzero(panel.submitted[section, model])
        signals = panel.signals[section, model, subjects].tolist()
        everybody[name] = [
            {"model_id": name, **where, "subject": subject, "value": value}
            for subject, value in zip(panel.subjects[subjects].tolist(), signals, strict=True)
        ]
    for model in np.flatnonzero(panel.submitted[section].any(axis=1)):
        name = str(panel.models[model])
        context = MetricsContext(
            model_id=name,
            window_start=cycle,
            window_end=cycle,
            all_model_predictions=everybody,
            min_subjects=panel.min_subjects,
            center=panel.center,
            horizon_cycles=panel.horizon_cycles,
        )
        yield int(model), (everybody[name], _scores(panel, section, int(model), where), context)


def _scores(panel: Panel, section: int, model: int, where: Mapping[str, Any]) -> list[Row]:
    """Rows of one model's predictions whose outcomes are known."""
    subjects = np.flatnonzero(panel.paired[section, model])
    columns = (
        panel.subjects[subjects].tolist(),
        panel.signals[section, model, subjects].tolist(),
        panel.outcomes[section, subjects].tolist(),
        panel.scores[section, model, subjects].tolist(),
    )
    return [
        {
            "model_id": str(panel.models[model]),
            **where,
            "subject": subject,
            "prediction": prediction,
            "outcome": outcome,
            "value": None if np.isnan(score) else score,
        }
        for subject, prediction, outcome, score in zip(*columns, strict=True)
    ]


def panel_of_rows(predictions: Rows, scores: Rows, context: MetricsContext) -> Panel | None:
    """A panel of a model and the real models it is compared with, from rows.

    Rows are matched by cycle, horizon (1 by default) and subject where all of them carry cycle and subject. Otherwise
    each list is one cross-section at the end of the window, its rows in the order of subjects. Cycles before the window
    serve as previous ones only.

    Parameters
    ----------
    predictions : rows
        Of the context's model, with ``value``.
    scores : rows
        Of the same model, with ``outcome`` and, for metrics of scores, ``value``.
    context : MetricsContext

    Returns
    -------
    Panel or None
        None when the model predicted nothing in the window.

    Raises
    ------
    ValueError
        If a row lacks what it must have.
    """
    others = {name: rows for name, rows in context.all_model_predictions.items() if _is_peer(name, context)}
    models = {**others, context.model_id: predictions}
    is_keyed = all("cycle" in row and "subject" in row for rows in (*models.values(), scores) for row in rows)
    frames = [_frame(rows, name, context, is_keyed, ["value"]) for name, rows in models.items()]
    outcomes = _frame(scores, context.model_id, context, is_keyed, ["outcome", "value"])
    rows = pd.concat(frames, ignore_index=True).dropna(subset=["value"])
    in_window = (rows["cycle"] >= utc(context.window_start)) & (rows["cycle"] <= utc(context.window_end))
    counted = rows[in_window]
    if context.model_id not in set(counted["model_id"]):
        return None
    before = Before.of(counted, rows[rows["cycle"] < utc(context.window_start)])
    outcomes = outcomes.merge(counted[["cycle", "horizon"]].drop_duplicates(), on=["cycle", "horizon"])
    axes = Axes.of(counted, before.rows, outcomes)
    return _panel(axes, counted, before, outcomes, context)


def _panel(axes: Axes, counted: pd.DataFrame, before: Before, outcomes: pd.DataFrame, context: MetricsContext) -> Panel:
    """The panel on given axes, its peers the real models."""
    signals = axes.cube(counted, "value")
    panel = Panel(
        cycles=axes.sections.get_level_values("cycle").to_numpy(),
        horizons=axes.sections.get_level_values("horizon").to_numpy(dtype=np.int64),
        models=axes.models.to_numpy(),
        subjects=axes.subjects.to_numpy(),
        signals=signals,
        outcomes=axes.matrix(outcomes, "outcome"),
        scores=np.where(np.isnan(signals), np.nan, axes.cube(outcomes, "value")),
        min_subjects=context.min_subjects,
        center=context.center,
        horizon_cycles=context.horizon_cycles,
        factors=axes.factors(_factors(context)),
        previous=before.signals(axes, signals),
    )
    peers = Peers.of(panel.unit_ranks, np.broadcast_to(~are_virtual(panel.models), panel.shape[:2]))
    return replace(panel, peers=peers)


def _is_peer(name: str, context: MetricsContext) -> bool:
    return name != context.model_id and not is_virtual(name)


def _frame(rows: Rows, model: str, context: MetricsContext, is_keyed: bool, columns: list[str]) -> pd.DataFrame:
    """Rows with the key of a prediction, the last of each; what a row has no number for is NaN."""
    for place, row in enumerate(rows):
        if not any(column in row for column in columns):
            given = ", ".join(map(str, row)) or "nothing"
            raise ValueError(f"row {place} of model {model!r} has no {' or '.join(columns)}, only {given}")
    frame = pd.DataFrame({column: [row.get(column) for row in rows] for column in columns}, dtype=float)
    if is_keyed:
        cycles = [utc(row["cycle"]) for row in rows]
        horizons, subjects = [row.get("horizon", 1) for row in rows], [str(row["subject"]) for row in rows]
    else:
        cycles = [utc(context.window_end)] * len(rows)
        horizons, subjects = [1] * len(rows), [f"{place:09}" for place in range(len(rows))]
    return frame.assign(
        model_id=model,
        cycle=np.array(cycles, dtype="datetime64[us]"),
        horizon=np.array(horizons, dtype=np.int64),
        subject=np.array(subjects, dtype=object),
    ).drop_duplicates(_KEY, keep="last")


def _factors(context: MetricsContext) -> pd.DataFrame:
    columns = ["cycle", "subject", "factor", "value"]
    frame = pd.DataFrame([{name: row[name] for name in columns} for row in context.factors], columns=columns)
    cycles = np.array([utc(cycle) for cycle in frame["cycle"]], dtype="datetime64[us]")
    return frame.assign(cycle=cycles, value=frame["value"].astype(float))


def utc(moment: datetime | str) -> np.datetime64:
    """A time without a zone, in UTC."""
    stamp = pd.Timestamp(moment)
    in_utc = stamp if stamp.tzinfo is None else stamp.tz_convert("UTC").tz_localize(None)
    return np.datetime64(in_utc.to_pydatetime(), "us")
