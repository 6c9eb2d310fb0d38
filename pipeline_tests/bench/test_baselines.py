"""What Podium's speed is compared with computes the same numbers: otherwise it would be no comparison."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.bench import baselines, frames, panels, rows
from pipeline.bench.contest import Size, contract, files, fill, metric_names

SIZE = Size(models=7, cycles=6, subjects=24)
COMPLETE = Size(models=7, cycles=6, subjects=24, missing=0.0)


@pytest.fixture(scope="module", params=[SIZE, COMPLETE], ids=["gaps", "complete"])
def contest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Size, Path]:
    folder = tmp_path_factory.mktemp("bench")
    with files(folder).write("test") as store:
        fill(store, request.param)
    return request.param, folder


def of_panel(folder: Path) -> dict[str, pd.Series]:
    """Values by metric, then by model and cycle."""
    _, computed = panels.rows_and_metrics(folder)
    return {str(name): part.set_index(["model_id", "cycle"])["value"] for name, part in computed.groupby("metric")}


def part_of(folder: Path, size: Size) -> baselines.Part:
    with files(folder).read() as store:
        return baselines.read_part(store, size.models, size.cycles)


def assert_same(found: pd.Series, expected: pd.Series) -> None:
    found, expected = (one.sort_index().astype(float) for one in (found, expected))
    assert found.index.tolist() == expected.index.tolist()
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), atol=1e-9)


def test_pandas_agrees(contest: tuple[Size, Path]) -> None:
    size, folder = contest
    found = frames.metrics(*part_of(folder, size), metric_names())
    expected = of_panel(folder)
    assert set(found) == set(metric_names()) - {"resolved"}
    for name in (found.keys() & expected.keys()) - set(frames.OF_COMPLETE if size.missing else ()):
        assert_same(found[name], expected[name].dropna())


def test_plain_python_agrees(contest: tuple[Size, Path]) -> None:
    size, folder = contest
    part = part_of(folder, size)
    expected = of_panel(folder)
    for cycle, of_cycle in zip(sorted(part[0]["cycle"].unique()), baselines.cycles_of(*part), strict=True):
        computed = rows.metrics_of_cycle(of_cycle, metric_names())
        assert computed.keys() == rows.METRICS.keys()
        for name, values in computed.items():
            if not (size.missing and name in rows.OF_COMPLETE):
                assert_same(pd.Series(values, dtype=float), expected[name].xs(cycle, level="cycle"))


def test_a_larger_history_begins_with_the_smaller_one(tmp_path: Path) -> None:
    with files(tmp_path).write("test") as store:
        first = fill(store, Size(3, 4, 10))
        assert fill(store, Size(3, 6, 10), 4) == pytest.approx(first / 2, rel=0.3)
        assert len(panels.cycles_of_store(store)) == 6
        whole = baselines.read_part(store, 3, 6)
    assert whole[0].groupby("cycle").size().min() > 20


def test_every_built_in_metric_is_measured() -> None:
    assert set(metric_names()) == set(contract().metrics)
    assert {"ic", "mean_return", "hit_rate", "ic_sharpe", "model_correlation", "turnover", "fnc"} <= set(metric_names())
