"""Small boards by hand, and what is on a board as plain values."""

from collections.abc import Mapping, Sequence

from pipeline.leaderboard import Leaderboard, LeaderboardBuilder, LeaderboardSpec, MeasureSpec

Cells = Mapping[tuple[str, str], object]

GRADES = LeaderboardSpec((MeasureSpec("GRADE"), MeasureSpec("CATEGORY", str)))


def graded(values: Mapping[tuple[str, str], float | None], spec: LeaderboardSpec | None = None) -> LeaderboardBuilder:
    """A builder with the first measure's values by run and topic."""
    builder = LeaderboardBuilder(spec or LeaderboardSpec((MeasureSpec("GRADE"),)))
    (name, *_) = builder.spec.names
    for (run_id, topic_id), value in values.items():
        builder.add(run_id=run_id, topic_id=topic_id, values={name: value})
    return builder


def plain(board: Leaderboard) -> dict[tuple[str, str], dict[str, object]]:
    """Every row by run and topic."""
    return {(entry.run_id, entry.topic_id): dict(entry.values) for entry in board.entries}


def rows_in_order(board: Leaderboard) -> Sequence[tuple[str, str]]:
    """Run and topic of every row."""
    return [(entry.run_id, entry.topic_id) for entry in board.entries]
