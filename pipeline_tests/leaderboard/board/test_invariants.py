"""The invariants of boards that no single function holds: who makes a board, and who decides about its ``all`` rows."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

import pipeline
from pipeline.leaderboard import (
    Aggregate,
    FormatName,
    Leaderboard,
    LeaderboardBuilder,
    LeaderboardEntry,
    LeaderboardSpec,
    MeasureSpec,
    load,
    write,
)
from pipeline.leaderboard.board.entries import Rows
from pipeline_tests.leaderboard.board.boards import graded, plain

PACKAGE = Path(pipeline.__file__).parent
SPEC = LeaderboardSpec(
    (MeasureSpec("GRADE"), MeasureSpec("LABEL", str), MeasureSpec("N", aggregate=Aggregate.NONE, only_in_all=True))
)


def functions() -> Iterator[tuple[str, ast.AST]]:
    """Every function of Podium, by its module and name."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield f"{module}.{node.name}", node


def calls(node: ast.AST, name: str) -> bool:
    """Whether a class is called there."""
    return any(
        isinstance(one, ast.Call)
        and (
            (isinstance(one.func, ast.Name) and one.func.id == name)
            or (isinstance(one.func, ast.Attribute) and one.func.attr == name)
        )
        for one in ast.walk(node)
    )


def decides_by(node: ast.AST, name: str) -> bool:
    """Whether something depends on a variable there, beyond its being passed on."""
    tests = [one.test for one in ast.walk(node) if isinstance(one, ast.If | ast.IfExp | ast.While)]
    tests += [one for one in ast.walk(node) if isinstance(one, ast.BoolOp)]
    return any(isinstance(part, ast.Name) and part.id == name for test in tests for part in ast.walk(test))


def board() -> Leaderboard:
    """Two runs; what the ``all`` rows of the first say is not what its topics sum up to."""
    builder = LeaderboardBuilder(SPEC)
    for run, topic, grade in (("a", "1", 1.0), ("a", "2", 0.0), ("b", "1", 1.0), ("b", "2", 1.0)):
        builder.add(run_id=run, topic_id=topic, GRADE=grade, LABEL="yes" if grade else "no")
    for run, grade in (("a", 0.9), ("b", 1.0)):
        builder.add(run_id=run, topic_id="all", GRADE=grade, LABEL="yes", N=2)
    return builder.build(drop_aggregate=False)


def test_only_the_builder_makes_a_board() -> None:
    assert [name for name, node in functions() if calls(node, "Leaderboard")] == ["leaderboard.board.builder.build"]


def test_all_rows_are_kept_or_dropped_in_one_place() -> None:
    assert {name for name, node in functions() if decides_by(node, "drop_aggregate")} == {
        "leaderboard.board.builder._handle_aggregates",
        "leaderboard.board.builder.for_spec",  # which measures there can be, not which rows
        "leaderboard.formats.loading.put_together",  # how the file was written, not what is on the board
    }


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bool]]:
    """Of every board that is built: how many ``all`` rows were added, and whether they are to be dropped."""
    seen = []
    handle = LeaderboardBuilder._handle_aggregates

    def handler(builder: LeaderboardBuilder, rows: Rows, drop_aggregate: bool, phantom_defaults: int) -> Rows:
        seen.append((int(rows.is_aggregate.sum()), drop_aggregate))
        return handle(builder, rows, drop_aggregate, phantom_defaults)

    monkeypatch.setattr(LeaderboardBuilder, "_handle_aggregates", handler)
    return seen


@pytest.mark.parametrize("drop", [True, False])
def test_reading_adds_every_all_row_whatever_becomes_of_it(
    tmp_path: Path, handled: list[tuple[int, bool]], drop: bool
) -> None:
    write(board(), tmp_path / "board.tot", "tot")
    handled.clear()
    found = load(tmp_path / "board.tot", drop_aggregate=drop).board
    assert handled == [(2, drop)]
    assert plain(found)[("a", "all")]["GRADE"] == (0.5 if drop else 0.9)


@pytest.mark.parametrize(
    ("change", "drops"),
    [
        (lambda one: one.filter_and_recompute(["a"]), True),
        (lambda one: one.merge(one), True),
        (lambda one: one.top_k(1, "GRADE"), False),
    ],
)
def test_what_changes_a_board_goes_through_the_builder(
    handled: list[tuple[int, bool]], change: Callable[[Leaderboard], Leaderboard], drops: bool
) -> None:
    given = board()
    handled.clear()
    changed = change(given)
    assert [drop for _, drop in handled] == [drops]
    assert changed is not given
    assert plain(given) == plain(board())


def test_filtering_and_merging_sum_up_anew_and_the_best_keep_what_was_printed() -> None:
    given = board()
    assert plain(given.filter_and_recompute())[("a", "all")] == {"GRADE": 0.5, "LABEL": "yes"}
    assert plain(given.merge())[("a", "all")] == {"GRADE": 0.5, "LABEL": "yes"}
    assert plain(given.top_k(2, "GRADE"))[("a", "all")] == {"GRADE": 0.9, "LABEL": "yes", "N": 2.0}


def test_the_spec_goes_with_the_board_through_every_change() -> None:
    given = board()
    topics_only = LeaderboardSpec(SPEC.measures[:2])
    assert given.spec == given.top_k(1, "GRADE").spec == SPEC
    assert given.filter_and_recompute().spec == given.merge().spec == topics_only


def test_a_spec_and_its_measures_and_entries_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        SPEC.measures = ()  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        SPEC.measures[0].name = "other"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        LeaderboardEntry("a", "1", {}).run_id = "b"  # type: ignore[misc]


@pytest.mark.parametrize("format", [one for one in FormatName if one is not FormatName.RANKING])
def test_numbers_and_texts_are_still_that_after_being_written_and_read(tmp_path: Path, format: str) -> None:
    write(board(), tmp_path / "board", format)
    found = load(tmp_path / "board").board
    assert {one.name: one.dtype for one in found.spec.measures} == {"GRADE": float, "LABEL": str, "N": float}
    assert plain(found) == plain(board())


def test_of_true_and_false_the_mean_is_the_share_of_what_is_true() -> None:
    found = graded({("a", "1"): True, ("a", "2"): False, ("a", "3"): True, ("a", "4"): True}).build()
    assert plain(found)[("a", "all")] == {"GRADE": 0.75}
    assert plain(found)[("a", "1")] == {"GRADE": 1.0}


def test_large_counts_lose_nothing_as_floats(tmp_path: Path) -> None:
    write(graded({("a", "1"): 2.0**53}).build(), tmp_path / "board.tot", "tot")
    assert load(tmp_path / "board.tot").board.aggregates("GRADE").tolist() == [9007199254740992.0]
