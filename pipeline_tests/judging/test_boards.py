"""A board between its files and the tables: complete, with nothing invented, and the same when it is made again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.judging import (
    Content,
    Grid,
    TrackError,
    board_of,
    measure_rows,
    require_measures,
    spec_rows,
    specs_of,
    used_measures,
)
from pipeline.judging.declaration import BoardFiles
from pipeline.judging.reading import read
from pipeline.leaderboard.formats import Loaded
from pipeline_tests.track_graph import track

LINES = """\
runid all good
num_q all 2
map 301 0.5000
map 302 0.3000
map all 0.4000
gm_map all 0.3873
num_ret 301 10
num_ret 302 20
num_ret all 30
runid all gaps
map 301 0.1000
num_ret 301 5
"""


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """Two runs, one of which lacks a topic."""
    contents = []
    for run in ("good", "gaps"):
        path = tmp_path / f"{run}.eval"
        block = LINES.split("runid all ")[1 if run == "good" else 2].partition("\n")[2]
        path.write_text("".join(line.replace(" ", "\t") + "\n" for line in block.splitlines()))
        contents.append(Content.of(path, path.name))
    return read(contents, BoardFiles())


def test_by_default_measures_with_a_better_end_are_used_and_what_they_sum_up(loaded: Loaded) -> None:
    assert [one.name for one in used_measures(loaded.inferences, None)] == ["map", "gm_map"]
    assert {one.name for one in used_measures(loaded.inferences, ["gm_map", "num_ret"])} == {"gm_map", "map", "num_ret"}
    assert used_measures(loaded.inferences, ["P_10"]) == ()


def test_a_topic_that_a_run_lacks_is_a_row_without_a_value(loaded: Loaded) -> None:
    used = used_measures(loaded.inferences, None)
    grid = Grid.of(loaded.board, used)

    rows = measure_rows(grid, board_of(grid, used, "fix_aggregate"))

    of_map = rows[rows["measure"] == "map"].astype({"run_id": str, "topic_id": str})
    found = {(row.run_id, row.topic_id): row.value for row in of_map.itertuples()}
    assert found[("good", "301")] == 0.5
    assert np.isnan(found[("gaps", "302")])
    assert (found[("good", "all")], found[("gaps", "all")]) == (pytest.approx(0.4), pytest.approx(0.05))
    assert len(found) == 6


@pytest.mark.parametrize(("on_missing", "expected"), [("fix_aggregate", 0.05), ("warn", 0.1)])
def test_what_counts_for_a_missing_topic_is_as_declared(loaded: Loaded, on_missing: str, expected: float) -> None:
    used = used_measures(loaded.inferences, None)
    board = board_of(Grid.of(loaded.board, used), used, on_missing)
    assert board.aggregates("map")[board.run_ids.index("gaps")] == pytest.approx(expected)


def test_a_board_may_be_refused_for_a_missing_topic(loaded: Loaded) -> None:
    used = used_measures(loaded.inferences, None)
    with pytest.raises(ValueError, match="gaps lacks 302"):
        board_of(Grid.of(loaded.board, used), used, "error")


def test_a_board_made_of_its_rows_is_the_same(loaded: Loaded) -> None:
    used = used_measures(loaded.inferences, None)
    grid = Grid.of(loaded.board, used)
    board = board_of(grid, used, "fix_aggregate")
    rows = measure_rows(grid, board).astype({"run_id": str, "topic_id": str, "measure": str})
    specs = specs_of(spec_rows(loaded.inferences, used))

    topics = rows[rows["topic_id"] != "all"]
    values = {
        name: topics[topics["measure"] == name]
        .pivot(index="run_id", columns="topic_id", values="value")
        .reindex(index=sorted(grid.run_ids), columns=sorted(grid.topic_ids))
        .to_numpy()
        for name in ("map",)
    }
    again = board_of(
        Grid(tuple(sorted(grid.run_ids)), tuple(sorted(grid.topic_ids)), values, {}), specs, "fix_aggregate"
    )

    assert specs == used
    for name in ("map", "gm_map"):
        left = dict(zip(board.run_ids, board.aggregates(name), strict=True))
        right = dict(zip(again.run_ids, again.aggregates(name), strict=True))
        assert left == right
    assert again.coverage.missing == board.coverage.missing == {"gaps": ("302",)}


def test_a_board_of_all_rows_only_keeps_them_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "judge.tot"
    path.write_text("a\tGRADE\tall\t0.75\nb\tGRADE\tall\t0.5\n")
    loaded = read([Content.of(path, path.name)], BoardFiles())
    used = used_measures(loaded.inferences, None)
    grid = Grid.of(loaded.board, used)

    board = board_of(grid, used, "fix_aggregate")

    assert grid.topic_ids == ()
    assert dict(zip(board.run_ids, board.aggregates("GRADE"), strict=True)) == {"a": 0.75, "b": 0.5}
    assert measure_rows(grid, board)["topic_id"].tolist() == ["all", "all"]


def test_what_a_measure_was_taken_for_is_told(loaded: Loaded) -> None:
    rows = spec_rows(loaded.inferences, used_measures(loaded.inferences, None)).set_index("measure")

    assert rows.loc["gm_map", ["aggregate", "sums_up", "is_used"]].tolist() == ["gmean", "map", True]
    assert rows.loc["num_ret", ["aggregate", "direction", "is_used"]].tolist() == ["sum", "none", False]
    assert rows.loc["map", "taken_from"] == "known: trec_eval"
    assert isinstance(rows, pd.DataFrame)


def test_a_measure_that_no_board_has_is_named_with_those_there_are() -> None:
    declared = track(measures=["map", "P_10"])
    with pytest.raises(TrackError, match=r"no board has measure 'P_10'; known: map, bpref"):
        require_measures(declared, {"official": ["map", "bpref"], "umbrela": ["map"]}, refused=False)


@pytest.mark.parametrize(
    ("boards", "refused"), [({}, False), ({"official": ["map"]}, True), ({"umbrela": ["map", "P_10"]}, False)]
)
def test_a_measure_may_be_in_a_file_that_is_not_there_yet_or_was_refused(
    boards: dict[str, list[str]], refused: bool
) -> None:
    require_measures(track(measures=["map", "P_10"]), boards, refused)
