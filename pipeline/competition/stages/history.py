"""What was known of a contest's cycles at a moment: the metrics of every cycle and model as arrays.

Snapshots walk it through the moments a board speaks for, ensembles through the deadlines of the cycles that they weigh.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats
from pipeline.competition.metrics import COVERAGE, RESOLVED, Metric
from pipeline.competition.peers import are_virtual
from pipeline.competition.reasons import Reasons, reason_codes
from pipeline.competition.stages.missing import Cells

Times = npt.NDArray[np.datetime64]


def histories(
    rows: pd.DataFrame, metrics: Sequence[Metric], metrics_in: Callable[[str], Collection[str]]
) -> dict[str, "History"]:
    """The history of every category.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``cycle_metrics`` with every version; text may be categorical.
    metrics : sequence of Metric
        Those to keep, where a category has them.
    metrics_in : function
        From a category to the metrics that it has; coverage and what is resolved are of every one.
    """
    found = {}
    for category, own in _by_category(rows):
        names = {*metrics_in(category), COVERAGE.name, RESOLVED.name}
        found[category] = History(own, [metric for metric in metrics if metric.name in names])
    return found


def _by_category(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each category, sorted by its name; those of the only one as they are."""
    of_row, categories = pd.factorize(rows["category"], sort=True)
    if len(categories) == 1:
        yield str(categories[0]), rows
    elif len(categories):
        order = np.argsort(of_row, kind="stable")
        places = np.split(order, np.cumsum(np.bincount(of_row))[:-1])
        yield from ((str(name), rows.iloc[own]) for name, own in zip(categories, places, strict=True))


class History:
    """The metrics of one category's cycles and models as known at a moment that moves forward in time.

    Holds arrays, no frame, since a long contest of many models has millions of rows.
    """

    def __init__(self, rows: pd.DataFrame, metrics: Sequence[Metric]) -> None:
        self._names = {metric.name: place for place, metric in enumerate(metrics)}
        metric = _codes(self._names, rows["metric"])
        imputed = rows["is_imputed"].to_numpy(dtype=bool)
        # These are of what models submitted; coverage also says who took part.
        submitted = np.isin(metric, [self._names[one.name] for one in (COVERAGE, RESOLVED) if one.name in self._names])
        counted = (metric >= 0) & ~(imputed & submitted)
        kept = np.flatnonzero(counted)
        kept = kept[np.argsort(rows["known_at"].to_numpy()[kept], kind="stable")]
        cycle = rows["cycle"].to_numpy()[kept]
        self.cycles: Times = np.unique(cycle)
        self.models = np.sort(rows["model_id"].iloc[kept].unique().astype(object))
        self._known_at = rows["known_at"].to_numpy()[kept]
        self._places = (
            metric[kept],
            np.searchsorted(self.cycles, cycle).astype(np.int32),
            _codes(self.models, rows["model_id"])[kept],
        )
        # Of a cycle and model either all rows are imputed or none is, whenever they became known.
        self._imputed = np.zeros((len(self.cycles), len(self.models)), dtype=bool)
        self._imputed[self._places[1:]] = imputed[kept]
        numbers = ("value", "numerator", "denominator")
        self._new = {name: rows[name].to_numpy(dtype=float)[kept] for name in numbers}
        self._new["reason"] = _reasons(rows["reason"])[kept]
        shape = (len(metrics), len(self.cycles), len(self.models))
        self._known = {name: np.full(shape, np.nan) for name in self._new}
        self._applied = 0
        self._moment: np.datetime64 | None = None

    def move_to(self, as_of: np.datetime64) -> None:
        """Take in everything known by ``as_of``; later rows of the same cycle replace earlier ones."""
        if self._moment is not None and as_of < self._moment:
            raise ValueError(f"what was known at {as_of} is no longer kept at {self._moment}; ask in the order of time")
        self._moment = as_of
        until = int(np.searchsorted(self._known_at, as_of, side="right"))
        news = slice(self._applied, until)
        places = tuple(place[news] for place in self._places)
        for name, known in self._known.items():
            known[places] = self._new[name][news]
        self._applied = until

    def cells(self, metric: Metric, window: slice) -> Cells:
        """A metric over a window, as the models played or as their last submissions stood in for them."""
        value, numerator, denominator = (
            self.of(metric, name)[window] for name in ("value", "numerator", "denominator")
        )
        return Cells(value, numerator, denominator, self._imputed[window] & ~np.isnan(value))

    def of(self, metric: Metric, column: str) -> Floats:
        """One column of a metric, shape (cycles, models); NaN where the model took no part."""
        return np.asarray(self._known[column][self._names[metric.name]])

    def as_played(self, metric: Metric) -> Floats:
        """The values of a metric, shape (cycles, models), without those of cycles that something stood in for."""
        return np.where(self._imputed, np.nan, self.of(metric, "value"))

    @cached_property
    def resolved_at(self) -> Times:
        """When each cycle that ever had an outcome first had one, ascending."""
        metric, cycle, _ = self._places
        of_coverage = np.flatnonzero(metric == self._names[COVERAGE.name])
        _, first = np.unique(cycle[of_coverage], return_index=True)  # rows are in the order of their times
        return np.sort(self._known_at[of_coverage[first]])

    @property
    def is_virtual(self) -> Bools:
        """Which models are ensembles; shape (models,)."""
        return are_virtual(self.models)

    @property
    def took_part(self) -> Bools:
        """Where a model has a resolved cycle that it submitted to; shape (cycles, models)."""
        return ~np.isnan(self.of(COVERAGE, "reason"))

    def tasks(self, window: slice) -> Floats:
        """Outcomes known of each cycle of a window; shape (cycles,)."""
        return np.asarray(np.nan_to_num(self.of(COVERAGE, "denominator")[window]).max(axis=1, initial=0.0))


def _codes(names: Iterable[str | None], values: "pd.Series[Any]") -> npt.NDArray[np.int32]:
    """The place of every value among the names; -1 for NULL and for what is not among them."""
    index = pd.Index(np.array(list(names), dtype=object))
    if isinstance(values.dtype, pd.CategoricalDtype):
        of_category = np.asarray(index.get_indexer(values.cat.categories), dtype=np.int32)
        return np.append(of_category, np.int32(-1))[values.cat.codes]
    return np.asarray(index.get_indexer(pd.Index(values)), dtype=np.int32)


def _reasons(texts: "pd.Series[Any]") -> Reasons:
    """The codes of reasons, 0 for NULL; each distinct text is looked up once."""
    places, distinct = pd.factorize(texts)
    return np.append(reason_codes(distinct), np.int32(0))[places]
