"""How well one ranking of runs predicts another: the coefficients, and who takes part in them."""

from pipeline.leaderboard.correlation.correlate import Correlations, correlate
from pipeline.leaderboard.correlation.method import COEFFICIENTS, CorrelationMethod

__all__ = ["COEFFICIENTS", "CorrelationMethod", "Correlations", "correlate"]
