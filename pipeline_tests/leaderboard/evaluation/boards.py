"""Boards out of arrays, for tests of what is computed from boards."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.leaderboard import Leaderboard, LeaderboardBuilder, LeaderboardSpec, MeasureSpec


def board_of(
    values: Mapping[str | MeasureSpec, np.ndarray],
    runs: Sequence[str] | None = None,
    topics: Sequence[str] | None = None,
    on_missing: str = "fix_aggregate",
) -> Leaderboard:
    """A board of measures, each of shape (runs, topics); NaN is absent, and a run without any value has no row."""
    measures = [one if isinstance(one, MeasureSpec) else MeasureSpec(one) for one in values]
    cells = dict(zip([one.name for one in measures], values.values(), strict=True))
    n_runs, n_topics = next(iter(cells.values())).shape
    builder = LeaderboardBuilder(LeaderboardSpec(tuple(measures)))
    for place, run_id in enumerate(runs or [f"run{place}" for place in range(n_runs)]):
        for column, topic_id in enumerate(topics or [f"topic{column}" for column in range(n_topics)]):
            row = {name: float(matrix[place, column]) for name, matrix in cells.items()}
            if not all(np.isnan(value) for value in row.values()):
                builder.add(run_id=run_id, topic_id=topic_id, values=row)
    return builder.build(on_missing=on_missing)
