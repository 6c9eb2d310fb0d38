"""The reference models of the bundled competitions ``sp500`` and ``sp500_risk``, and their real data."""

from pipeline.baselines.baseline import Baseline
from pipeline.baselines.factors import FACTORS, factor_values
from pipeline.baselines.models import BASELINES
from pipeline.baselines.prices import PriceHistory, load_prices
from pipeline.baselines.risk_models import RISK_BASELINES
from pipeline.baselines.sp500 import Sp500Source, source
from pipeline.baselines.sp500_risk import LEVELS, Sp500RiskSource

__all__ = [
    "BASELINES",
    "FACTORS",
    "LEVELS",
    "RISK_BASELINES",
    "Baseline",
    "PriceHistory",
    "Sp500RiskSource",
    "Sp500Source",
    "factor_values",
    "load_prices",
    "source",
]
