"""A second implementation of everything from predictions and truth to snapshots: slow, plain loops, no shared code.

For each moment it forgets what was not known yet and computes the contest anew, which is what as-of must mean.
"""

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.competition import Contract
from pipeline_tests.competition.contests import NAN


@dataclass
class OfCycle:
    """One model in one resolved cycle: a list of values per horizon, and sums over its tasks."""

    ic: list[float]
    mean_return: list[float]
    hits: int
    signed: int
    scores: list[float]
    outcomes: int


def known_outcome(truth: pd.DataFrame, subject: str, target_time: datetime, horizon: int) -> float:
    """The outcome that counts among rows already known; NaN when there is none."""
    of_subject = truth[(truth["subject"] == subject) & (truth["target_time"] == target_time)]
    own = of_subject[of_subject["horizon"] == horizon]
    rows = own if len(own) else of_subject[of_subject["horizon"] == -1]
    return NAN if rows.empty else float(rows.loc[rows["known_at"].idxmax(), "value"])


def of_section(
    signals: dict[str, float], outcomes: dict[str, float], horizon: int, contract: Contract
) -> tuple[float, float, int, int, list[float]]:
    """IC, mean return, hits, signed pairs and scores of one model in one cross-section."""
    pairs = [(signals[s], outcomes[s]) for s in sorted(signals) if not math.isnan(outcomes.get(s, NAN))]
    known = sum(not math.isnan(value) for value in outcomes.values())
    needed = contract.min_subjects if contract.min_subjects is not None else max(5, math.ceil(known / 2))
    signed = [(s - contract.center) * o for s, o in pairs if s != contract.center and o != 0]
    hits = sum(product > 0 for product in signed)
    ic = mean_return = NAN
    s, o = np.array(pairs).reshape(-1, 2).T
    if len(pairs) >= needed and np.ptp(s) > 0:
        weights = s - s.mean()
        mean_return = float(weights @ o / np.abs(weights).sum())
        mean_return /= max(1, math.ceil(horizon * contract.horizon_cycles))
        with warnings.catch_warnings(action="ignore"):
            ic = float(stats.spearmanr(s, o).statistic)
    if contract.scoring.rule == "squared_error":
        scores = [(x - y) ** 2 for x, y in pairs]
    else:
        scores = [] if math.isnan(ic) else list(stats.zscore(stats.rankdata(s)) * stats.zscore(stats.rankdata(o)))
    return ic, mean_return, hits, len(signed), scores


def resolve(predictions: pd.DataFrame, truth: pd.DataFrame, contract: Contract) -> dict[datetime, dict[str, OfCycle]]:
    """Every resolved cycle, by model."""
    found: dict[datetime, dict[str, OfCycle]] = {}
    for cycle, of_cycle in predictions[~predictions["is_late"]].groupby("cycle"):
        models = {model: OfCycle([], [], 0, 0, [], 0) for model in of_cycle["model_id"]}
        resolved = False
        for (horizon, target_time), rows in of_cycle.groupby(["horizon", "target_time"]):
            at_target = truth[(truth["target_time"] == target_time) & truth["horizon"].isin([horizon, -1])]
            resolved |= len(at_target) > 0
            subjects = {*rows["subject"], *at_target["subject"]}
            outcomes = {s: known_outcome(truth, s, target_time, horizon) for s in subjects}
            known = sum(not math.isnan(value) for value in outcomes.values())
            for model, one in models.items():
                mine = rows[rows["model_id"] == model]
                signals = dict(zip(mine["subject"], mine["value"], strict=True))
                ic, mean_return, hits, signed, scores = of_section(signals, outcomes, horizon, contract)
                one.ic.append(ic)
                one.mean_return.append(mean_return)
                one.hits += hits
                one.signed += signed
                one.scores += scores
                one.outcomes += known
        if resolved:
            found[cycle] = models
    return found


def mean(values: list[float]) -> float:
    """Mean of what is defined."""
    defined = [value for value in values if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else NAN


def statistic(name: str, mine: list[OfCycle]) -> tuple[float, int]:
    """A metric over a window from the model's cycles in it, and its n."""
    if name in ("ic", "mean_return"):
        series = [mean(getattr(one, name)) for one in mine]
        return mean(series), sum(not math.isnan(value) for value in series)
    if name == "ic_sharpe":
        series = [value for value in (mean(one.ic) for one in mine) if not math.isnan(value)]
        spread = np.std(series, ddof=1) if len(series) > 1 else 0.0
        return (float(np.mean(series) / spread) if spread > 1e-12 else NAN), len(series)
    numerator, n = {
        "hit_rate": (sum(one.hits for one in mine), sum(one.signed for one in mine)),
        "score": (sum(sum(one.scores) for one in mine), sum(len(one.scores) for one in mine)),
    }[name]
    return (numerator / n if n else NAN), n


def windows(contract: Contract, resolved: list[datetime]) -> Iterator[tuple[str, list[datetime]]]:
    """The resolved cycles of every window, out of all of them in order."""
    for name, spec in contract.windows.items():
        if spec.cycles is not None:
            yield name, resolved[-spec.cycles :]
        elif spec.duration is not None:
            yield name, [cycle for cycle in resolved if cycle > resolved[-1] - spec.duration]
        else:
            yield name, resolved


def snapshots(
    predictions: pd.DataFrame, truth: pd.DataFrame, as_ofs: list[datetime], contract: Contract
) -> pd.DataFrame:
    """Value, n, n_scored, coverage and coverage_since_first of every moment, model, window and metric."""
    rows = []
    for as_of in as_ofs:
        resolved = resolve(predictions, truth[truth["known_at"] <= as_of], contract)
        for window_name, in_window in windows(contract, sorted(resolved)):
            for model in sorted({model for models in resolved.values() for model in models}):
                first = min(cycle for cycle, models in resolved.items() if model in models)
                mine = [resolved[c][model] for c in in_window if c in resolved and model in resolved[c]]
                tasks = {c: next(iter(resolved[c].values())).outcomes for c in in_window if c in resolved}
                n_scored = sum(len(one.scores) for one in mine)
                since = sum(outcomes for c, outcomes in tasks.items() if c >= first)
                for metric in contract.metrics:
                    total = sum(tasks.values())
                    value, n = (n_scored / total, total) if metric == "coverage" else statistic(metric, mine)
                    rows.append(
                        {
                            "as_of": as_of,
                            "model_id": model,
                            "window_name": window_name,
                            "metric": metric,
                            "value": value,
                            "n": n,
                            "n_scored": n_scored,
                            "coverage": n_scored / total if total else NAN,
                            "coverage_since_first": n_scored / since if since else NAN,
                        }
                    )
    return pd.DataFrame(rows)
