"""Comparisons of runs are those of ranx, mark by mark: on real runs of TREC 2003 Robust, and on made-up ones.

ranx compares by Student's paired t test without a correction; its randomisation test draws other signs, and its Tukey's
test takes topics as independent samples, so these two are checked elsewhere.
"""

import re
from collections.abc import Mapping

import numpy as np
import pytest

from pipeline.leaderboard import Comparing, Correction, Leaderboard, SignificanceTable, compare_runs
from pipeline.leaderboard.formats import load
from pipeline_tests.conftest import SHARED_DATA
from pipeline_tests.leaderboard.evaluation.boards import board_of

ranx_report = pytest.importorskip("ranx.data_structures.report")
ranx_frozenset = pytest.importorskip("ranx.data_structures.frozenset_dict")
ranx_tests = pytest.importorskip("ranx.statistical_tests")

LEVEL = 0.01
RANX_NAMES = {"map": "map", "P_10": "precision@10"}


def made_up() -> Leaderboard:
    rng = np.random.default_rng(11)
    skill, hardness = rng.normal(0.4, 0.06, (9, 1)), rng.normal(0, 0.1, (1, 60))
    by_topic = {name: np.clip(skill + hardness + rng.normal(0, 0.15, (9, 60)), 0, 1).round(4) for name in RANX_NAMES}
    return board_of(by_topic, [f"run_{place}" for place in range(9)])


def of_trec() -> Leaderboard:
    path = SHARED_DATA / "trec" / "robust03_trec_eval_q"
    if not path.exists():
        pytest.skip(f"{path} is not there; PODIUM_SHARED_DATA names the folder of shared data")
    return load(path).board


@pytest.fixture(params=[made_up, of_trec])
def board(request: pytest.FixtureRequest) -> Leaderboard:
    return request.param()  # type: ignore[no-any-return]


def report_of(board: Leaderboard, order: list[str]) -> object:
    """What ranx reports of the same values."""
    place = {run_id: at for at, run_id in enumerate(board.run_ids)}
    scores = {run: {theirs: board.matrix(ours)[place[run]] for ours, theirs in RANX_NAMES.items()} for run in order}
    means = {run: {name: float(values.mean()) for name, values in of_run.items()} for run, of_run in scores.items()}
    found = ranx_tests.compute_statistical_significance(order, scores, "student", max_p=LEVEL)
    names = list(RANX_NAMES.values())
    return ranx_report.Report(order, means, found, names, LEVEL, {}, rounding_digits=4)


def cells_of(latex: str) -> Mapping[str, list[tuple[str, str]]]:
    """Mean and marks of every cell by run."""
    rows = re.findall(r"^(\w+) &\s+([^&\n]+?) &\s+(.+?)\\\\$", latex, re.MULTILINE | re.DOTALL)
    found = {}
    for _, run, cells in rows:
        shown = [re.sub(r"\\hphantom\{.*\}", "", cell) for cell in cells.split("&")]
        marks = [re.search(r"(?:\$\^|\\textsuperscript)\{([a-z]+)\}", cell) for cell in shown]
        means = [re.search(r"\d\.\d{4}", cell) for cell in shown]
        found[run] = [
            (mean[0] if mean else "", mark[1] if mark else "") for mean, mark in zip(means, marks, strict=True)
        ]
    return found


def test_the_latex_table_has_the_means_and_marks_of_ranx(board: Leaderboard) -> None:
    comparison = compare_runs(board, Comparing(correction=Correction.NONE, level=LEVEL), measures=list(RANX_NAMES))
    table = SignificanceTable(comparison)
    report = report_of(board, [board.run_ids[run] for run in table.order])
    ours, theirs = cells_of(table.to_latex()), cells_of(report.to_latex())  # type: ignore[attr-defined]
    assert len(ours) == len(board.run_ids)
    assert ours == theirs
    assert len({marks for cells in ours.values() for _, marks in cells}) > 4


def test_p_values_and_marks_of_every_pair_are_those_of_ranx(board: Leaderboard) -> None:
    report = report_of(board, list(board.run_ids))
    comparison = compare_runs(board, Comparing(correction=Correction.NONE, level=LEVEL), measures=list(RANX_NAMES))
    for row in comparison.pairs():
        theirs = report.comparisons[row.run_id, row.other_run_id][RANX_NAMES[row.measure]]  # type: ignore[attr-defined]
        assert row.p == pytest.approx(theirs["p_value"], rel=1e-6)
        assert (row.better is not None) == bool(theirs["significant"])
