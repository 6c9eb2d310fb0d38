"""What is written is read again: the same board, and the same bytes where the format allows."""

import json
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.leaderboard import (
    Direction,
    FormatName,
    Leaderboard,
    LeaderboardBuilder,
    LeaderboardSpec,
    MeasureSpec,
    WriteError,
    load,
    write,
)
from pipeline_tests.leaderboard.board.boards import graded, plain
from pipeline_tests.leaderboard.formats.test_detection import written

NAMES = st.text(string.ascii_letters + string.digits + "._-+", min_size=1, max_size=8).filter(
    lambda name: name not in ("all", "Q0")
)
LETTERS = NAMES.filter(lambda name: name[0] in string.ascii_letters)
FIXED = st.integers(0, 10_000).map(lambda number: f"{number / 10_000:.4f}")
EXACT = st.floats(allow_nan=False, allow_infinity=False).map(repr)
LONG = [FormatName.TOT, FormatName.IR_MEASURES, FormatName.JSONL, FormatName.CSV]
ALL = [one for one in FormatName if one is not FormatName.RANKING]

CANONICAL = {
    "trec_eval": "num_ret               \t1\t1000\nmap                   \t1\t0.1000\n"
    "P_5                   \t1\t0.0000\n"
    "num_ret               \t2\t20\nmap                   \t2\t0.3000\nP_5                   \t2\t0.4000\n"
    "runid                 \tall\tAAA\nnum_q                 \tall\t2\nnum_ret               \tall\t1020\n"
    "map                   \tall\t0.2000\ngm_map                \tall\t0.1732\nP_5                   \tall\t0.2000\n",
    "ir_measures_q": "1\tAP\t0.1000\n1\tP@10\t0.2000\n2\tAP\t0.3000\n2\tP@10\t0.0000\n"
    "all\tAP\t0.2000\nall\tP@10\t0.1000\n",
    "tot": "a\tAP\t1\t0.5\na\tRR\t1\t1.0\na\tAP\tall\t0.5\na\tRR\tall\t1.0\nb\tAP\t1\t0.25\n",
    "ir_measures": "a\t1\tAP\t0.50\na\t1\tRR\t1\na\tall\tAP\t5e-1\nb\t1\tAP\t0.25\n",
    "jsonl": '{"run_id": "a", "topic_id": "1", "measure": "AP", "value": 0.50}\n'
    '{"run_id": "a", "topic_id": "all", "measure": "AP", "value": 5e-1}\n',
    "csv": 'run_id,topic_id,measure,value\n"a,b",1,AP,0.50\n"a,b",all,AP,.5\n',
    "csv_wide": "run_id,topic_id,AP,P@10\na,1,0.50,0.1\na,2,,0.3\na,all,0.50,0.2\n",
}
ODD = {
    "measures one after the other": "map\t1\t0.1\nmap\t2\t0.3\nmap\tall\t0.2\n"
    "P_5\t1\t0.2\nP_5\t2\t0.4\nP_5\tall\t0.3\n",
    "aggregates in another order": "1\tAP\t0.1000\n1\tRR\t0.2000\nall\tRR\t0.2000\nall\tAP\t0.1000\n",
    "aligned by spaces": "first_run   AP  1    0.5\nb           AP  1    0.25\nb           AP  all  0.25\n",
    "single spaces": "a AP 1 0.5\nb AP 1 0.25\n",
    "no end of the last line": "a\t1\tAP\t0.5\na\tall\tAP\t0.5",
    "ends as on windows": "a\t1\tAP\t0.5\r\na\tall\tAP\t0.5\r\n",
    "a header with other words": "system\tqid\tmetric\tscore\na\t1\tAP\t0.5\n",
    "sections": "MODEL: BM25\nmap\t1\t0.1\nmap\tall\t0.1\nMODEL: TF IDF\nmap\t1\t0.2\nmap\tall\t0.2\n",
    "json without a run": '{"query_id": "1", "measure": "AP", "value": 0.31600000000000006}\n',
    "nan": "a\t1\tAP\tnan\na\t2\tAP\t0.5\n",
    "texts": "a\t1\tGRADE\tgood\na\t2\tGRADE\tnot so good\n",
    "csv without a run": "topic_id,AP\n1,0.5\n",
}


@pytest.mark.parametrize("text", [*CANONICAL.values(), *ODD.values()], ids=[*CANONICAL, *ODD])
def test_a_file_is_written_again_byte_for_byte(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(text.encode())
    loaded = load(path, on_missing="fix_aggregate")
    (format_,) = loaded.formats.values()
    write(loaded.board, tmp_path / "again", format_, loaded.layout)
    assert (tmp_path / "again").read_bytes() == text.encode()


@pytest.mark.parametrize("name", [name for name in CANONICAL if name != "csv"])
def test_what_tools_write_is_written_so_without_knowing_how_it_was(tmp_path: Path, name: str) -> None:
    board = load(written(tmp_path, CANONICAL[name], "AAA"), on_missing="fix_aggregate").board
    (path,) = write(board, tmp_path / "again", name)
    assert path.read_text() == CANONICAL[name]


def board_of(cells: dict[tuple[str, str], dict[str, str]], spec: LeaderboardSpec) -> Leaderboard:
    """A board of texts, with no aggregates."""
    builder = LeaderboardBuilder(spec)
    builder.add_columns(
        run_ids=[run for run, _ in cells],
        topic_ids=[topic for _, topic in cells],
        values={name: [row.get(name) for row in cells.values()] for name in spec.names},
    )
    return builder.build(None, "fix_aggregate", False)


@st.composite
def boards(draw: st.DrawFn) -> Leaderboard:
    """Boards with holes, of numbers written in several ways and of texts, some with aggregates."""
    runs = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    topics = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    measures = draw(st.lists(LETTERS, min_size=1, max_size=3, unique_by=str.lower))
    values = {name: draw(st.sampled_from([FIXED, EXACT, NAMES])) for name in measures}
    spec = LeaderboardSpec(tuple(MeasureSpec(name, str if values[name] is NAMES else float) for name in measures))
    keys = [(run, topic) for run in runs for topic in [*topics, "all"]]
    chosen = draw(st.lists(st.sampled_from(keys), min_size=1, unique=True))
    return board_of(
        {key: {name: draw(values[name]) for name in measures if draw(st.integers(0, 4))} for key in chosen}, spec
    )


def declared(board: Leaderboard) -> list[MeasureSpec]:
    """Its measures of which a value is there."""
    return [one for one in board.spec.measures if board.rows.columns[one.name].present.any()]


def cells_of(board: Leaderboard) -> dict[tuple[str, str, str], object]:
    """The values that are there."""
    rows = plain(board).items()
    return {(*key, name): value for key, row in rows for name, value in row.items() if value is not None}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(board=boards(), name=st.sampled_from([*LONG, FormatName.PARQUET]))
def test_any_board_is_read_as_it_was_written(tmp_path: Path, board: Leaderboard, name: FormatName) -> None:
    if not cells_of(board):
        return
    write(board, tmp_path / "board", name)
    named = name if name in (FormatName.TOT, FormatName.IR_MEASURES) else None
    loaded = load(tmp_path / "board", format=named, declared=declared(board), on_missing="fix_aggregate")
    assert cells_of(loaded.board) == cells_of(board)
    if name is FormatName.PARQUET:
        return
    write(loaded.board, tmp_path / "again", name, loaded.layout)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "board").read_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(board=boards(), name=st.sampled_from([FormatName.CSV_WIDE, FormatName.PARQUET_WIDE]))
def test_any_board_is_read_as_it_was_written_wide(tmp_path: Path, board: Leaderboard, name: FormatName) -> None:
    if not cells_of(board) or {one.lower() for one in board.measures} & {"measure", "metric"}:
        return
    write(board, tmp_path / "board", name)
    loaded = load(tmp_path / "board", declared=declared(board), on_missing="fix_aggregate")
    assert cells_of(loaded.board) == cells_of(board)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(board=boards(), name=st.sampled_from([FormatName.TREC_EVAL, FormatName.IR_MEASURES_Q]))
def test_any_board_is_read_as_it_was_written_in_a_file_for_each_run(
    tmp_path_factory: pytest.TempPathFactory, board: Leaderboard, name: FormatName
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    if any(run.startswith(".") for run in board.run_ids) or "runid" in board.measures:
        return
    paths = write(board, folder, name)
    runs = {run for run, _, _ in cells_of(board)}
    full = [path for path, run in zip(paths, board.run_ids, strict=True) if run in runs]
    found: dict[tuple[str, str, str], object] = {}
    for path, run in zip(full, [run for run in board.run_ids if run in runs], strict=True):
        mine = [one for one in declared(board) if (run, one.name) in {(r, m) for r, _, m in cells_of(board)}]
        found |= cells_of(load(path, format=name, run_id=run, declared=mine, on_missing="fix_aggregate").board)
    assert found == cells_of(board)


def test_computed_aggregates_look_like_the_numbers_they_are_of_where_the_tools_round(tmp_path: Path) -> None:
    board = load(written(tmp_path, CANONICAL["trec_eval"], "AAA"), drop_aggregate=True).board
    (path,) = write(board, tmp_path / "again.eval", "trec_eval")
    assert path.read_text().splitlines()[-4:] == [
        "num_ret               \tall\t1020",
        "map                   \tall\t0.2000",
        "gm_map                \tall\t0.1732",
        "P_5                   \tall\t0.2000",
    ]
    (path,) = write(board, tmp_path / "again.jsonl", "jsonl")
    assert json.loads(path.read_text().splitlines()[-3])["value"] == board.aggregates("map")[0]


class TestRefused:
    def test_formats_of_one_run_need_a_folder_for_several(self, tmp_path: Path) -> None:
        board = graded({("a", "1"): 0.5, ("b", "1"): 0.25}).build()
        (tmp_path / "file").touch()
        with pytest.raises(WriteError, match=r"file is a file; trec_eval holds one run in each, and the board has 2"):
            write(board, tmp_path / "file", "trec_eval")
        assert [path.name for path in write(board, tmp_path / "new", "trec_eval")] == ["a.eval", "b.eval"]

    def test_a_run_that_cannot_name_a_file_is_refused(self, tmp_path: Path) -> None:
        board = graded({("a/b", "1"): 0.5, ("../c", "1"): 0.25}).build()
        with pytest.raises(WriteError, match="run 'a/b' cannot name a file; write tot"):
            write(board, tmp_path / "new", "trec_eval")
        assert not (tmp_path / "new").exists()

    @pytest.mark.parametrize("name", ["tot", "csv", "csv_wide"])
    def test_a_line_that_would_be_a_comment_is_refused_and_leaves_no_file(self, tmp_path: Path, name: str) -> None:
        board = graded({("a", "1"): 0.5, ("#1", "1"): 0.5}).build()
        with pytest.raises(WriteError, match="a line that begins with '#1' would not be read"):
            write(board, tmp_path / "x", name)
        assert list(tmp_path.iterdir()) == []
        write(board, tmp_path / "x", "jsonl")
        assert load(tmp_path / "x").board.run_ids == ("a", "#1")

    def test_a_measure_called_like_another_column_is_refused_when_wide(self, tmp_path: Path) -> None:
        board = graded({("a", "1"): 0.5}, LeaderboardSpec((MeasureSpec("metric"),))).build()
        with pytest.raises(WriteError, match="measure metric is what another column is called"):
            write(board, tmp_path / "x", "csv_wide")

    @pytest.mark.parametrize("name", ["ranking", "xml"])
    def test_a_format_that_is_not_written_is_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ValueError, match=f"unknown format to write: '{name}'; known: trec_eval, ir_m"):
            write(graded({("a", "1"): 0.5}).build(), tmp_path / "x", name)


def test_a_layout_without_a_place_for_the_run_is_not_used_for_several(tmp_path: Path) -> None:
    one = load(written(tmp_path, ODD["json without a run"], "one"))
    other = load(written(tmp_path, ODD["json without a run"], "two"))
    write(one.board.merge(other.board), tmp_path / "x", "jsonl", one.layout)
    assert load(tmp_path / "x").board.run_ids == ("one", "two")


def test_measures_mean_the_same_after_a_round_trip_of_known_ones(tmp_path: Path) -> None:
    spec = LeaderboardSpec((MeasureSpec("num_ret", direction=Direction.NONE, aggregate="sum", default=0),))
    write(graded({("a", "1"): 3.0}, spec).build(), tmp_path / "x", "tot")
    assert load(tmp_path / "x").board.spec == spec


@pytest.mark.parametrize("format", ALL)
def test_a_folder_that_is_not_there_is_an_error_that_names_it(tmp_path: Path, format: str) -> None:
    board = graded({("a", "1"): 0.5}).build()
    with pytest.raises(WriteError, match=r"there is no folder '.*/nowhere'; make it first"):
        write(board, tmp_path / "nowhere" / "board", format)
