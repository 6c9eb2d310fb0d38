"""A second implementation of ensembles: plain loops over plain numbers, everything anew for every member left out.

Only strategies that solve or call something (skfolio, an operator's function) are taken from the pipeline.
"""

import math
import statistics
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.competition import Contract
from pipeline.competition.ensembles import EnsembleConfig, FilterSpec, JointStrategy, Track, strategy_of
from pipeline.leaderboard import Direction
from pipeline_tests.competition.contests import NAN

Prediction = dict[str, float]
"""From subjects to values."""


def weights(strategy: str, track: Track, terms: EnsembleConfig) -> dict[str, float]:
    """What a strategy gives each model of a record, not normalised."""
    found = strategy_of(strategy)
    if isinstance(found, JointStrategy) and strategy != "performance":
        own = found.weigh(track, terms.terms).weights
        return dict(zip(track.models, own.tolist(), strict=True))
    series = {
        model: [value for value in track.series[:, place].tolist() if not math.isnan(value)]
        for place, model in enumerate(track.models)
    }
    if strategy == "equal_weight":
        return dict.fromkeys(series, 1.0)
    experienced = {model: values for model, values in series.items() if len(values) >= terms.min_history}
    if not experienced:
        return dict.fromkeys(series, 1.0)
    if strategy == "performance":
        return _performance(series, experienced, track.is_loss, terms)
    own = _separable(strategy, experienced, track)
    newcomer = statistics.median(own.values())
    every = {model: own.get(model, newcomer) for model in series}
    return every if sum(every.values()) > 0 else dict.fromkeys(series, 1.0)


def _separable(strategy: str, series: Mapping[str, list[float]], track: Track) -> dict[str, float]:
    dispersion = {}
    for model, values in series.items():
        if strategy == "inverse_variance" and track.is_loss:
            dispersion[model] = statistics.fmean(value if track.is_squared else value**2 for value in values)
        else:
            dispersion[model] = statistics.variance(values)
    floor = 1e-3 * statistics.median(dispersion.values())
    own = {}
    for model, values in series.items():
        skill = max(statistics.fmean(values), 0.0) if strategy == "skill_variance" else 1.0
        own[model] = skill / (max(dispersion[model], floor) if floor > 0 else 1.0)
    return own


def _performance(
    series: Mapping[str, list[float]], experienced: Mapping[str, list[float]], is_loss: bool, terms: EnsembleConfig
) -> dict[str, float]:
    mean = {model: statistics.fmean(values) for model, values in experienced.items()}
    median = statistics.median(mean.values())
    if is_loss:
        relative = {model: value / median for model, value in mean.items()}
    else:
        spread = statistics.fmean(abs(value - median) for value in mean.values())
        relative = {model: (median - value) / spread if spread else 0.0 for model, value in mean.items()}
    best = min(relative.values())
    own = {model: math.exp(-terms.theta * (value - best)) for model, value in relative.items()}
    newcomer = statistics.median(own.values())
    share = {model: own.get(model, newcomer) for model in series}
    total = sum(share.values())
    share = {model: value / total for model, value in share.items()}
    if terms.max_weight * len(share) <= 1:
        return dict.fromkeys(share, 1 / len(share))
    full: set[str] = set()
    while over := {model for model in share if model not in full and share[model] > terms.max_weight + 1e-12}:
        full |= over
        others = {model: value for model, value in share.items() if model not in full}
        if sum(others.values()) == 0:
            others = dict.fromkeys(others, 1.0)
        room = (1 - terms.max_weight * len(full)) / sum(others.values())
        share = {model: others[model] * room if model in others else terms.max_weight for model in share}
    return share


def normalized(values: Prediction, how: str) -> Prediction:
    """One model's predictions of a cross-section on the common scale."""
    given = list(values.values())
    if how == "rank":
        scaled = [(rank - 0.5) / len(given) for rank in stats.rankdata(given)]
    elif how == "zscore":
        spread = statistics.pstdev(given)
        scaled = [(value - statistics.fmean(given)) / spread if spread else 0.0 for value in given]
    else:
        scaled = given
    return dict(zip(values, scaled, strict=True))


def decimals(members: Mapping[str, Prediction]) -> int:
    """How many decimals the prediction of an ensemble has: ten digits of a usual prediction of its members."""
    sizes = [abs(value) for values in members.values() for value in values.values() if value != 0]
    return 10 - math.ceil(math.log10(statistics.median(sizes))) if sizes else 10


def combined(
    members: Mapping[str, Prediction], weight: Mapping[str, float], config: EnsembleConfig, digits: int
) -> Prediction:
    """What the members predict together, of every subject that one with weight predicts."""
    found = {}
    for subject in sorted({subject for values in members.values() for subject in values}):
        given = sorted(
            (values[subject], weight[model])
            for model, values in members.items()
            if subject in values and weight[model] > 0
        )
        if given:
            found[subject] = round(_one(given, config), digits)
    return found


def _one(given: list[tuple[float, float]], config: EnsembleConfig) -> float:
    if config.combine == "trimmed":
        cut = math.floor(config.trim * len(given) + 1e-9)
        of_value: dict[float, list[float]] = {}
        for place, (value, _) in enumerate(given):
            of_value.setdefault(value, []).append(float(cut <= place < len(given) - cut))
        given = [(value, weight * statistics.fmean(of_value[value])) for value, weight in given]
    total = math.fsum(weight for _, weight in given)
    if config.combine != "median":
        return math.fsum(value * weight for value, weight in given) / total
    below = [math.fsum(weight for _, weight in given[: place + 1]) / total for place in range(len(given))]
    low = next(value for (value, _), share in zip(given, below, strict=True) if share >= 0.5 - 1e-12)
    high = next(value for (value, _), share in zip(given, below, strict=True) if share > 0.5 + 1e-12)
    return (low + high) / 2


def correlation(left: Prediction, right: Prediction, needed: int) -> float:
    """Spearman correlation over the subjects of both, NaN where undefined."""
    both = sorted(subject for subject in left if not math.isnan(right.get(subject, NAN)))
    x, y = [left[subject] for subject in both], [right[subject] for subject in both]
    if len(both) < needed or len(set(x)) < 2 or len(set(y)) < 2:
        return NAN
    return float(stats.spearmanr(x, y).statistic)


def primary(values: Prediction, outcomes: Prediction, contract: Contract) -> float:
    """The primary metric of one cross-section; ic, mean_return (one cycle to a horizon), or score of an error."""
    paired = {subject: value for subject, value in values.items() if not math.isnan(outcomes.get(subject, NAN))}
    needed = fewest(outcomes, contract)
    if contract.scoring.primary == "ic":
        return correlation(paired, outcomes, needed)
    if contract.scoring.primary == "mean_return":
        if len(paired) < needed or len(set(paired.values())) < 2:
            return NAN
        mean = statistics.fmean(paired.values())
        held = math.fsum(abs(value - mean) for value in paired.values())
        return math.fsum((value - mean) * outcomes[subject] for subject, value in paired.items()) / held
    power = {"absolute_error": 1, "squared_error": 2}[contract.scoring.rule]
    errors = [abs(value - outcomes[subject]) ** power for subject, value in paired.items()]
    return statistics.fmean(errors) if errors else NAN


def fewest(outcomes: Prediction, contract: Contract) -> int:
    """Pairs that a correlation needs."""
    known = sum(not math.isnan(value) for value in outcomes.values())
    return contract.min_subjects if contract.min_subjects is not None else max(5, math.ceil(known / 2))


Known = dict[str, dict[datetime, dict[str, tuple[float, float, float]]]]
"""Value, numerator and denominator by metric, cycle and model."""


@dataclass(frozen=True)
class Found:
    """One ensemble in one cross-section."""

    weights: dict[str, float]
    values: Prediction


class Truth:
    """Every version of the outcomes, in the order in which they became known."""

    def __init__(self, truth: pd.DataFrame) -> None:
        self._versions: dict[tuple[datetime, int], list[tuple[datetime, str, float]]] = {}
        for row in truth.sort_values("known_at", kind="stable").itertuples():
            self._versions.setdefault((row.target_time, row.horizon), []).append((row.known_at, row.subject, row.value))

    def known(self, target_time: datetime, horizon: int, as_of: datetime) -> Prediction:
        """The outcomes of a horizon as known at a time; its own stand before those of any horizon."""
        found: Prediction = {}
        for of_horizon in (-1, horizon):
            for known_at, subject, value in self._versions.get((target_time, of_horizon), []):
                if known_at <= as_of:
                    found[subject] = value
        return found


class Plain:
    """The ensembles of a contest, out of its predictions and the metrics of its cycles.

    For contests ranked by a metric over a number of cycles, without a policy for missing ones.
    """

    def __init__(self, predictions: pd.DataFrame, cycle_metrics: pd.DataFrame, contract: Contract) -> None:
        self.contract = contract
        self.cycle_metrics = cycle_metrics
        self._known: dict[datetime, Known] = {}
        self._found: dict[tuple[object, ...], Found | None] = {}
        self.submitted: dict[tuple[datetime, int], dict[str, Prediction]] = {}
        self.deadlines: dict[datetime, datetime] = {}
        self.target_times: dict[tuple[datetime, int], datetime] = {}
        for row in predictions[~predictions["is_late"]].itertuples():
            section = self.submitted.setdefault((row.cycle, row.horizon), {})
            section.setdefault(row.model_id, {})[row.subject] = row.value
            self.deadlines[row.cycle] = row.deadline
            self.target_times[row.cycle, row.horizon] = row.target_time

    def known(self, deadline: datetime) -> Known:
        """What was known at a deadline."""
        if deadline not in self._known:
            self._known[deadline] = self._known_by(deadline)
        return self._known[deadline]

    def _known_by(self, deadline: datetime) -> Known:
        rows = self.cycle_metrics[self.cycle_metrics["known_at"] <= deadline].sort_values("known_at")
        found: Known = {}
        for row in rows.itertuples():
            of_cycle = found.setdefault(row.metric, {}).setdefault(row.cycle, {})
            of_cycle[row.model_id] = (row.value, row.numerator, row.denominator)
        return found

    def members(self, of_section: Sequence[str], ensemble: EnsembleConfig, deadline: datetime) -> list[str]:
        """Who of those that submitted is in."""
        chosen_at = self.chosen_at(ensemble, deadline)
        if chosen_at is None:
            return []
        known = self.known(chosen_at)
        conditions = ensemble.filter if isinstance(ensemble.filter, FilterSpec) else FilterSpec()
        admitted = []
        for model in sorted(of_section):
            over = {name: self.over_window(known, name, model, ensemble.window) for name in conditions.min_metric}
            fits = []
            for name, threshold in conditions.min_metric.items():
                is_loss = self.contract.direction(name) is Direction.ASC
                fits.append(over[name] <= threshold if is_loss else over[name] >= threshold)
            if conditions.min_coverage is not None:
                fits.append(self.over_window(known, "coverage", model, ensemble.window) >= conditions.min_coverage)
            if all(fits) and model not in conditions.exclude:
                admitted.append(model)
        if conditions.top_n is None:
            return admitted
        ranked = self.ranked(known)
        return [model for model in ranked if model in admitted][: conditions.top_n]

    def chosen_at(self, ensemble: EnsembleConfig, deadline: datetime) -> datetime | None:
        """What was known when decides at a deadline: then, or when a cycle of the right number was resolved."""
        rule, chosen = ensemble.reselect, None
        if rule is None:
            return deadline
        first_known = self.cycle_metrics.query("metric == 'coverage'").groupby("cycle")["known_at"].min()
        for number, moment in enumerate(sorted(first_known), start=1):
            is_due = number == rule.first or (number > rule.first and number % rule.every == rule.offset)
            if moment <= deadline and is_due:
                chosen = moment
        return chosen

    def ranked(self, known: Known) -> list[str]:
        """The board, best first, by one key."""
        window_name, _, metric = str(self.contract.leaderboard.rank_by).partition(".")
        cycles = self.contract.windows[window_name].cycles
        models = {model for of_cycle in known.get("coverage", {}).values() for model in of_cycle}
        placed = []
        for model in sorted(models):
            value = self.over_window(known, metric, model, cycles)
            coverage = self.over_window(known, "coverage", model, cycles)
            if not math.isnan(value) and not coverage < self.contract.leaderboard.min_coverage:
                sign = 1 if self.contract.direction(metric) is Direction.ASC else -1
                placed.append((sign * float(f"{value:.11e}"), model))
        return [model for _, model in sorted(placed)]

    def over_window(
        self,
        known: Known,
        metric: str,
        model: str,
        cycles: int | None,
    ) -> float:
        """A metric over the last resolved cycles: the mean over cycles, or over tasks."""
        resolved = sorted(known.get("coverage", {}))
        if not resolved:
            return NAN
        window = resolved[-cycles:] if cycles else resolved
        mine = [known[metric][cycle][model] for cycle in window if model in known[metric].get(cycle, {})]
        if metric == "coverage":
            tasks = sum(max(row[2] for row in known["coverage"][cycle].values()) for cycle in window)
            return sum(row[1] for row in mine) / tasks if tasks else NAN
        if metric in ("hit_rate", "score"):
            counted = sum(row[2] for row in mine)
            return sum(row[1] for row in mine) / counted if counted else NAN
        values = [row[0] for row in mine if not math.isnan(row[0])]
        return statistics.fmean(values) if values else NAN

    def track(self, members: Sequence[str], ensemble: EnsembleConfig, deadline: datetime) -> Track:
        """What is known of some models at a deadline."""
        known = self.known(deadline)
        resolved = sorted(known.get("coverage", {}))[-ensemble.window :]
        name = self.contract.scoring.primary
        series = [[known[name].get(cycle, {}).get(model, (NAN,))[0] for model in members] for cycle in resolved]
        return Track(
            np.array(members, dtype=object),
            np.array(series, dtype=float).reshape(len(resolved), len(members)),
            self.contract.direction(name),
            self.contract.scoring.rule == "squared_error",
        )

    def found(
        self, cycle: datetime, horizon: int, ensemble: EnsembleConfig, without: str | None = None, digits: int = -1
    ) -> Found | None:
        """The ensemble in one cross-section, as if a model had not submitted; None without members."""
        key = (cycle, horizon, ensemble.name, without, digits)
        if key not in self._found:
            self._found[key] = self._found_anew(cycle, horizon, ensemble, without, digits)
        return self._found[key]

    def _found_anew(
        self, cycle: datetime, horizon: int, ensemble: EnsembleConfig, without: str | None, digits: int
    ) -> Found | None:
        section = {model: values for model, values in self.submitted[cycle, horizon].items() if model != without}
        deadline = self.deadlines[cycle]
        members = self.members(list(section), ensemble, deadline)
        if not members:
            return None
        weight = weights(ensemble.strategy, self.track(members, ensemble, deadline), ensemble)
        scaled = {model: normalized(section[model], self.contract.normalization(ensemble)) for model in members}
        if digits < 0:
            digits = decimals({model: values for model, values in scaled.items() if weight[model] > 0})
        total = sum(weight.values())
        shares = {model: value / total for model, value in weight.items()}
        return Found(shares, combined(scaled, weight, ensemble, digits))

    def of_members(
        self, cycle: datetime, horizon: int, ensemble: EnsembleConfig, outcomes: Prediction
    ) -> dict[tuple[str, str], float]:
        """Contribution and ensemble correlation of every model of a cross-section, by metric and model."""
        whole = self.found(cycle, horizon, ensemble)
        section = self.submitted[cycle, horizon]
        found = {("contribution", model): NAN for model in section}
        found |= {("ensemble_correlation", model): NAN for model in section}
        if whole is None:
            return found
        scaled = {model: normalized(section[model], self.contract.normalization(ensemble)) for model in whole.weights}
        digits = decimals({model: values for model, values in scaled.items() if whole.weights[model] > 0})
        sign = -1 if self.contract.direction(self.contract.scoring.primary) is Direction.ASC else 1
        for model in section:
            left = whole if model not in whole.weights else self.found(cycle, horizon, ensemble, model, digits)
            rest = {} if left is None else left.values
            found["ensemble_correlation", model] = correlation(section[model], rest, fewest(outcomes, self.contract))
            if model in whole.weights and rest:
                with_it = primary(whole.values, outcomes, self.contract)
                found["contribution", model] = sign * (with_it - primary(rest, outcomes, self.contract))
        return found

    def member_metrics(
        self, truth: Truth, ensemble: EnsembleConfig, as_of: datetime, cycle: datetime
    ) -> dict[tuple[str, str], float]:
        """Both metrics of every model in a cycle, as known at a time: the mean over horizons where defined."""
        values: dict[tuple[str, str], list[float]] = {}
        for at, horizon in self.submitted:
            if at == cycle:
                outcomes = truth.known(self.target_times[at, horizon], horizon, as_of)
                with warnings.catch_warnings(action="ignore"):
                    found = self.of_members(cycle, horizon, ensemble, outcomes)
                for key, value in found.items():
                    values.setdefault(key, []).append(value)
        defined = {key: [value for value in of_key if not math.isnan(value)] for key, of_key in values.items()}
        return {key: statistics.fmean(of_key) if of_key else NAN for key, of_key in defined.items()}
