"""What is asked of published experiments is what their tables hold, added up another way."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import scipy.stats

from pipeline.experiments import GROUPINGS, ScoredRuns
from pipeline.reports.queries import UnknownBoardError
from pipeline.reports.queries.experiment_boards import board, distributions, run_board
from pipeline.reports.queries.experiment_comparison import against_baseline, compared
from pipeline.reports.queries.experiment_raters import agreement, next_to_rate, own_raters
from pipeline.reports.queries.experiment_runs import RunSelection, UnknownRunError, run, runs
from pipeline.reports.queries.experiment_tables import ExperimentTables, published_tables
from pipeline.reports.queries.experiments import configurations, experiment, experiments, inputs, prompts
from pipeline.reports.queries.page import page
from pipeline.reports.queries.standings import UnknownKeyError
from pipeline.warehouse import Memory, PublishedReader
from pipeline_tests.toy_experiment import CAPITALS, NAME, toy_experiment

TOY = toy_experiment()
ROWS = {spec.name: frame for spec, frame in TOY.tables().items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("experiments")
    TOY.publish(made)
    return made


@pytest.fixture(scope="module")
def tables(folder: Path) -> Iterator[ExperimentTables]:
    with PublishedReader(folder / "published") as reader, reader.reading() as reading:
        yield published_tables(reading.connection, reading.memory)


def listed(tables: ExperimentTables, **asked: Any) -> list[dict[str, Any]]:
    return page(tables.connection, runs(tables, RunSelection(**asked))).records()


def scored() -> ScoredRuns:
    return ScoredRuns.of(TOY.declared, ROWS["runs"], ROWS["scores"], ROWS["configurations"])


def by_configuration(prompt: str, model: str) -> str:
    rows = ROWS["configurations"]
    return str(rows.loc[(rows["prompt"] == prompt) & (rows["model"] == model), "configuration"].item())


def test_an_experiment_is_summed_up(tables: ExperimentTables) -> None:
    found = experiment(tables, NAME)
    assert [one.name for one in experiments(tables)] == [NAME]
    assert dict(found.statuses) == {status: 0 for status in found.statuses} | dict(
        ROWS["runs"]["status"].value_counts()
    )
    assert found.n_runs == len(ROWS["runs"])
    assert found.cost == pytest.approx(ROWS["runs"]["cost"].sum())
    assert found.n_cost == ROWS["runs"]["cost"].count() < found.n_runs
    assert (found.n_configurations, found.n_inputs) == (5, len(CAPITALS) + 1)
    assert [(one.name, one.scorer, one.kind, one.weight) for one in found.scorers] == [
        ("exact", "exact", "auto", 2.0),
        ("brief", "format", "auto", 0.0),
        ("helpful", "human", "human", 1.0),
    ]
    assert found.leader is not None
    assert found.leader.configuration == ROWS["leaderboard"].iloc[0]["contestant"]
    assert found.first_at == ROWS["runs"]["created_at"].min()


def test_what_was_tried_is_told_declared_ones_first(tables: ExperimentTables) -> None:
    listed_configurations = configurations(tables, NAME)
    assert [one.is_declared for one in listed_configurations] == [True] * 4 + [False]
    assert listed_configurations[-1].parameters == {"temperature": 0.5}
    assert [one.title for one in listed_configurations if one.is_baseline] == ["terse@1 · small"]
    assert {one.prompt: one.version for one in prompts(tables, NAME)} == {"terse": "1", "polite": "2"}
    listed_inputs = inputs(tables, NAME)
    assert {one.input_id: one.reference for one in listed_inputs[:-1]} == {
        country.lower(): city for country, city in CAPITALS.items()
    }
    assert (listed_inputs[-1].variables, listed_inputs[-1].reference) == ({"city": "Ghent"}, None)


def test_runs_are_listed_newest_first_and_those_not_begun_last(tables: ExperimentTables) -> None:
    rows = listed(tables)
    moments = [row["created_at"] for row in rows]
    begun = [moment for moment in moments if moment is not None]
    assert begun == sorted(begun, reverse=True)
    assert moments[len(begun) :] == [None] * 10
    assert {row["run_id"] for row in rows} == set(ROWS["runs"]["run_id"])


@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        ({"statuses": ["failed", "pending"]}, lambda rows: rows["status"].isin(["failed", "pending"])),
        ({"min_score": 0.5}, lambda rows: rows["score"] >= 0.5),
        ({"max_score": 0.5}, lambda rows: rows["score"] <= 0.5),
        ({"min_score": 0.25, "max_score": 0.75}, lambda rows: rows["score"].between(0.25, 0.75)),
        ({"model": "small"}, lambda rows: rows["model"] == "small"),
        ({"prompt": "polite"}, lambda rows: rows["prompt"] == "polite"),
        ({"input_id": "peru"}, lambda rows: rows["input_id"] == "peru"),
        ({"search": "i THINK"}, lambda rows: rows["output"].fillna("").str.contains("I think")),
        ({"search": "timed out"}, lambda rows: rows["error"].notna()),
        ({"search": "%"}, lambda rows: rows["status"] == "no such"),
    ],
)
def test_runs_are_filtered(tables: ExperimentTables, asked: dict[str, Any], condition: Any) -> None:
    rows = (
        ROWS["runs"]
        .merge(ROWS["run_board"][["run_id", "score"]])
        .merge(ROWS["configurations"][["configuration", "model", "prompt"]], on="configuration")
    )
    expected = set(rows.loc[condition(rows), "run_id"])
    assert {row["run_id"] for row in listed(tables, experiment=NAME, **asked)} == expected
    assert expected or asked == {"search": "%"}


def test_pages_of_runs_are_parts_of_all(tables: ExperimentTables) -> None:
    whole = listed(tables)
    parts = [page(tables.connection, runs(tables, RunSelection()), 30, offset) for offset in (0, 30, 60, 90)]
    assert [row for one in parts for row in one.records()] == whole
    assert {one.total for one in parts} == {len(whole)}


def test_a_run_has_its_stages_and_every_score(tables: ExperimentTables) -> None:
    again = ROWS["scores"].set_index("score_id").loc["ann-again"]
    found = run(tables, again["run_id"])
    by_ann = [(one.score_id, one.value, one.is_latest) for one in found.scores if one.rater == again["rater"]]
    assert by_ann == [("ann-0", 0.0, False), ("ann-again", 1.0, True)]
    assert len(found.scores) == (ROWS["scores"]["run_id"] == found.run_id).sum()
    assert [one.stage for one in found.stages] == ["answer"]
    assert found.reference == CAPITALS[found.config["input_data"]["country"]]
    assert found.standing is not None
    stored = ROWS["run_board"].set_index("run_id").loc[found.run_id]
    assert (found.standing.rank, found.standing.score) == (stored["rank"], stored["score"])
    assert [(repeat, status) for _, repeat, status in found.repeats] == [(1, "completed"), (2, "completed")]


def test_a_run_that_is_only_declared_has_neither_stages_nor_scores(tables: ExperimentTables) -> None:
    (waiting, *_) = listed(tables, statuses=["pending"])
    found = run(tables, waiting["run_id"])
    assert (found.stages, found.scores, found.created_at) == ((), (), None)
    assert found.standing is not None
    assert found.standing.status == "unranked: pending"


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_a_board_has_a_column_for_every_scorer(tables: ExperimentTables, grouping: str) -> None:
    found = board(tables, NAME, grouping)
    stored = ROWS["leaderboard"][ROWS["leaderboard"]["grouping"] == grouping]
    assert [one.row.contestant for one in found.rows] == stored.sort_values("position")["contestant"].tolist()
    summary = ROWS["scorer_summary"].set_index(["grouping", "contestant", "scorer"])
    for one in found.rows:
        assert set(one.scorers) == {"exact", "brief", "helpful"}
        for scorer, said in one.scorers.items():
            value = summary.loc[(grouping, one.row.contestant, scorer), "value"]
            assert said.value is None if np.isnan(value) else said.value == value


def test_the_board_of_runs_has_those_that_were_scored_and_counts_the_ranked(tables: ExperimentTables) -> None:
    found = run_board(tables, NAME)
    values = scored().values
    place = {run_id: at for at, run_id in enumerate(scored().runs["run_id"])}
    assert (found.total, found.n_ranked, len(found.rows)) == (69, 68, 69)
    assert found.rows[-1].status == "unranked: missing_scorers"
    assert found.rows[-1].rank is None
    for one in found.rows:
        expected = {name: column[place[one.run_id]] for name, column in values.items()}
        assert one.values == {name: value for name, value in expected.items() if not np.isnan(value)}
    first, rest = run_board(tables, NAME, 5), run_board(tables, NAME, offset=5)
    assert first.rows + rest.rows == found.rows
    assert first.total == rest.total == found.total


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_distributions_are_of_the_runs_that_count(tables: ExperimentTables, grouping: str) -> None:
    found = distributions(tables, NAME, grouping, bins=10)
    board_of = {one.row.contestant: one.row for one in board(tables, NAME, grouping).rows}
    assert set(found) == {name for name, row in board_of.items() if row.n_scored}
    for name, one in found.items():
        row = board_of[name]
        assert (one.n, sum(one.counts)) == (row.n_scored, row.n_scored)
        assert one.counts[0] >= row.n_zero
        assert one.counts[-1] >= row.n_full
        assert (one.mean, one.median) == (pytest.approx(row.score), row.median)
    only = distributions(tables, NAME, grouping, 10, contestants=[max(found)])
    assert {name: one.counts for name, one in only.items()} == {max(found): found[max(found)].counts}


def test_replaced_repeats_are_in_no_distribution(tmp_path: Path) -> None:
    toy_experiment(newest_repeats=1).publish(tmp_path)
    with PublishedReader(tmp_path / "published") as reader, reader.reading() as reading:
        newest = published_tables(reading.connection, reading.memory)
        rows = {one.row.contestant: one.row for one in board(newest, NAME, "model").rows}
        found = distributions(newest, NAME, "model")
        assert {name: one.n for name, one in found.items()} == {name: row.n_scored for name, row in rows.items()}
        assert {name: one.mean for name, one in found.items()} == pytest.approx(
            {name: row.score for name, row in rows.items()}
        )
        assert rows["small"].n_runs == 20


def test_any_two_are_compared_on_the_inputs_that_both_have(tables: ExperimentTables) -> None:
    first, second = by_configuration("polite", "large"), by_configuration("polite", "small")
    found = compared(tables, NAME, first, second)
    means = _means_by_input()
    both = [(means[first, one], means[second, one]) for one in _inputs() if {first, second} <= _asked(means, one)]
    differences = [ours - theirs for ours, theirs in both]
    assert (found.n_inputs, found.n_left_out) == (len(both), 0)
    assert found.difference == pytest.approx(statistics.mean(differences))
    assert (found.wins, found.ties, found.losses) == tuple(
        sum(sign(one) for one in differences) for sign in (lambda d: d > 0, lambda d: d == 0, lambda d: d < 0)
    )
    expected = scipy.stats.ttest_rel(*zip(*both, strict=True))
    assert found.p == pytest.approx(expected.pvalue)
    outcomes = [one.outcome for one in found.inputs]
    assert [outcomes.count(one) for one in ("win", "tie", "loss")] == [found.wins, found.ties, found.losses]
    assert all(one.first[0].output for one in found.inputs)
    back = compared(tables, NAME, second, first)
    assert (back.wins, back.losses) == (found.losses, found.wins)
    assert back.difference == pytest.approx(-(found.difference or 0))


def test_what_one_of_two_lacks_is_left_out_and_no_zero(tables: ExperimentTables) -> None:
    first, ad_hoc = by_configuration("terse", "large"), by_configuration("ad_hoc", "large")
    found = compared(tables, NAME, first, ad_hoc)
    assert (found.n_inputs, found.n_left_out, found.n_unscored) == (0, 10, 1)
    assert (found.difference, found.p, found.wins + found.ties + found.losses) == (None, None, 0)
    assert found.reason is not None
    assert {one.outcome for one in found.inputs} == {None}
    assert sum(not one.second for one in found.inputs) == 10


def test_against_the_baseline_titles_are_told(tables: ExperimentTables) -> None:
    rows = page(tables.connection, against_baseline(tables, NAME)).records()
    stored = ROWS["comparisons"].set_index("configuration")
    assert {row["configuration"] for row in rows} == set(stored.index)
    assert {row["baseline_title"] for row in rows} == {"terse@1 · small"}
    for row in rows:
        other = compared(tables, NAME, row["configuration"], row["baseline"])
        assert (row["n_inputs"], row["wins"], row["losses"]) == (other.n_inputs, other.wins, other.losses)
        assert row["difference"] == pytest.approx(other.difference)


def test_agreement_is_told(tables: ExperimentTables) -> None:
    rows = page(tables.connection, agreement(tables, NAME)).records()
    assert [(row["coefficient"], row["n_raters"]) for row in rows] == [
        ("cohen_kappa", 2),
        ("fleiss_kappa", 2),
        ("krippendorff_alpha", 2),
        ("krippendorff_alpha", 2),
    ]


def test_the_next_run_is_one_that_another_began_and_oneself_has_not_rated(tables: ExperimentTables) -> None:
    ann, bert = (own_raters(tables, NAME, who) for who in ("ann", "bert"))
    assert (ann, bert) == ({1}, {2})
    rated = ROWS["scores"][ROWS["scores"]["scorer"] == "helpful"]
    of_bert = set(rated.loc[rated["rater"] == 2, "run_id"])
    found = next_to_rate(tables, NAME, "helpful", bert, "Bert")
    assert found.run_id in set(rated["run_id"]) - of_bert
    assert (found.n_own, found.n_rated, found.n_runs, found.n_left) == (6, 6, 69, 63)
    assert (found.scale, found.step, found.raters) == ((1.0, 5.0), 1.0, 2)
    assert found == next_to_rate(tables, NAME, "helpful", bert, "Bert")
    later = next_to_rate(tables, NAME, "helpful", bert, "Bert", after=[found.run_id or ""])
    assert later.run_id != found.run_id
    stranger = {next_to_rate(tables, NAME, "helpful", (), name).run_id for name in map(str, range(20))}
    assert len(stranger) > 1
    assert stranger <= set(rated["run_id"]) - of_bert


def test_what_there_is_not_is_told_with_what_there_is(tables: ExperimentTables) -> None:
    with pytest.raises(UnknownBoardError, match="no experiment 'nothing' is known; known: capitals"):
        experiment(tables, "nothing")
    with pytest.raises(UnknownRunError, match="there is no run 'x'"):
        run(tables, "x")
    with pytest.raises(UnknownKeyError, match="not grouped by 'author'; known: configuration, model, prompt"):
        board(tables, NAME, "author")
    with pytest.raises(UnknownKeyError, match=r"no configuration 'x'; known: .*polite@2"):
        compared(tables, NAME, "x", by_configuration("terse", "large"))
    with pytest.raises(UnknownKeyError, match="is compared with itself"):
        compared(tables, NAME, by_configuration("terse", "large"), by_configuration("terse", "large"))
    with pytest.raises(UnknownKeyError, match=r"do not rate by 'exact' .* they rate by: helpful"):
        next_to_rate(tables, NAME, "exact", (), "Ann")


def test_where_an_older_podium_published_there_are_no_experiments() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA catalog")
        connection.execute("CREATE TABLE catalog.boards (board VARCHAR, kind VARCHAR, title VARCHAR, contract JSON)")
        tables = published_tables(connection, Memory())
        assert experiments(tables) == []
        assert listed(tables) == []


def _means_by_input() -> dict[tuple[str, str], float]:
    of = scored()
    counts = of.why_not == np.array(None)
    frame = of.runs.assign(score=of.weighed.score)[counts]
    return frame.groupby(["configuration", "input_id"])["score"].mean().to_dict()


def _inputs() -> list[str]:
    return sorted(ROWS["runs"]["input_id"].unique())


def _asked(means: dict[tuple[str, str], float], input_id: str) -> set[str]:
    return {configuration for configuration, one in means if one == input_id}
