"""What a hub refuses: each rule by one change to a submission without a fault, with the rows that it concerns."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.competition.hub import Hub, Round, read_hub
from pipeline.competition.hub.rules import Rule, column_problems, refused
from pipeline_tests.competition.hub.toy_hub import LEVELS, ROUND, submission, write_hub
from pipeline_tests.conftest import SHARED_DATA


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    return read_hub(write_hub(tmp_path_factory.mktemp("hub")))


@pytest.fixture
def declared(hub: Hub) -> Round:
    return hub.round(ROUND)


def of(rows: pd.DataFrame, kind: str, place: str = "US", horizon: str = "0") -> pd.Index:
    """The places of one forecast's rows."""
    is_it = (rows["output_type"] == kind) & (rows["location"] == place) & (rows["horizon"] == horizon)
    return rows.index[is_it]


def test_a_good_submission_is_taken_whole(declared: Round) -> None:
    rows = submission()
    assert column_problems(list(rows), declared) == []
    assert refused(rows, declared, ROUND).empty
    assert refused(rows.iloc[:0], declared, ROUND).empty


def test_numbers_and_dates_as_parquet_has_them_are_the_same(declared: Round) -> None:
    rows = submission()
    rows["reference_date"] = pd.to_datetime(rows["reference_date"])
    rows["horizon"] = rows["horizon"].astype(int)
    rows["value"] = rows["value"].astype(float)
    assert refused(rows, declared, ROUND).empty
    dates = rows.assign(reference_date=rows["reference_date"].dt.date, horizon=rows["horizon"].astype(float))
    assert refused(dates, declared, ROUND).empty


def test_levels_are_the_same_however_they_are_written(declared: Round) -> None:
    rows = submission()
    rows.loc[rows["output_type_id"] == "0.5", "output_type_id"] = "0.500"
    assert refused(rows, declared, ROUND).empty


def _set(column: str, text: str, kind: str = "quantile", nth: int = 1) -> Callable[[pd.DataFrame], pd.Index]:
    def change(rows: pd.DataFrame) -> pd.Index:
        changed = of(rows, kind)[[nth]]
        rows.loc[changed, column] = text
        return changed

    return change


@pytest.mark.parametrize(
    ("change", "rule", "reason"),
    [
        (_set("reference_date", "2024-12-21"), Rule.ROUND, "reference_date is 2024-12-21, but the file is for round"),
        (_set("target", "counts"), Rule.TASK_ID, "target 'counts' is not among change, count"),
        (
            _set("output_type", "mean"),
            Rule.OUTPUT_TYPE,
            "output type 'mean' is not asked for; asked for: quantile, sam",
        ),
        (_set("output_type_id", "0.4"), Rule.OUTPUT_TYPE_ID, "output_type_id '0.4' of a quantile is not among 0.1, 0."),
        (_set("output_type_id", "half"), Rule.OUTPUT_TYPE_ID, "output_type_id 'half' of a quantile"),
        (_set("output_type_id", "", "sample"), Rule.OUTPUT_TYPE_ID, "a sample needs a number or a name"),
        (_set("value", "many"), Rule.VALUE, "value 'many' is no finite number"),
        (_set("value", "inf"), Rule.VALUE, "value 'inf' is no finite number"),
        (_set("value", ""), Rule.VALUE, "value '' is no finite number"),
        (_set("value", "-1"), Rule.VALUE, "value '-1' is below 0"),
        (_set("value", "1.5", "pmf"), Rule.VALUE, "value '1.5' is above 1"),
        (_set("value", "1.5", "sample"), Rule.VALUE, "value '1.5' is no whole number"),
    ],
)
def test_each_rule_of_a_row(
    declared: Round, change: Callable[[pd.DataFrame], pd.Index], rule: Rule, reason: str
) -> None:
    rows = submission()
    changed = change(rows)
    found = refused(rows, declared, ROUND).set_index("row")
    assert found.loc[changed, "rule"].tolist() == [rule]
    assert found.loc[changed[0], "reason"].startswith(reason)
    others = found.drop(changed)
    # What is left of the forecast says something else than the whole: it is refused too, and nothing else is.
    assert set(others["rule"]) <= {Rule.MISSING_LEVELS}
    assert set(others.index) <= {*of(submission(), "quantile"), *of(submission(), "pmf")}


def test_a_row_of_another_horizon_than_the_target_has(declared: Round) -> None:
    rows = submission()
    rows.loc[of(rows, "pmf"), "target"] = "count"
    found = refused(rows, declared, ROUND)
    assert found["row"].tolist() == of(submission(), "pmf").tolist()
    assert set(found["rule"]) == {Rule.OUTPUT_TYPE}


def test_a_repeated_forecast_is_refused_in_every_copy(declared: Round) -> None:
    rows = submission()
    again = pd.concat([rows, rows.loc[of(rows, "quantile")[:1]].assign(value="7")], ignore_index=True)
    found = refused(again, declared, ROUND).set_index("row")
    assert found[found["rule"] == Rule.DUPLICATE].index.tolist() == [of(rows, "quantile")[0], len(rows)]


def test_a_forecast_without_a_level_is_refused_whole_and_says_which(declared: Round) -> None:
    rows = submission()
    kept = rows.drop(of(rows, "quantile")[1]).reset_index(drop=True)
    found = refused(kept, declared, ROUND)
    assert found["row"].tolist() == of(kept, "quantile").tolist()
    assert set(found["rule"]) == {Rule.MISSING_LEVELS}
    assert set(found["reason"]) == {"lacks 0.5"}


def test_quantiles_that_cross_are_refused_whole_whatever_the_order_of_rows(declared: Round) -> None:
    rows = submission()
    rows.loc[of(rows, "quantile")[0], "value"] = "5.1"
    shuffled = rows.sample(frac=1.0, random_state=1)
    for given in (rows, shuffled.reset_index(drop=True)):
        found = refused(given, declared, ROUND)
        assert sorted(found["row"]) == of(given, "quantile").tolist()
        assert set(found["rule"]) == {Rule.CROSSING}
        assert set(found["reason"]) == {"quantiles cross: the value at 0.5 is below the one before it"}


def test_equal_quantiles_do_not_cross(declared: Round) -> None:
    rows = submission()
    rows.loc[of(rows, "quantile"), "value"] = "5"
    assert refused(rows, declared, ROUND).empty


@pytest.mark.parametrize(("value", "is_taken"), [("0.3000001", True), ("0.29", False), ("0.31", False)])
def test_probabilities_add_up_to_1_but_for_rounding(declared: Round, value: str, *, is_taken: bool) -> None:
    rows = submission()
    rows.loc[of(rows, "pmf")[2], "value"] = value
    found = refused(rows, declared, ROUND)
    assert found.empty == is_taken
    assert is_taken or found["row"].tolist() == of(rows, "pmf").tolist()
    assert set(found["rule"]) <= {Rule.PROBABILITIES}


def test_as_many_samples_as_asked_for(declared: Round) -> None:
    rows = submission()
    few = rows.drop(of(rows, "sample")[1:]).reset_index(drop=True)
    found = refused(few, declared, ROUND)
    assert found["reason"].tolist() == ["1 samples; 2 to 3 are asked for"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["target", "horizon"], ["missing columns: reference_date, location, output_type, output_type_id, value"]),
        ([*submission(), "note"], ["unexpected columns: note"]),
        ([*submission(), "value"], ["columns twice: value"]),
    ],
)
def test_the_columns_are_those_of_the_round(declared: Round, columns: list[str], said: list[str]) -> None:
    found = column_problems(columns, declared)
    assert [problem.partition(";")[0] for problem in found] == said
    assert all("a submission has reference_date, target, horizon, location, output_type" in one for one in found)


def test_random_damage_is_refused_with_a_reason_and_never_raises(declared: Round) -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        rows = submission()
        for _ in range(int(random.integers(1, 6))):
            column = str(random.choice(rows.columns))
            rows.loc[int(random.integers(len(rows))), column] = str(
                random.choice(["", "NA", "1", "-1", "x", "0.5", "nan"])
            )
        found = refused(rows, declared, ROUND)
        assert found["row"].is_unique
        assert found["reason"].str.len().gt(0).all()
        taken = rows.drop(found["row"]).reset_index(drop=True)
        # What is left breaks no rule: refusing is done in one go.
        assert refused(taken, declared, ROUND).empty
        quantiles = taken[taken["output_type"] == "quantile"].groupby(["location", "horizon"]).size()
        assert set(quantiles) <= {len(LEVELS)}


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED_DATA / "flusight-hub").exists(), reason="the shared data is not there")
def test_flusight_submissions_break_no_rule_but_those_that_changed_since() -> None:
    folder = SHARED_DATA / "flusight-hub"
    hub = read_hub(folder)
    n_rows = 0
    for path in sorted((folder / "model-output").rglob("*-*.*")):
        round_id = path.name[:10]
        text = {"dtype": str, "keep_default_na": False}
        rows = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, **text)  # type: ignore[call-overload]
        n_rows += len(rows)
        assert column_problems(list(rows), hub.round(round_id)) == []
        found = refused(rows, hub.round(round_id), round_id)
        of_refused = rows.iloc[found["row"]]
        # The configuration is that of the season after: its peak weeks are others.
        assert set(of_refused["target"]) <= {"peak week inc flu hosp"}
        assert set(found["rule"]) <= {Rule.OUTPUT_TYPE_ID}
    assert n_rows == 568_303


def test_the_folder_of_a_hub_may_be_a_path(tmp_path: Path) -> None:
    assert read_hub(write_hub(tmp_path)).path.name == tmp_path.name
