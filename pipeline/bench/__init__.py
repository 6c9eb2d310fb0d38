"""How fast Podium is, measured beside other ways to the same numbers in one run on the same machine."""

from pipeline.bench.contest import Size
from pipeline.bench.history import HistoryCost, measure_history
from pipeline.bench.hub import HubSpeed, measure_hub
from pipeline.bench.load import Load
from pipeline.bench.metrics import MetricsSpeed, Plan, measure
from pipeline.bench.reports import History, ReportsSpeed, measure_reports
from pipeline.bench.season import Season, SeasonFiles

__all__ = [
    "History",
    "HistoryCost",
    "HubSpeed",
    "Load",
    "MetricsSpeed",
    "Plan",
    "ReportsSpeed",
    "Season",
    "SeasonFiles",
    "Size",
    "measure",
    "measure_history",
    "measure_hub",
    "measure_reports",
]
