"""The cycles of a contest's windows, as they were resolved at a moment."""

from collections.abc import Sequence
from datetime import datetime

import duckdb
import numpy as np

from pipeline.competition.declaration import WindowSpec
from pipeline.competition.metrics import COVERAGE
from pipeline.competition.stages.windows import span_of
from pipeline.reports.queries.standings import Contest
from pipeline.tables import OVERALL

_RESOLVED = """
    SELECT DISTINCT cycle FROM competition.cycle_metrics
    WHERE competition = $competition AND category = $category AND metric = $metric AND known_at <= $as_of
    AND NOT is_imputed
    ORDER BY cycle
"""


def window_cycles(
    connection: duckdb.DuckDBPyConnection, of: Contest, window: str, as_of: datetime
) -> Sequence[datetime]:
    """The resolved cycles of a window in order, as known at a moment; none while nothing is resolved."""
    asked = {"competition": of.name, "category": OVERALL, "metric": COVERAGE.name, "as_of": as_of}
    resolved = [cycle for (cycle,) in connection.execute(_RESOLVED, asked).fetchall()]
    if not resolved:
        return []
    spec = WindowSpec.model_validate(of.contract["windows"][window])
    return resolved[span_of(spec, np.array(resolved, dtype="datetime64[us]"), np.arange(len(resolved)))]
