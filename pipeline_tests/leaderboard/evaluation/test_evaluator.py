"""Judges' boards against the truth."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from pipeline.leaderboard import (
    Aggregate,
    BoardEvaluation,
    CorrelationRow,
    Direction,
    Leaderboard,
    LeaderboardBuilder,
    LeaderboardEvaluator,
    LeaderboardSpec,
    LeftOutMeasure,
    MeasureSpec,
    MissingTopicsError,
    correlate,
)
from pipeline_tests.leaderboard.evaluation.boards import board_of

NAN = float("nan")


def scores(runs: int = 6, topics: int = 12, seed: int = 0, like: np.ndarray | None = None) -> np.ndarray:
    """Values of runs and topics, between 0 and 1, or such as a noisy copy of others."""
    noise = np.random.default_rng(seed).random((runs, topics))
    return noise if like is None else (like + noise) / 2


def evaluated(truth: Leaderboard, judge: Leaderboard, **options: object) -> BoardEvaluation:
    options.setdefault("resamples", 0)
    return LeaderboardEvaluator(truth, **options).evaluate(judge)  # type: ignore[arg-type]


def overall(
    found: BoardEvaluation, method: str = "kendall", truth: str | None = None, judge: str | None = None
) -> float:
    place = [str(one) for one in found.methods].index(method)
    measures = found.truth_measures.index(truth) if truth else 0, found.judge_measures.index(judge) if judge else 0
    return float(found.overall.value[(place, *measures)])


# What is correlated


def test_all_measures_are_correlated_by_all_methods_over_all_topics_and_in_each() -> None:
    x, y, z = scores(), scores(seed=1), scores(seed=2)
    found = evaluated(
        board_of({"map": x, "P_10": y}), board_of({"GRADE": z, "X": y, "Y": x}), methods=["kendall", "pearson"]
    )
    assert (found.truth_measures, found.judge_measures) == (("map", "P_10"), ("GRADE", "X", "Y"))
    assert found.overall.value.shape == (2, 2, 3)
    assert found.per_topic.value.shape == (2, 12, 2, 3)
    assert overall(found) == pytest.approx(stats.kendalltau(x.mean(axis=1), z.mean(axis=1)).statistic)
    assert overall(found, "pearson", "P_10") == pytest.approx(stats.pearsonr(y.mean(axis=1), z.mean(axis=1)).statistic)
    assert overall(found, "pearson", "P_10", "X") == pytest.approx(1.0)
    assert found.per_topic.value[1, 7, 0, 0] == pytest.approx(stats.pearsonr(x[:, 7], z[:, 7]).statistic)


def test_runs_and_topics_are_matched_by_name_whatever_their_order() -> None:
    x, y = scores(), scores(seed=1)
    runs, topics = [f"run{place}" for place in range(6)], [f"topic{place}" for place in range(12)]
    judge, turned = board_of({"GRADE": y}), board_of({"GRADE": y[::-1, ::-1]}, runs[::-1], topics[::-1])
    found, same = (evaluated(board_of({"map": x}), one, resamples=50) for one in (judge, turned))
    assert found.run_ids == same.run_ids == tuple(runs)
    assert_allclose(found.overall.value, same.overall.value, atol=1e-12)
    assert_allclose(found.intervals.low, same.intervals.low, atol=1e-12)
    assert_allclose(found.per_topic.value, same.per_topic.value, atol=1e-12)


def test_only_common_runs_and_topics_count_and_the_result_says_what_was_left_out() -> None:
    x, y = scores(7, 6), scores(7, 6, seed=1)
    truth = board_of({"map": x[:6, :5]}, list("abcdef"), list("12345"))
    judge = board_of({"GRADE": y[1:, 2:]}, list("bcdefg"), list("3456"))
    found = evaluated(truth, judge)
    assert (found.run_ids, found.topic_ids) == (tuple("bcdef"), tuple("345"))
    common = np.ix_(range(1, 6), range(2, 5))
    assert overall(found) == pytest.approx(stats.kendalltau(x[common].mean(axis=1), y[common].mean(axis=1)).statistic)
    left_out = found.left_out
    assert (left_out.truth_runs, left_out.judge_runs) == (("a",), ("g",))
    assert (left_out.truth_topics, left_out.judge_topics) == (("1", "2"), ("6",))
    assert (left_out.truth_missing, left_out.judge_missing) == (0, 0)


@pytest.mark.parametrize(
    "measure",
    [
        MeasureSpec("m"),
        MeasureSpec("m", direction=Direction.ASC),
        MeasureSpec("m", aggregate=Aggregate.SUM),
        MeasureSpec("m", aggregate=Aggregate.GMEAN),
    ],
)
def test_topics_sum_up_as_the_board_sums_them_up(measure: MeasureSpec) -> None:
    x, y = scores(9, 20), scores(9, 20, seed=1)
    x[x < 0.1] = 0
    y[3, 4] = y[5, :9] = NAN
    truth, judge = board_of({measure: x}), board_of({"GRADE": y})
    sign = -1 if measure.direction is Direction.ASC else 1
    found = evaluated(truth, judge, methods=["pearson"])
    expected = correlate([sign * truth.aggregates("m")], [judge.aggregates("GRADE")], "pearson").value.item()
    assert overall(found, "pearson") == pytest.approx(expected, abs=1e-12)


def test_a_measure_where_lower_is_better_predicts_by_being_low() -> None:
    x = scores()
    error = MeasureSpec("error", direction=Direction.ASC)
    found = evaluated(board_of({"map": x}), board_of({error: 1 - x}), methods=["kendall", "tau_gap", "rbo"])
    assert_allclose(found.overall.value, 1.0)
    assert_allclose(found.per_topic.value, 1.0)


def test_a_measure_of_all_rows_only_is_summed_up_from_its_source_and_has_no_topics() -> None:
    x, y = scores() ** 6, scores(seed=1)
    geometric = MeasureSpec("gm_map", aggregate=Aggregate.GMEAN, only_in_all=True, of="map")
    builder = LeaderboardBuilder(LeaderboardSpec((MeasureSpec("map"), geometric)))
    for (run, topic), value in np.ndenumerate(x):
        builder.add(run_id=f"run{run}", topic_id=f"topic{topic}", values={"map": value})
    found = evaluated(builder.build(), board_of({"GRADE": y}), methods=["spearman"])
    expected = stats.spearmanr(stats.gmean(np.maximum(x, 1e-5), axis=1), y.mean(axis=1)).statistic
    assert overall(found, "spearman", "gm_map") == pytest.approx(expected)
    assert set(found.per_topic.reason[0, :, 1, 0]) == {"only_in_all"}
    assert set(found.per_topic.reason[0, :, 0, 0]) == {None}


# Measures that cannot be ranked by


def test_measures_that_cannot_be_ranked_by_are_left_out_by_name() -> None:
    spec = LeaderboardSpec(
        (
            MeasureSpec("map"),
            MeasureSpec("label", str),
            MeasureSpec("num_ret", direction=Direction.NONE, aggregate=Aggregate.SUM),
            MeasureSpec("seen_first", aggregate=Aggregate.FIRST),
        )
    )
    builder = LeaderboardBuilder(spec)
    for (run, topic), value in np.ndenumerate(scores(4, 3)):
        values = {"map": value, "label": "x", "num_ret": 9, "seen_first": value}
        builder.add(run_id=f"run{run}", topic_id=f"topic{topic}", values=values)
    truth, judge = builder.build(), board_of({"GRADE": scores(4, 3)})
    found = evaluated(truth, judge)
    assert found.truth_measures == ("map",)
    assert found.left_out.measures == (
        LeftOutMeasure("truth", "label", "text"),
        LeftOutMeasure("truth", "num_ret", "no_direction"),
        LeftOutMeasure("truth", "seen_first", "no_aggregate"),
    )
    with pytest.raises(
        ValueError, match=r"runs of the truth cannot be ranked by label \(text\), num_ret \(no_direction"
    ):
        evaluated(truth, judge, truth_measures=["map", "label", "num_ret"])


def test_measures_may_be_named() -> None:
    x = scores()
    found = evaluated(
        board_of({"map": x, "P_10": x}), board_of({"A": x, "B": x}), truth_measures=["P_10"], judge_measures=["B"]
    )
    assert (found.truth_measures, found.judge_measures) == (("P_10",), ("B",))
    with pytest.raises(KeyError, match="unknown measure 'C'; the board has: A, B"):
        evaluated(board_of({"map": x}), board_of({"A": x, "B": x}), judge_measures=["C"])


# Missing topics


@pytest.fixture
def with_gaps() -> tuple[np.ndarray, np.ndarray]:
    x, y = scores(5, 4), scores(5, 4, seed=1) + 0.5
    y[1, 2] = y[4, :3] = NAN
    return x, y


def test_what_a_judge_lacks_counts_with_the_default_and_is_counted(with_gaps: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = with_gaps
    found = evaluated(board_of({"map": x}), board_of({"GRADE": y}), methods=["pearson"])
    filled = np.where(np.isnan(y), 0.0, y)
    assert overall(found, "pearson") == pytest.approx(stats.pearsonr(x.mean(axis=1), filled.mean(axis=1)).statistic)
    assert (found.left_out.truth_missing, found.left_out.judge_missing) == (0, 4)
    assert found.per_topic.n_runs[0, :, 0, 0].tolist() == [4, 4, 3, 5]


def test_missing_topics_may_be_left_out_of_the_mean(with_gaps: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = with_gaps
    found = evaluated(board_of({"map": x}), board_of({"GRADE": y}), methods=["pearson"], on_missing="warn")
    assert overall(found, "pearson") == pytest.approx(stats.pearsonr(x.mean(axis=1), np.nanmean(y, axis=1)).statistic)


def test_missing_topics_may_count_in_each_topic_too(with_gaps: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = with_gaps
    found = evaluated(board_of({"map": x}), board_of({"GRADE": y}), methods=["pearson"], on_missing="default")
    assert set(found.per_topic.n_runs.ravel()) == {5}
    expected = stats.pearsonr(x[:, 2], np.where(np.isnan(y), 0.0, y)[:, 2]).statistic
    assert found.per_topic.value[0, 2, 0, 0] == pytest.approx(expected)


def test_missing_topics_may_be_refused(with_gaps: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = with_gaps
    message = (
        "of 4 common topics, run1 lacks 'topic2'; run4 lacks 'topic0', 'topic1', 'topic2' of measure 'GRADE'; "
        "evaluate with another on_missing"
    )
    with pytest.raises(MissingTopicsError, match=message):
        evaluated(board_of({"map": x}), board_of({"GRADE": y}), on_missing="error")


def test_without_a_default_a_run_that_lacks_topics_takes_no_part(with_gaps: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = with_gaps
    error = MeasureSpec("error", direction=Direction.ASC)
    found = evaluated(board_of({"map": x}), board_of({error: y}), methods=["spearman"])
    assert found.overall.n_runs.item() == 3
    whole = [0, 2, 3]
    expected = stats.spearmanr(x[whole].mean(axis=1), -y[whole].mean(axis=1)).statistic
    assert overall(found, "spearman") == pytest.approx(expected)


def test_a_run_without_any_value_is_not_at_zero() -> None:
    x, y = scores(5, 4), scores(5, 4, seed=1)
    other = y.copy()
    y[2] = NAN
    found = evaluated(board_of({"map": x}), board_of({"GRADE": y, "OTHER": other}))
    assert found.overall.n_runs[0, 0].tolist() == [4, 5]


# Boards without topics


def all_rows_only(values: np.ndarray) -> Leaderboard:
    builder = LeaderboardBuilder(LeaderboardSpec((MeasureSpec("map"),)))
    for run, value in enumerate(values):
        builder.add(run_id=f"run{run}", topic_id="all", values={"map": value})
    return builder.build(drop_aggregate=False)


def test_without_topics_the_all_rows_are_compared() -> None:
    x, y = scores(), scores(seed=1)
    truth, judge = all_rows_only(x.max(axis=1)), board_of({"GRADE": y})
    found = evaluated(truth, judge, methods=["spearman"], resamples=100)
    assert overall(found, "spearman") == pytest.approx(stats.spearmanr(x.max(axis=1), y.mean(axis=1)).statistic)
    assert found.intervals.method.tolist() == [[["no_topics"]]]
    assert (found.topic_ids, found.left_out.judge_topics) == ((), judge.topic_ids)
    assert [row.n_topics for row in found.rows()] == [0]


# Intervals


def test_the_standard_error_is_that_of_topics_drawn_again() -> None:
    x, y = scores(8, 15), scores(8, 15, seed=3, like=scores(8, 15))
    found = evaluated(
        board_of({"map": x}), board_of({"GRADE": y}), methods=["kendall", "pearson"], resamples=200, seed=4
    )
    drawn = np.random.default_rng(4).multinomial(15, np.full(15, 1 / 15), size=200)
    by_name = sorted(range(15), key=lambda topic: found.topic_ids[topic])
    for place, statistic in enumerate((stats.kendalltau, stats.pearsonr)):
        again = [
            statistic(x[:, topics].mean(axis=1), y[:, topics].mean(axis=1)).statistic
            for topics in (np.repeat(by_name, often) for often in drawn)
        ]
        se = np.std(again, ddof=1) * np.sqrt(15 / 14)
        assert found.intervals.se[place, 0, 0] == pytest.approx(se)
        half = stats.t.ppf(0.975, 14) * se
        assert found.intervals.low[place, 0, 0] == pytest.approx(found.overall.value[place, 0, 0] - half)
        assert found.intervals.high[place, 0, 0] == pytest.approx(min(1, found.overall.value[place, 0, 0] + half))


def test_the_standard_error_is_about_that_of_scipy() -> None:
    x, y = scores(10, 40), scores(10, 40, seed=3, like=scores(10, 40))

    def statistic(topics: np.ndarray) -> float:
        return float(stats.kendalltau(x[:, topics].mean(axis=1), y[:, topics].mean(axis=1)).statistic)

    theirs = stats.bootstrap(
        (np.arange(40),),
        statistic,
        n_resamples=1000,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(1),
    )
    found = evaluated(board_of({"map": x}), board_of({"GRADE": y}), methods=["kendall"], resamples=1000)
    assert found.intervals.se.item() == pytest.approx(theirs.standard_error * np.sqrt(40 / 39), rel=0.1)


def test_a_seed_gives_the_same_interval_and_another_one_another() -> None:
    truth, judge = board_of({"map": scores()}), board_of({"GRADE": scores(seed=1)})
    first, second, other = (evaluated(truth, judge, resamples=60, seed=seed).intervals.se for seed in (1, 1, 2))
    assert_array_equal(first, second)
    assert (first != other).all()


def test_intervals_stay_in_the_range_of_the_coefficient() -> None:
    x = scores(4, 8)
    found = evaluated(
        board_of({"map": x}), board_of({"GRADE": scores(4, 8, seed=9)}), methods=["kendall", "rbo"], resamples=50
    )
    assert found.intervals.low[0].item() >= -1
    assert found.intervals.low[1].item() >= 0
    assert (found.intervals.high <= 1).all()


def test_a_judge_that_repeats_the_truth_is_certain() -> None:
    x = scores()
    found = evaluated(board_of({"map": x}), board_of({"GRADE": x}), resamples=50)
    assert_allclose([found.intervals.low, found.intervals.high], 1.0)


def test_there_is_no_interval_of_few_topics_or_where_none_was_asked_for() -> None:
    few = board_of({"map": scores(5, 7)}), board_of({"GRADE": scores(5, 7, seed=1)})
    assert set(evaluated(*few, resamples=20).intervals.method.ravel()) == {"too_few_topics"}
    found = evaluated(*few)
    assert set(found.intervals.method.ravel()) == {"not_asked"}
    assert np.isnan(found.intervals.se).all()


def test_there_is_no_interval_of_what_is_undefined_or_mostly_undefined_when_drawn_again() -> None:
    once = np.zeros((6, 12))
    once[:, 0] = np.arange(6)
    truth, judge = board_of({"map": scores()}), board_of({"once": once, "never": np.zeros((6, 12))})
    found = evaluated(truth, judge, methods=["kendall"], resamples=200)
    assert found.intervals.method.tolist() == [[["undefined_resamples", "undefined"]]]
    assert found.overall.reason.tolist() == [[[None, "judge_all_tied"]]]
    assert np.isnan(found.intervals.low).all()


@pytest.mark.slow
def test_an_interval_holds_what_other_topics_would_show_on_average() -> None:
    rng = np.random.default_rng(12)
    held = []
    for _ in range(150):
        skill = rng.normal(0, 0.05, 20)
        opinion = skill + rng.normal(0, 0.02, 20)

        def drawn(
            times: int, skill: np.ndarray = skill, opinion: np.ndarray = opinion
        ) -> tuple[np.ndarray, np.ndarray]:
            noise = rng.normal(0, 0.2, (times, 25, 20))
            return skill + noise, opinion + 0.7 * noise + rng.normal(0, 0.14, noise.shape)

        again = correlate(*(z.mean(axis=1)[:, None] for z in drawn(100)), "kendall").value.mean()
        x, y = drawn(1)
        found = evaluated(board_of({"map": x[0].T}), board_of({"GRADE": y[0].T}), methods=["kendall"], resamples=200)
        held.append(found.intervals.low.item() <= again <= found.intervals.high.item())
    assert 0.9 <= np.mean(held) <= 0.99


# Rows


def test_rows_are_what_tables_hold() -> None:
    x, y = scores(4, 2), scores(4, 2, seed=1)
    found = evaluated(board_of({"map": x}), board_of({"GRADE": y, "none": np.zeros((4, 2))}), methods=["kendall@3"])
    rows = list(found.rows())
    assert [(row.topic_id, row.judge_measure, row.n_topics) for row in rows] == [
        ("all", "GRADE", 2),
        ("all", "none", 2),
        ("topic0", "GRADE", 1),
        ("topic0", "none", 1),
        ("topic1", "GRADE", 1),
        ("topic1", "none", 1),
    ]
    assert rows[1] == CorrelationRow(
        topic_id="all",
        truth_measure="map",
        judge_measure="none",
        method="kendall@3",
        value=None,
        n_runs=3,
        n_topics=2,
        se=None,
        ci_low=None,
        ci_high=None,
        ci_method="undefined",
        reason="judge_all_tied",
    )
    assert rows[2].value == found.per_topic.value[0, 0, 0, 0]
    assert rows[2].ci_method == "one_topic"
    assert list(found.rows(per_topic=False)) == rows[:2]


@pytest.mark.parametrize("runs", [1, 2])
def test_one_or_two_runs_are_no_ranking(runs: int) -> None:
    found = evaluated(board_of({"map": scores(runs)}), board_of({"GRADE": scores(runs)}), resamples=20)
    assert {row.reason for row in found.rows()} == {"too_few_runs"}
    assert {row.ci_method for row in found.rows(per_topic=False)} == {"undefined"}


# Refused


def test_mistakes_are_refused_with_what_was_given() -> None:
    truth = board_of({"map": scores(4, 2)}, list("abcd"))
    with pytest.raises(
        ValueError, match="no run is on both boards: the truth has 'a', 'b', 'c', 'd', the judge 'run0'"
    ):
        evaluated(truth, board_of({"map": scores(7, 2)}))
    with pytest.raises(
        ValueError, match="no topic is on both boards: the truth has 'topic0', 'topic1', the judge 'x', 'y'"
    ):
        evaluated(truth, board_of({"map": scores(4, 2)}, list("abcd"), list("xy")))
    with pytest.raises(ValueError, match="unknown correlation 'kendal'"):
        evaluated(truth, truth, methods=["kendal"])
    with pytest.raises(ValueError, match="no correlation to compute; name one or more, such as kendall"):
        evaluated(truth, truth, methods=[])
    with pytest.raises(ValueError, match="resamples is -1; draw topics 1,000 times or so, or 0 times"):
        evaluated(truth, truth, resamples=-1)
    text = LeaderboardBuilder(LeaderboardSpec((MeasureSpec("label", str),)))
    text.add(run_id="a", topic_id="topic0", label="x")
    with pytest.raises(
        ValueError, match=r"the judge has no measure that runs can be ranked by; it has: label \(text\)"
    ):
        evaluated(truth, text.build())


def test_the_order_of_runs_and_topics_in_files_changes_nothing() -> None:
    x = scores()
    y = scores(seed=1, like=x)
    runs, topics = [f"r{number}" for number in range(6)], [f"t{number}" for number in range(12)]
    drawn = np.random.default_rng(5)

    def in_any_order(values: np.ndarray) -> Leaderboard:
        builder = LeaderboardBuilder(LeaderboardSpec((MeasureSpec("map"),)))
        for cell in drawn.permutation(values.size):
            run, topic = divmod(int(cell), values.shape[1])
            builder.add(run_id=runs[run], topic_id=topics[topic], map=values[run, topic])
        return builder.build()

    found = [list(evaluated(in_any_order(x), in_any_order(y), resamples=100).rows(per_topic=False)) for _ in range(3)]
    for row, other in itertools.product(found[0], found[0] + found[1] + found[2]):
        if row.method == other.method:
            ends = (row.value, row.se, row.ci_low, row.ci_high)
            assert ends == pytest.approx((other.value, other.se, other.ci_low, other.ci_high), abs=1e-12)
