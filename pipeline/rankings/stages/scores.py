"""Scores of models: latent ability, and the composites of quality, speed and price."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.rankings.ability import Ability, fit_ability
from pipeline.rankings.benchmarks import Area, Benchmark, Unit
from pipeline.rankings.composite import Combined, Scores, composite_scores
from pipeline.rankings.declaration import SCORES, Rankings
from pipeline.rankings.stages.frames import frame_of
from pipeline.rankings.vocabulary import SAME_ANSWERS
from pipeline.tables import LLM_SCORES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NO_PARTS = "no_parts"
"""Why a score is undefined: nothing of what it is made of is there."""
PARTS_MISSING = "parts_missing"
"""A part is not there, and parts are not renormalised."""
LOW_COVERAGE = "low_coverage"
"""What is there has too little weight."""

SPEEDS = {"throughput": "speed.throughput_median", "ttft": "speed.ttft_median"}
OFFERS = {"efficiency": "price.input", "context": "context.context_length"}


@dataclass(frozen=True, eq=False)
class Used:
    """The figures that scores rest on, by model.

    Parameters
    ----------
    models : tuple of str
        Sorted.
    figures : pandas.DataFrame
        ``model``, ``benchmark``, ``figure`` (``benchmark.measure``), ``value``, ``n``, ``se``, ``source``,
        ``fetched_at``; one of a model and figure.
    """

    models: tuple[str, ...]
    figures: pd.DataFrame

    @classmethod
    def of(cls, results: pd.DataFrame, models: Sequence[str] | None = None) -> "Used":
        """Those of rows of ``llm.results``; of the given models, or all that have any."""
        used = results[results["is_used"].astype(bool)]
        figures = used[["model", "benchmark", "value", "n", "se", "source", "fetched_at"]].assign(
            figure=used["benchmark"] + "." + used["measure"]
        )
        return cls(tuple(sorted(used["model"].unique())) if models is None else tuple(models), figures)

    def without_same_answers(self) -> "Used":
        """The same without figures on answers that another benchmark scores, of which the model has a figure, too."""
        has = set(zip(self.figures["model"], self.figures["benchmark"], strict=True))
        other = self.figures["benchmark"].map(SAME_ANSWERS)
        is_twice = [pair in has for pair in zip(self.figures["model"], other, strict=True)]
        return Used(self.models, self.figures[~np.array(is_twice, dtype=bool)])

    def column(self, figure: str) -> Floats:
        """Values of a figure, shape (models,); NaN where a model has none."""
        return self.columns([figure])[:, 0]

    def columns(self, figures: Sequence[str], what: str = "value") -> Floats:
        """Values of figures, or what else there is of them, shape (models, figures); NaN where there is none."""
        wide = self._wide[what].reindex(index=list(self.models), columns=list(figures))
        return wide.to_numpy(dtype=np.float64)

    @cached_property
    def _wide(self) -> dict[str, pd.DataFrame]:
        keyed = self.figures.set_index(["model", "figure"])
        return {what: keyed[what].astype("float64").unstack("figure") for what in ("value", "n", "se")}

    def count(self, figures: Iterable[str], what: str) -> Ints:
        """How many different benchmarks or sources the figures of each model are of, shape (models,)."""
        rows = self.figures[self.figures["figure"].isin(list(figures))]
        found = rows.groupby("model")[what].nunique().reindex(list(self.models), fill_value=0)
        return np.asarray(found, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Score:
    """One score of all models, as arrays of shape (models,).

    Parameters
    ----------
    value : float array
        NaN where it is undefined.
    coverage : float array
    is_partial : bool array
    missing : sequence of str
        The parts that are not there, with commas between.
    reason : sequence of str or None
        Why it is undefined.
    n_benchmarks, n_sources : int array
    low, high : float array
        Ends of the 95 % interval; NaN where there is none.
    is_converged : bool or None
        Whether the fit came to rest; None where nothing was fitted. One that did not has no intervals.
    """

    value: Floats
    coverage: Floats
    is_partial: Bools
    missing: Sequence[str]
    reason: Sequence[str | None]
    n_benchmarks: Ints
    n_sources: Ints
    low: Floats
    high: Floats
    is_converged: bool | None = None


def score_rows(results: pd.DataFrame, declared: Rankings, benchmarks: Mapping[str, Benchmark]) -> pd.DataFrame:
    """Rows of ``llm.scores``: one per score of each model that has a figure that is used.

    Parameters
    ----------
    results : pandas.DataFrame
        Rows of ``llm.results``.
    declared : Rankings
    benchmarks : mapping of str to Benchmark
        The vocabulary.
    """
    used = Used.of(results)
    scores = scores_of(used, declared, benchmarks)
    parts = [
        pd.DataFrame(
            {
                "model": used.models,
                "score": name,
                "value": score.value,
                "ci_low": score.low,
                "ci_high": score.high,
                "coverage": score.coverage,
                "is_partial": score.is_partial,
                "missing": score.missing,
                "n_benchmarks": score.n_benchmarks,
                "n_sources": score.n_sources,
                "reason": score.reason,
                "is_converged": score.is_converged,
            }
        )
        for name, score in scores.items()
    ]
    rows = pd.concat(parts).sort_values(["model"], kind="stable", ignore_index=True)
    return frame_of(LLM_SCORES, rows)


def scores_of(
    used: Used, declared: Rankings, benchmarks: Mapping[str, Benchmark], only: Iterable[str] = SCORES
) -> dict[str, Score]:
    """The scores of models, by name.

    Parameters
    ----------
    used : Used
    declared : Rankings
    benchmarks : mapping of str to Benchmark
        The vocabulary.
    only : iterable of str
        Which of them.
    """
    wanted = set(only)
    scores = {"ability": _ability(used, declared, benchmarks)} if "ability" in wanted else {}
    if wanted - {"ability"}:
        scores |= _composites(used, declared)
    return {name: scores[name] for name in SCORES if name in wanted}


def figures_of(score: str, used: Used, declared: Rankings, benchmarks: Mapping[str, Benchmark]) -> list[str]:
    """The figures that a score is made of: ``benchmark.measure``."""
    if score == "ability":
        return _counting(used.without_same_answers(), declared, benchmarks)
    return _parts(declared)[score]


def _parts(declared: Rankings) -> dict[str, list[str]]:
    """The figures of every composite."""
    spec = declared.composite
    coding = list(spec.coding)
    figures = {
        "coding": coding,
        "performance": [SPEEDS.get(part, declared.quality) for part in spec.performance],
        "value": [*coding, *(OFFERS[part] for part in spec.value)],
    }
    return figures | {"overall": [figure for part in spec.overall for figure in figures[part]]}


def deciding(score: str, declared: Rankings, benchmarks: Mapping[str, Benchmark]) -> set[str]:
    """The benchmarks whose figures decide on a score: what it may be made of, and what chooses among figures of that.

    Speeds are chosen by the quality that is used, prices and contexts together; of the same answers one benchmark
    counts.
    """
    if score == "ability":
        headlines = {figure.partition(".")[0] for figure in _headlines(declared, benchmarks)}
        return headlines | {SAME_ANSWERS[one] for one in headlines if one in SAME_ANSWERS}
    figures = {figure.partition(".")[0] for figure in (*_parts(declared)[score], declared.quality)}
    return figures | {key for key, one in benchmarks.items() if one.area in (Area.SPEED, Area.PRICE, Area.LIMITS)}


def _headlines(declared: Rankings, benchmarks: Mapping[str, Benchmark]) -> list[str]:
    """The figures that ability may be made of: headlines that are percentages, of the declared areas."""
    spec = declared.ability
    return [
        f"{key}.{one.headline}"
        for key, one in benchmarks.items()
        if one.area in spec.areas and key not in spec.leave_out and one.measures[one.headline].unit == Unit.PERCENT
    ]


def _counting(used: Used, declared: Rankings, benchmarks: Mapping[str, Benchmark]) -> list[str]:
    """The figures that ability is made of, sorted: of enough models."""
    headlines = _headlines(declared, benchmarks)
    n_models = np.count_nonzero(~np.isnan(used.columns(headlines)), axis=0)
    return sorted(figure for figure, n in zip(headlines, n_models, strict=True) if n >= declared.ability.min_models)


def fitted_ability(used: Used, declared: Rankings, benchmarks: Mapping[str, Benchmark]) -> Ability:
    """The ability of models, and how surely one is above another, by the figures that count."""
    used = used.without_same_answers()
    return _fitted(used, _counting(used, declared, benchmarks))


def _fitted(used: Used, figures: Sequence[str]) -> Ability:
    values, n, se = (used.columns(figures, what) for what in ("value", "n", "se"))
    return _fit(values.shape, values.tobytes(), _items(values, n, se).tobytes())


@lru_cache(maxsize=16)
def _fit(shape: tuple[int, int], percent: bytes, items: bytes) -> Ability:
    """The fit of such a table of figures; kept, since the scores and the board of a ranking are of the same ones."""
    return fit_ability(np.frombuffer(percent).reshape(shape), np.frombuffer(items).reshape(shape))


def _ability(used: Used, declared: Rankings, benchmarks: Mapping[str, Benchmark]) -> Score:
    used = used.without_same_answers()
    figures = _counting(used, declared, benchmarks)
    fitted = _fitted(used, figures)
    has = ~np.isnan(used.columns(figures))
    ends = [np.where(fitted.is_converged, end, np.nan) for end in (fitted.low, fitted.high)]
    return Score(
        value=fitted.value,
        coverage=has.mean(axis=1) if figures else np.zeros(len(used.models)),
        is_partial=np.zeros(len(used.models), dtype=bool),
        missing=_listed([figure.partition(".")[0] for figure in figures], ~has),
        reason=list(fitted.reason),
        n_benchmarks=used.count(figures, "benchmark"),
        n_sources=used.count(figures, "source"),
        low=ends[0],
        high=ends[1],
        is_converged=fitted.is_converged,
    )


def _items(percent: Floats, n: Floats, se: Floats) -> Floats:
    """Items that percentages rest on: as told, else as many as their standard errors stand for; NaN for unknown."""
    by_error = np.divide(percent * (100 - percent), se**2, out=np.full_like(n, np.nan), where=se > 0)
    items = np.where(n > 0, n, by_error)
    return np.where(items > 0, items, np.nan)


def composites_of(column: Callable[[str], Floats], declared: Rankings) -> Scores:
    """The weighted scores of models.

    Parameters
    ----------
    column : callable
        Values of a ``benchmark.measure``, shape (models,); NaN where a model has none.
    declared : Rankings
        Its weights, scales, and whether parts that are missing are left out.
    """
    return composite_scores(
        {figure: column(figure) for figure in declared.weights.coding},
        throughput=column(SPEEDS["throughput"]),
        ttft=column(SPEEDS["ttft"]),
        quality=column(declared.quality),
        price=column(OFFERS["efficiency"]),
        context=column(OFFERS["context"]),
        spec=declared.composite,
    )


def why_undefined(combined: Combined, declared: Rankings) -> list[str | None]:
    """Why weighted scores are undefined; None where they are not."""
    incomplete = LOW_COVERAGE if declared.renormalise else PARTS_MISSING
    reasons = np.where(combined.coverage > 0, incomplete, NO_PARTS)
    return [None if np.isfinite(one) else str(why) for one, why in zip(combined.value, reasons, strict=True)]


def _composites(used: Used, declared: Rankings) -> dict[str, Score]:
    made = composites_of(used.column, declared)
    return {
        name: _composite(getattr(made, name), used, figures, declared) for name, figures in _parts(declared).items()
    }


def _composite(combined: Combined, used: Used, figures: Sequence[str], declared: Rankings) -> Score:
    nothing = np.full(len(used.models), np.nan)
    return Score(
        value=combined.value,
        coverage=combined.coverage,
        is_partial=combined.is_partial,
        missing=[", ".join(parts) for parts in combined.missing],
        reason=why_undefined(combined, declared),
        n_benchmarks=used.count(figures, "benchmark"),
        n_sources=used.count(figures, "source"),
        low=nothing,
        high=nothing,
    )


def _listed(names: Sequence[str], where: Bools) -> list[str]:
    array = np.array(names, dtype=object)
    return [", ".join(array[of_model]) for of_model in where]
