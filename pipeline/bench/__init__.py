"""How fast Podium is, measured beside other ways to the same numbers in one run on the same machine."""

from pipeline.bench.contest import Size
from pipeline.bench.history import HistoryCost, measure_history
from pipeline.bench.metrics import MetricsSpeed, Plan, measure
from pipeline.bench.reports import History, Load, ReportsSpeed, measure_reports

__all__ = [
    "History",
    "HistoryCost",
    "Load",
    "MetricsSpeed",
    "Plan",
    "ReportsSpeed",
    "Size",
    "measure",
    "measure_history",
    "measure_reports",
]
