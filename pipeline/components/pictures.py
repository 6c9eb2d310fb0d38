"""Pictures of a competition for the metadata of its assets: the top of the board, and how the leaders got there."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pandas as pd

from pipeline.charts import board_chart, cumulative_chart, markdown_picture
from pipeline.competition import Contract
from pipeline.leaderboard import Direction
from pipeline.warehouse import Store

_TOP = 12
_LEADERS = 6
_POINTS = 130
"""Points of a line: enough for the eye, few enough for a picture."""

_BOARD = """
    SELECT b.position, if(count(*) OVER (PARTITION BY m.title) > 1 OR m.title IS NULL, b.model_id, m.title) AS label,
           s.value, s.ci_low, s.ci_high, s.as_of
    FROM competition.leaderboard AS b
    JOIN competition.snapshots AS s USING (competition, as_of, category, model_id)
    LEFT JOIN competition.models AS m USING (competition, model_id)
    WHERE b.competition = ? AND b.category = 'overall' AND b.status = 'ranked'
      AND s.window_name = ? AND s.metric = ?
      AND b.as_of = (SELECT max(as_of) FROM competition.leaderboard WHERE competition = ?)
    ORDER BY b.position
    LIMIT ?
"""

_CUMULATIVE = """
    WITH latest AS (
        SELECT model_id, cycle, value
        FROM competition.cycle_metrics
        WHERE competition = ? AND category = 'overall' AND metric = ? AND value IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY model_id, cycle ORDER BY known_at DESC) = 1
    ), leaders AS (
        SELECT model_id FROM latest GROUP BY model_id ORDER BY ? * sum(value) DESC, model_id LIMIT ?
    ), summed AS (
        SELECT model_id, cycle, sum(value) OVER (PARTITION BY model_id ORDER BY cycle) AS value,
               row_number() OVER (PARTITION BY model_id ORDER BY cycle DESC) AS back,
               count(*) OVER (PARTITION BY model_id) AS n
        FROM latest SEMI JOIN leaders USING (model_id)
    )
    SELECT strftime(cycle, '%Y-%m-%d') AS time, coalesce(m.title, summed.model_id) AS label, value
    FROM summed LEFT JOIN competition.models AS m ON m.competition = ? AND m.model_id = summed.model_id
    WHERE (back - 1) % greatest(1, n // ?) = 0
    ORDER BY cycle, label
"""


_PICTURE = "picture"
_MADE_OF = "podium/picture_of"


@dataclass(frozen=True)
class Chart:
    """A chart that is not drawn yet, or the words to show while there is nothing to draw."""

    words: str
    spec: dict[str, Any] | None = None

    @property
    def content(self) -> str:
        """Hash of all that is on it."""
        return hashlib.sha256(json.dumps([self.words, self.spec]).encode()).hexdigest()[:16]


def picture_metadata(chart: Chart, before: Mapping[str, dg.MetadataValue]) -> dict[str, dg.MetadataValue]:
    """The chart as a picture; that of the materialization ``before`` when it shows the same, since drawing takes long.

    The UI shows the metadata of the newest materialization only, so the picture is given every time.
    """
    made_of = dg.MetadataValue.text(chart.content)
    if before.get(_MADE_OF) == made_of and _PICTURE in before:
        return {_PICTURE: before[_PICTURE], _MADE_OF: made_of}
    drawn = chart.words if chart.spec is None else markdown_picture(chart.spec, chart.words)
    return {_PICTURE: dg.MetadataValue.md(drawn), _MADE_OF: made_of}


def top_of_board(store: Store, contract: Contract) -> Chart:
    """The newest board's first models with their 95 % intervals."""
    key = next(iter(contract.leaderboard.weights))
    window, _, metric = key.partition(".")
    rows = store.query(_BOARD, [contract.name, window, metric, contract.name, _TOP])
    if rows.empty:
        return Chart("No model is ranked yet.")
    as_of = rows["as_of"].iloc[0]
    spec = board_chart(
        _records(rows.drop(columns="as_of")),
        contract.title,
        f"{metric}, window {window}, with 95 % intervals, as of {as_of:%Y-%m-%d}",
        contract.metric(metric).unit,
    )
    return Chart(f"Top of the {contract.name} board", spec)


def cumulative(store: Store, contract: Contract) -> Chart:
    """The primary metric summed over all cycles, for the models where the sum is best."""
    primary = contract.scoring.primary
    sign = -1 if contract.direction(primary) is Direction.ASC else 1
    rows = store.query(_CUMULATIVE, [contract.name, primary, sign, _LEADERS, contract.name, _POINTS])
    if rows.empty:
        return Chart("No cycle is resolved yet.")
    spec = cumulative_chart(
        _records(rows),
        f"{contract.title}: cumulative {primary}",
        f"the {_LEADERS} models with the best sum over all cycles",
        f"sum of {primary}",
    )
    return Chart(f"Cumulative {primary} of the leaders of {contract.name}", spec)


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as a chart takes them: NULL is None."""
    return [
        {str(name): value for name, value in row.items()}
        for row in rows.astype(object).where(rows.notna(), None).to_dict("records")
    ]
