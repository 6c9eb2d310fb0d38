"""Leave-one-out at once for all members equals weighing and combining the others anew, one by one."""

from typing import Any

import numpy as np
import pytest

from pipeline.competition.arrays import Floats
from pipeline.competition.ensembles import EnsembleConfig, Track, Weighing, Without, combine, strategy_of, weigh
from pipeline.leaderboard import Direction
from pipeline_tests.competition.ensembles import reference
from pipeline_tests.competition.ensembles.tracks import NAN, track

STRATEGIES = ["equal_weight", "inverse_variance", "skill_variance", "performance"]
BY_DIRECTION = [
    (strategy, direction)
    for strategy in STRATEGIES
    for direction in (Direction.DESC, Direction.ASC)
    if direction is Direction.DESC or strategy_of(strategy).for_losses
]


def config(**declared: Any) -> EnsembleConfig:
    return EnsembleConfig.model_validate({"name": "e", "window": 20, "min_history": 4} | declared)


def random_record(seed: int, size: int, direction: Direction) -> Track:
    """Members of every kind: steady and wild, without skill, constant, newcomers, equal to one another."""
    random = np.random.default_rng(seed)
    series = random.normal(0.02, 0.1, (size, 12)) * 10 ** random.integers(-4, 2, (size, 1)).astype(float)
    series[random.random(size) < 0.15] = 0.125
    if size > 3:
        series[1] = series[2]
    series[random.random(series.shape) < 0.2] = NAN
    for newcomer in np.flatnonzero(random.random(size) < 0.25):
        series[newcomer, : 12 - random.integers(0, 5)] = NAN
    return track(np.abs(series) if direction is Direction.ASC else series, direction)


def random_signals(seed: int, size: int) -> Floats:
    """Predictions with ties and gaps; some subjects that one member alone predicts."""
    random = np.random.default_rng([seed, 1])
    signals = np.round(random.normal(size=(size, 8)), 1)
    signals[random.random(signals.shape) < 0.25] = NAN
    signals[:, 0] = NAN
    signals[random.integers(size), 0] = 0.5
    return signals


def by_subject(row: Floats) -> dict[str, float]:
    return {f"s{at}": float(value) for at, value in enumerate(row) if not np.isnan(value)}


def expected(record: Track, signals: Floats, ensemble: EnsembleConfig, digits: int) -> dict[str, float]:
    """The prediction of some members, from scratch."""
    if len(signals) == 0:
        return {}
    members = {model: by_subject(row) for model, row in zip(record.models, signals, strict=True)}
    return reference.combined(members, reference.weights(ensemble.strategy, record, ensemble), ensemble, digits)


def check(record: Track, signals: Floats, ensemble: EnsembleConfig, members: int) -> int:
    """Compare every member left out, and the whole; how many were compared."""
    found = combine(
        signals, weighing := weigh(strategy_of(ensemble.strategy), record, members, ensemble.terms), ensemble
    )
    every = np.arange(len(signals))
    weighty = {str(at): by_subject(signals[at]) for at in np.flatnonzero(weighing.weights > 0)}
    digits = reference.decimals(weighty)
    whole = expected(record.of(every[:members]), signals[:members], ensemble, digits)
    assert by_subject(found.value) == pytest.approx(whole, abs=1e-12, rel=1e-12)
    assert found.without is not None
    for place in range(members):
        left = np.delete(every, place)
        assert by_subject(found.without[place]) == pytest.approx(
            expected(record.of(left), signals[left], ensemble, digits), abs=1e-12, rel=1e-12
        ), place
    for place in range(members, len(signals)):
        assert by_subject(found.without[place]) == by_subject(found.value)
    return members


@pytest.mark.parametrize("how", ["mean", "median", "trimmed"])
@pytest.mark.parametrize(("strategy", "direction"), BY_DIRECTION)
def test_is_what_the_others_would_predict(strategy: str, how: str, direction: Direction) -> None:
    for seed in range(40):
        size = 1 + seed % 9
        ensemble = config(strategy=strategy, combine=how, trim=0.25, max_weight=0.4)
        check(random_record(seed, size, direction), random_signals(seed, size), ensemble, size)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_lets_the_next_candidate_in(strategy: str) -> None:
    for seed in range(60):
        size = 2 + seed % 7
        record, signals = random_record(seed, size, Direction.DESC), random_signals(seed, size)
        check(record, signals, config(strategy=strategy), size - 1)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_of_a_single_member_leaves_nothing(strategy: str) -> None:
    record = random_record(3, 1, Direction.DESC)
    found = combine(
        np.array([[1.0, 2.0]]), weigh(strategy_of(strategy), record, 1, config().terms), config(strategy=strategy)
    )
    assert found.value.tolist() == [1, 2]
    assert found.without is not None
    assert np.isnan(found.without).all()


def test_the_floor_binds_in_the_cases_tried() -> None:
    """So that its median without a member is part of the comparison."""
    binding = []
    for seed in range(40):
        variance = random_record(seed, 1 + seed % 9, Direction.DESC).variance()
        binding.append(np.nanmin(variance, initial=np.inf) < 1e-3 * np.nanmedian([*variance, 0.0]))
    assert sum(binding) > 10


@pytest.mark.parametrize("share", [1e-3, 1e-6, 1e-9, 1e-14, 1e-200])
def test_of_a_member_with_nearly_all_of_the_weight_is_exact(share: float) -> None:
    weights = np.array([1.0, share, 2 * share])
    weighing = Weighing(weights, np.full(3, None), (Without(np.arange(3), weights),))
    signals = np.array([[0.3, 0.25, NAN, 0.7], [0.1, 0.9, 0.3, NAN], [0.4, NAN, 0.6, NAN]])
    found = combine(signals, weighing, config())
    assert found.without is not None
    assert found.without[0] == pytest.approx([0.3, 0.9, 0.5, NAN], rel=1e-12, nan_ok=True)
    assert found.without[1, 2] == 0.6
    assert found.without[2, 2] == 0.3
