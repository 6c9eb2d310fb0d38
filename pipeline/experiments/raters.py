"""How far people agree who rated the same runs, by every coefficient that may be asked for."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.experiments.frames import frame_of_rows
from pipeline.experiments.scorers.agreement import Agreement, Level, cohen_kappa, fleiss_kappa, krippendorff_alpha
from pipeline.experiments.scores import latest_scores
from pipeline.tables import EXPERIMENT_AGREEMENT, MACHINE

_NAMES = [one for one in EXPERIMENT_AGREEMENT.column_names if one != EXPERIMENT_AGREEMENT.board]
_ALPHA_LEVELS: tuple[Level, ...] = ("ordinal", "interval")


def agreement_rows(scores: pd.DataFrame) -> pd.DataFrame:
    """Agreement of people by scorer, over the newest rating of each; scorers that nobody rates by have no rows.

    Parameters
    ----------
    scores : DataFrame
        Rows of experiments.scores in the order of arrival.
    """
    latest = latest_scores(scores)
    rated = latest[(latest["rater"] != MACHINE) & latest["value"].notna()]
    rows = []
    for scorer, of_scorer in rated.groupby("scorer", sort=True):
        ratings = of_scorer.pivot(index="rater", columns="run_id", values="value").to_numpy(dtype=np.float64)
        for coefficient, level, found in _coefficients(ratings):
            said = (scorer, coefficient, level, found.value, found.n_raters, found.n_items, found.reason)
            rows.append(dict(zip(_NAMES, said, strict=True)))
    return frame_of_rows(EXPERIMENT_AGREEMENT, rows)


def _coefficients(ratings: npt.NDArray[np.float64]) -> list[tuple[str, str, Agreement]]:
    return [
        ("cohen_kappa", "nominal", cohen_kappa(ratings)),
        ("fleiss_kappa", "nominal", fleiss_kappa(ratings)),
        *(("krippendorff_alpha", level, krippendorff_alpha(ratings, level)) for level in _ALPHA_LEVELS),
    ]
