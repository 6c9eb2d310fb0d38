"""Pictures of a competition for the metadata of its assets: the top of the board, and how the leaders got there."""

from typing import Any

import pandas as pd

from pipeline.charts import board_chart, cumulative_chart, markdown_picture
from pipeline.competition import Contract
from pipeline.leaderboard import Direction
from pipeline.warehouse import Store

_TOP = 12
_LEADERS = 6
_POINTS = 260
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


def top_of_board(store: Store, contract: Contract) -> str:
    """The newest board's first models with their 95 % intervals, as Markdown."""
    key = next(iter(contract.leaderboard.weights))
    window, _, metric = key.partition(".")
    rows = store.query(_BOARD, [contract.name, window, metric, contract.name, _TOP])
    if rows.empty:
        return "No model is ranked yet."
    as_of = rows["as_of"].iloc[0]
    spec = board_chart(
        _records(rows.drop(columns="as_of")),
        contract.title,
        f"{metric}, window {window}, with 95 % intervals, as of {as_of:%Y-%m-%d}",
        contract.metric(metric).unit,
    )
    return markdown_picture(spec, f"Top of the {contract.name} board")


def cumulative(store: Store, contract: Contract) -> str:
    """The primary metric summed over all cycles, for the models where the sum is best, as Markdown."""
    primary = contract.scoring.primary
    sign = -1 if contract.direction(primary) is Direction.ASC else 1
    rows = store.query(_CUMULATIVE, [contract.name, primary, sign, _LEADERS, contract.name, _POINTS])
    if rows.empty:
        return "No cycle is resolved yet."
    spec = cumulative_chart(
        _records(rows),
        f"{contract.title}: cumulative {primary}",
        f"the {_LEADERS} models with the best sum over all cycles",
        f"sum of {primary}",
    )
    return markdown_picture(spec, f"Cumulative {primary} of the leaders of {contract.name}")


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as a chart takes them: NULL is None."""
    return [
        {str(name): value for name, value in row.items()}
        for row in rows.astype(object).where(rows.notna(), None).to_dict("records")
    ]
