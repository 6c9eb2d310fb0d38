"""A contest as a board of runs, topics and measures: the contest's own values, and what they are means of."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from pipeline.competition import Contract
from pipeline.competition.backtest import BoardRows
from pipeline.competition.categories import OVERALL, By
from pipeline.competition.declaration import WindowSpec
from pipeline.competition.stages import RollingWindows, member_metrics, rows_as_listed
from pipeline.competition.topics import NoTopicsError, topic_board, topic_of
from pipeline.leaderboard import Aggregate, Direction, Leaderboard, verify
from pipeline_tests.competition.backtest.boards import declared, factors_of, rows_of
from pipeline_tests.competition.contests import contract, cycle, random_contest, stack

DRAWN, OUTCOMES = random_contest(7, cycles=12, models=4)
LEFT_OUT = (DRAWN["model_id"] == "m2") & DRAWN["cycle"].isin([cycle(4), cycle(5)])
PREDICTED = DRAWN[~LEFT_OUT]
DIVIDED = ["horizon", {"by": "subject", "rank_by": "all.score"}]
VALUES = ["model_id", "metric", "value"]


def rows(contest: Contract) -> BoardRows:
    return rows_of(PREDICTED, OUTCOMES, factors_of(PREDICTED), contest)


def metrics_of(contest: Contract) -> tuple[pd.DataFrame, datetime]:
    """The cycles' metrics of the random contest, and the newest moment."""
    found = rows(contest)
    beside = [rows_as_listed(found.member_metrics, one.name, contest) for one in member_metrics(contest)]
    every = stack(*(one for one in (found.cycle_metrics, found.ensemble_metrics, *beside) if len(one)))
    return every, every["known_at"].max().to_pydatetime()


def snapshot(metrics: pd.DataFrame, as_of: datetime, contest: Contract, window: str, category: str) -> pd.DataFrame:
    """What the contest's own board says, by model and metric."""
    found = RollingWindows(metrics, contest, as_of).at([as_of])
    wanted = (found["window_name"] == window) & (found["category"] == category)
    return found[wanted].set_index(["model_id", "metric"])["value"]


def aggregates(board: Leaderboard) -> pd.Series:
    found = {
        (run, name): value
        for name in board.measures
        for run, value in zip(board.run_ids, board.aggregates(name).tolist(), strict=True)
    }
    return pd.Series(found)


class TestAggregates:
    @pytest.mark.parametrize("window", ["all", "recent", "month"])
    def test_they_are_what_the_contest_itself_says_of_the_window(self, window: str) -> None:
        contest = declared()
        metrics, as_of = metrics_of(contest)
        board = topic_board(metrics, as_of, contest, window=contest.windows[window], include_ensembles=True).board
        expected = snapshot(metrics, as_of, contest, window, OVERALL)
        found = aggregates(board)
        assert len(found) > 100
        pd.testing.assert_series_equal(found, expected.reindex(found.index), check_names=False, rtol=0, atol=0)

    @pytest.mark.parametrize("policy", ["skip", "baseline", "worst", "carry_forward"])
    def test_means_of_cycles_are_the_means_of_the_topics_whatever_stands_in_for_missing_ones(self, policy: str) -> None:
        missing = {"policy": policy} | ({"baseline": "m3"} if policy == "baseline" else {})
        contest = declared(missing=missing)
        metrics, as_of = metrics_of(contest)
        found = topic_board(metrics, as_of, contest)
        assert (found.n_imputed > 0) == (policy != "skip")
        means = [one.name for one in found.board.spec.measures if one.aggregate is Aggregate.MEAN]
        assert {"ic", "mean_return", "contribution"} <= set(means)
        for name in means:
            values = found.board.matrix(name)
            with np.errstate(invalid="ignore"):
                mean = np.nansum(values, axis=1) / (~np.isnan(values)).sum(axis=1)
            np.testing.assert_allclose(mean, found.board.aggregates(name), rtol=0, atol=1e-12)

    def test_computed_anew_they_are_the_same_and_what_is_no_mean_of_cycles_is_left_out_by_name(self) -> None:
        contest = declared()
        found = topic_board(*metrics_of(contest), contest).board
        anew = found.filter_and_recompute(on_missing="warn")
        means = [one.name for one in anew.spec.measures if one.aggregate is Aggregate.MEAN]
        for name in means:
            np.testing.assert_allclose(anew.aggregates(name), found.aggregates(name), rtol=0, atol=1e-12)
        assert {one.name for one in anew.dropped if one.kind == "measure"} == {
            *("ic_sharpe", "sortino_ratio", "max_drawdown", "ic_max_drawdown"),
        }
        assert {one.name for one in anew.dropped if one.kind == "aggregate"} >= {"hit_rate", "score", "coverage"}

    def test_they_hold_by_the_boards_own_check(self) -> None:
        contest = declared()
        assert verify(topic_board(*metrics_of(contest), contest).board, checks=["aggregates_match"]) == ()


class TestTopics:
    def test_a_topic_is_a_resolved_cycle_and_its_value_the_cycles_own(self) -> None:
        contest = contract()
        metrics, as_of = metrics_of(contest)
        board = topic_board(metrics, as_of, contest).board
        last = metrics.sort_values("known_at").groupby(["model_id", "metric", "cycle"])["value"].last()
        assert list(board.topic_ids) == sorted(board.topic_ids)
        n_values = 0
        for name in ("ic", "hit_rate"):
            for run, values in zip(board.run_ids, board.matrix(name), strict=True):
                for topic, value in zip(board.topic_ids, values.tolist(), strict=True):
                    expected = last.get((run, name, pd.Timestamp(topic)), np.nan)
                    assert value == expected or (np.isnan(value) and np.isnan(expected))
                    n_values += not np.isnan(value)
        assert n_values > 50

    def test_a_window_has_only_its_cycles(self) -> None:
        contest = contract()
        metrics, as_of = metrics_of(contest)
        every = topic_board(metrics, as_of, contest).board
        recent = topic_board(metrics, as_of, contest, window=WindowSpec(cycles=3)).board
        assert recent.topic_ids == every.topic_ids[-3:]

    @pytest.mark.parametrize("by", list(By))
    def test_they_may_be_the_parts_that_have_boards_of_their_own(self, by: By) -> None:
        contest = contract(categories=DIVIDED)
        metrics, as_of = metrics_of(contest)
        board = topic_board(metrics, as_of, contest, topics=by).board
        names = {"horizon": ["1", "2"], "subject": [f"s{number}" for number in range(7)]}[by]
        assert list(board.topic_ids) == names
        measures = contest.metrics_by(by)
        for topic in names:
            expected = snapshot(metrics, as_of, contest, "all", by.category(topic))
            of_topic = board.topic_ids.index(topic)
            for name in measures:
                values = dict(zip(board.run_ids, board.matrix(name)[:, of_topic].tolist(), strict=True))
                own = [expected.get((run, name), np.nan) for run in values]
                np.testing.assert_array_equal(list(values.values()), own)
        whole = snapshot(metrics, as_of, contest, "all", OVERALL)
        own = [whole[run, "score"] for run in board.run_ids]
        np.testing.assert_array_equal(board.aggregates("score"), own)
        assert {one.aggregate for one in board.spec.measures} == {Aggregate.NONE}

    def test_a_part_of_the_contest_has_topics_of_its_own(self) -> None:
        contest = contract(categories=DIVIDED)
        metrics, as_of = metrics_of(contest)
        board = topic_board(metrics, as_of, contest, category="subject=s3").board
        expected = snapshot(metrics, as_of, contest, "all", "subject=s3")
        assert board.measures == ("score", "hit_rate")
        np.testing.assert_array_equal(board.aggregates("score"), [expected[run, "score"] for run in board.run_ids])
        assert len(board.topic_ids) > 5

    @pytest.mark.parametrize(
        ("moment", "name"),
        [
            ("2008-10-15", "2008-10-15"),
            ("2008-10-15T18:00", "2008-10-15T18:00"),
            ("2008-10-15T18:00:05", "2008-10-15T18:00:05"),
            ("2008-10-15T00:00:00.25", "2008-10-15T00:00:00.250000"),
        ],
    )
    def test_a_cycle_is_called_by_its_date_and_time(self, moment: str, name: str) -> None:
        assert topic_of(np.datetime64(moment, "us")) == name


class TestMeasures:
    def test_the_one_ranked_by_is_first_and_directions_are_the_contests(self) -> None:
        contest = contract(
            scoring={"rule": "absolute_error", "primary": "score"},
            metrics=["hit_rate", "turnover", "score"],
            leaderboard={"rank_by": "all.score"},
        )
        measures = topic_board(*metrics_of(contest), contest).board.spec.measures
        assert [(one.name, one.direction, one.aggregate, one.default) for one in measures] == [
            ("score", Direction.ASC, Aggregate.NONE, None),
            ("hit_rate", Direction.DESC, Aggregate.NONE, None),
            ("turnover", Direction.NONE, Aggregate.MEAN, None),
        ]

    def test_series_are_of_all_cycles_only(self) -> None:
        board = topic_board(*metrics_of(contract()), contract()).board
        assert board.spec["ic_sharpe"].only_in_all
        assert not board.spec["ic"].only_in_all


class TestRuns:
    def test_virtual_models_take_part_if_asked_for(self) -> None:
        contest = declared()
        given = metrics_of(contest)
        real = topic_board(*given, contest).board.run_ids
        every = topic_board(*given, contest, include_ensembles=True).board.run_ids
        assert set(every) - set(real) == {"__ensemble_main__", "__ensemble_best__"}

    def test_one_without_any_value_is_named_as_left_out(self) -> None:
        contest = contract(metrics=["ic"])
        board = topic_board(*metrics_of(contest), contest).board
        assert "constant" not in board.run_ids
        assert [one.name for one in board.dropped if one.kind == "run"] == ["constant"]


class TestMoments:
    def test_only_what_was_known_by_then_counts(self) -> None:
        contest = contract()
        metrics, _ = metrics_of(contest)
        moment = cycle(6) + timedelta(hours=1)
        board = topic_board(metrics, moment, contest).board
        later = metrics[metrics["known_at"] > moment]
        assert len(later)
        alone = topic_board(metrics[metrics["known_at"] <= moment], moment, contest).board
        assert board.topic_ids == alone.topic_ids
        assert max(board.topic_ids) <= cycle(6).date().isoformat()
        for name in board.measures:
            np.testing.assert_array_equal(board.aggregates(name), alone.aggregates(name))

    def test_before_anything_was_known_there_is_nothing(self) -> None:
        metrics, _ = metrics_of(contract())
        with pytest.raises(NoTopicsError, match=r"of 'demo', overall, nothing was known by 2000-01-01"):
            topic_board(metrics, datetime(2000, 1, 1), contract())

    def test_parts_that_the_contest_does_not_have_are_told_with_the_remedy(self) -> None:
        given = metrics_of(contract())
        with pytest.raises(NoTopicsError, match=r"no boards of each subject; declare `categories: \[subject\]`"):
            topic_board(*given, contract(), topics=By.SUBJECT)
        with pytest.raises(NoTopicsError, match=r"no category 'horizon=3'; known: overall$"):
            topic_board(*given, contract(), category="horizon=3")
        with pytest.raises(ValueError, match="topics are horizons of the whole contest, not of horizon=1"):
            topic_board(*given, contract(), category="horizon=1", topics=By.HORIZON)
