"""Metrics of a model's series over a window."""

import numpy as np

from pipeline.competition.metrics import sharpe
from pipeline.competition.reasons import REASONS
from pipeline_tests.competition.contests import NAN


def test_sharpe_is_mean_over_standard_deviation_with_a_reason_where_undefined() -> None:
    series = np.array(
        [
            [0.1, NAN, 0.2, 0.3, NAN],
            [0.3, NAN, NAN, 0.3, 0.1],
            [-0.1, NAN, NAN, 0.3, 0.2],
        ]
    )
    found = sharpe(series)
    expected = [np.mean(series[:, 0]) / np.std(series[:, 0], ddof=1), NAN, NAN, NAN, 0.15 / np.std([0.1, 0.2], ddof=1)]
    np.testing.assert_allclose(found.influence.value, expected, rtol=1e-12)
    assert found.influence.n.tolist() == [3, 0, 1, 3, 2]
    assert [REASONS[code] for code in found.reason] == [None, "no_predictions", "too_few_cycles", "zero_variance", None]
