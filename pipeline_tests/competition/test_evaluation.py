"""Metrics over parts of a panel, on any number of threads, are the metrics over the panel."""

import numpy as np
import pandas as pd
import pytest

from pipeline.competition import evaluation
from pipeline.competition.evaluation import evaluate, parts
from pipeline.competition.metrics import METRICS
from pipeline.competition.scoring import RULES
from pipeline.competition.stages import compute_cycle_metrics, score_predictions
from pipeline.settings import settings
from pipeline_tests.competition.contests import contract, random_contest, random_panel

ALL = [metric for metric in METRICS if metric.of_panel is not None and metric.is_of_any]


@pytest.mark.parametrize("threads", ["1", "3"])
@pytest.mark.parametrize("cells", [1, 100, 1 << 17])
def test_neither_parts_nor_threads_change_a_value(cells: int, threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    panel, rule = random_panel(5, sections=7), RULES.get("rank_product")
    whole = panel.with_scores(rule.function(panel).value)
    monkeypatch.setattr(evaluation, "CELLS_AT_ONCE", cells)
    monkeypatch.setenv("PODIUM_THREADS", threads)
    settings.cache_clear()
    for metric, found in zip(ALL, evaluate(ALL, panel, rule), strict=True):
        expected = metric.over_panel(whole)
        for name in ("value", "n", "reason"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=metric.name)
    settings.cache_clear()


def test_parts_are_the_panel_in_order() -> None:
    panel = random_panel(1, sections=5)
    signals = np.concatenate([part.signals for part in parts(panel)])
    np.testing.assert_array_equal(signals, panel.signals)


def test_a_panel_keeps_what_is_known_of_it_when_it_is_scored() -> None:
    panel = random_panel(1)
    ranks = panel.signal_ranks
    assert panel.with_scores(panel.scores + 1.0).signal_ranks is ranks


@pytest.mark.parametrize("seed", range(4))
def test_scores_computed_again_are_the_scores_stored(seed: int) -> None:
    predictions, truth = random_contest(seed)
    scores = score_predictions(predictions, truth, contract())
    pd.testing.assert_frame_equal(
        compute_cycle_metrics(predictions, truth, None, contract()),
        compute_cycle_metrics(predictions, truth, scores, contract()),
    )
