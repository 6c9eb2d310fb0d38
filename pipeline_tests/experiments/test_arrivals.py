"""Which run a row of a file speaks of, which rows count, and what runs are called."""

from datetime import datetime
from typing import Any

import hypothesis.strategies as st
import pandas as pd
from hypothesis import given

from pipeline.experiments.arrivals import AskedRuns, numbered_runs
from pipeline.experiments.identity import RunConfig, canonical_json, run_id
from pipeline_tests.experiment_graph import PROMPT, experiment

MAY, JUNE, JULY = (datetime(2024, month, 1) for month in (5, 6, 7))


def rows(*told: dict[str, Any]) -> pd.DataFrame:
    """Rows of one file, one config and one time unless they say otherwise."""
    usual = {"file_number": 1, "config_hash": "a", "repeat": None, "status": "completed", "content": 0}
    times = dict.fromkeys(("created_at", "started_at", "completed_at"))
    made = pd.DataFrame([{**usual, **times, "row_number": at, **one} for at, one in enumerate(told, start=1)])
    made["repeat"] = made["repeat"].astype("Int32")
    return made.astype(dict.fromkeys(times, "datetime64[us]"))


def repeats(*told: dict[str, Any]) -> list[int]:
    return numbered_runs(rows(*told), "answers")["repeat"].tolist()


def counting(*told: dict[str, Any]) -> list[bool]:
    return numbered_runs(rows(*told), "answers")["counts"].tolist()


def test_runs_are_counted_by_config_in_the_order_of_first_arrival() -> None:
    july, may = {"created_at": JULY}, {"created_at": MAY}
    assert repeats(july, may, {"config_hash": "b"} | may) == [1, 2, 1]


def test_rows_of_one_time_are_one_run() -> None:
    again = {"file_number": 2, "created_at": MAY, "status": "failed"}
    assert repeats({"created_at": MAY}, {"created_at": JUNE}, again) == [1, 2, 1]
    assert repeats({"started_at": MAY}, {"completed_at": JUNE}, {"started_at": MAY}) == [1, 2, 1]


def test_rows_without_any_time_are_one_run_as_often_as_one_file_says_the_same() -> None:
    first = [{"content": 7}, {"content": 7}, {"content": 8}]
    later = [{"file_number": 2, "content": content} for content in (7, 7, 7, 8)]
    assert repeats(*first, *later) == [1, 2, 3, 1, 2, 4, 3]


def test_a_number_that_is_told_is_kept_and_others_are_counted_behind_it() -> None:
    told = [{"created_at": MAY}, {"repeat": 5}, {"created_at": JUNE}, {"repeat": 2}, {"created_at": JULY}]
    assert repeats(*told) == [1, 5, 6, 2, 7]
    assert repeats({"repeat": 3, "created_at": MAY}, {"created_at": MAY}, {"created_at": JUNE}) == [3, 3, 4]


def test_a_later_row_replaces_an_earlier_one() -> None:
    assert counting({"repeat": 1}, {"repeat": 1, "status": "failed"}, {"repeat": 2}) == [False, True, True]


def test_what_is_under_way_never_replaces_what_has_ended() -> None:
    begun = [{"repeat": 1, "status": status} for status in ("pending", "running")]
    ended = {"repeat": 1, "status": "failed"}
    assert counting(*begun) == [False, True]
    assert counting(ended, *begun) == [True, False, False]
    assert counting(*begun, ended) == [False, False, True]


def test_runs_have_the_id_of_experiment_config_and_repeat() -> None:
    named = numbered_runs(rows({"repeat": 2}, {"config_hash": "b"}), "answers")["run_id"].tolist()
    assert named == [run_id("answers", "a", 2), run_id("answers", "b", 1)]


def test_no_rows_are_no_runs() -> None:
    assert numbered_runs(rows({}).iloc[:0], "answers").empty


_ROW = st.fixed_dictionaries(
    {
        "config_hash": st.sampled_from("ab"),
        "repeat": st.sampled_from([None, None, 1, 2, 4]),
        "created_at": st.sampled_from([None, MAY, JUNE, JULY]),
        "content": st.integers(0, 2),
        "status": st.sampled_from(["running", "completed", "failed"]),
    }
)


@given(st.lists(_ROW, min_size=1, max_size=12), st.integers(1, 12))
def test_what_arrives_later_changes_no_number(told: list[dict[str, Any]], first: int) -> None:
    by_file = [{**one, "file_number": 1 + (at >= first)} for at, one in enumerate(told)]
    early = [one for one in by_file if one["file_number"] == 1]
    assert repeats(*by_file)[: len(early)] == repeats(*early)


@given(st.lists(_ROW, min_size=1, max_size=12))
def test_exactly_one_row_of_a_run_counts(told: list[dict[str, Any]]) -> None:
    found = numbered_runs(rows(*told), "answers")
    assert (found.groupby("run_id")["counts"].sum() == 1).all()


def asked(*told: tuple[RunConfig, str | None, str | None, str | None]) -> AskedRuns:
    found = [
        (config.config_hash, canonical_json(config.as_json), name, version, input_id)
        for config, name, version, input_id in told
    ]
    columns = ["config_hash", "config", "prompt", "prompt_version", "input_id"]
    return AskedRuns.of(pd.DataFrame(found, columns=columns, dtype="str"), experiment(), experiment().inputs)


def test_prompts_and_inputs_are_called_as_declared_by_their_text_and_variables() -> None:
    config = RunConfig(PROMPT, "small", {}, {"question": "Capital of France?"})
    found = asked((config, None, None, None))
    assert found.by_config.loc[config.config_hash].tolist() == [experiment().configurations[0].id, "france"]
    assert found.configurations == experiment().configurations[:1]


def test_a_short_word_is_its_own_name_and_a_long_text_an_ad_hoc_prompt() -> None:
    word, text = RunConfig("InJulia", "m", {}, "task_1"), RunConfig("Say it. {{ x }}", "m", {}, {"x": 1})
    found = asked((word, None, None, None), (text, None, None, None))
    assert [one.title for one in found.configurations] == [
        "InJulia@1 · m",
        f"ad_hoc@{found.prompt_rows[1]['version']} · m",
    ]
    assert found.by_config["input_id"].tolist()[0] == "task_1"
    assert [one["variables"] for one in found.prompt_rows] == ["", "x"]


def test_the_last_name_that_is_given_counts() -> None:
    config = RunConfig("Say it.", "m", {}, {"x": 1})
    found = asked((config, "old", "1", "one"), (config, "new", "2", "two"))
    assert [one.title for one in found.configurations] == ["new@2 · m"]
    assert found.by_config["input_id"].tolist() == ["two"]


def test_configs_that_differ_in_input_share_their_configuration() -> None:
    configs = [RunConfig({"system": "Be {{ a }}.", "template": "{{ b }}"}, "m", {"t": 0}, {"b": n}) for n in (1, 2)]
    found = asked(*((config, None, None, None) for config in configs))
    assert len(found.configurations) == 1
    assert found.by_config["configuration"].unique().tolist() == [configs[0].configuration]
    prompt = found.prompt_rows[0]
    assert (prompt["system"], prompt["template"], prompt["variables"]) == ("Be {{ a }}.", "{{ b }}", "a, b")


def test_a_text_that_is_no_template_takes_no_variables() -> None:
    assert asked((RunConfig("{% if", "m", {}, ""), None, None, None)).prompt_rows[0]["variables"] == ""
