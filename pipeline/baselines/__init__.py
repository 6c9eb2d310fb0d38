"""The reference models of the bundled competition ``sp500``, and the competition's real data."""

from pipeline.baselines.factors import FACTORS, factor_values
from pipeline.baselines.models import BASELINES, Baseline
from pipeline.baselines.prices import PriceHistory, load_prices
from pipeline.baselines.sp500 import Sp500Source, source

__all__ = [
    "BASELINES",
    "FACTORS",
    "Baseline",
    "PriceHistory",
    "Sp500Source",
    "factor_values",
    "load_prices",
    "source",
]
