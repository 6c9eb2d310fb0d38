"""What a table of a track depends on: a changed declaration recomputes what it touches, and nothing else."""

from typing import Any

import pytest

from pipeline.judging import stage_code
from pipeline_tests.track_graph import track

STAGES = ("catalog", "files", "measures", "leaderboard", "correlations", "comparisons")


@pytest.mark.parametrize(
    ("changes", "stages"),
    [
        ({"title": "Another title"}, set()),
        ({"schedule": "0 0 * * *"}, set()),
        ({"primary": "P_10"}, {"leaderboard", "correlations", "comparisons"}),
        ({"judges": {"umbrela": {"primary": "P_10"}}}, {"leaderboard", "correlations", "comparisons"}),
        ({"judges": ["umbrela", "crowd"]}, {"files", "measures", "leaderboard", "correlations", "comparisons"}),
        ({"official": {"files": "x.eval"}}, {"files", "measures"}),
        ({"measures": ["map"]}, {"measures"}),
        ({"on_missing": "warn"}, {"measures", "leaderboard", "correlations", "comparisons"}),
        ({"meanings": {"x": {}}}, {"files", "measures"}),
        ({"correlations": {"methods": ["kendall"]}}, {"correlations"}),
        ({"comparisons": {"test": "fisher"}}, {"comparisons"}),
    ],
)
def test_a_changed_declaration_changes_the_tables_that_use_it(changes: dict[str, Any], stages: set[str]) -> None:
    before, after = track(correlations={}), track(**({"correlations": {}} | changes))
    assert {one for one in STAGES if stage_code(one, before) != stage_code(one, after)} == stages


def test_the_hashes_of_files_count() -> None:
    assert stage_code("files", track(), "one") != stage_code("files", track(), "other")


def test_an_unknown_table_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown stage 'boards'; known: catalog, files, measures"):
        stage_code("boards", track())
