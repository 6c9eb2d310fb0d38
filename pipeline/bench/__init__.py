"""How fast Podium is, measured beside other ways to the same numbers in one run on the same machine."""

from pipeline.bench.contest import Size
from pipeline.bench.history import HistoryCost, measure_history
from pipeline.bench.metrics import MetricsSpeed, Plan, measure

__all__ = ["HistoryCost", "MetricsSpeed", "Plan", "Size", "measure", "measure_history"]
