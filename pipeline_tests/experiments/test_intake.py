"""What rows of files of runs and scores must meet, and what they become."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from pipeline.experiments import SCORES, Experiment, RunConfig, run_id
from pipeline.intake.experiments import experiment_intakes
from pipeline.landing import Verdict, check_file
from pipeline.landing.staging import STAGED
from pipeline.warehouse import compose, connect_in_memory
from pipeline_tests.experiment_graph import PROMPT, asked, experiment, imported

NOW = datetime(2024, 5, 1)
PARIS = {"question": "Capital of France?"}
NO_NUMBER = "stages[0].cost: Input should be a valid number, unable to parse string as a number"
BEYOND = "where readers of JSON differ; write it as text"
KNOWN = run_id("answers", "a" * 64, 1)


def judged(
    path: Path,
    folder: str = "runs",
    declared: Experiment | None = None,
    runs: frozenset[str] | None = frozenset({KNOWN}),
) -> tuple[Verdict, pd.DataFrame]:
    """What becomes of a file, and the rows that are taken."""
    (intake,) = experiment_intakes(declared or experiment(), lambda: runs)[folder]()
    with connect_in_memory() as connection:
        verdict = check_file(connection, path, intake, NOW)
        if verdict.unreadable is not None:
            return verdict, pd.DataFrame()
        return verdict, connection.execute(compose("SELECT * FROM {rows} ORDER BY row_number", rows=STAGED)).df()


def lines(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "file.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def reasons(path: Path, folder: str = "runs", **more: Any) -> list[str]:
    return [reason for _, reason, _ in judged(path, folder, **more)[0].examples]


def taken(path: Path, folder: str = "runs", **more: Any) -> pd.DataFrame:
    verdict, rows = judged(path, folder, **more)
    assert verdict.status == "accepted", verdict
    return rows


def hashes(path: Path, **more: Any) -> list[str]:
    return taken(path, **more)["config_hash"].tolist()


def test_config_and_columns_say_the_same(tmp_path: Path) -> None:
    config = RunConfig(PROMPT, "small", {"t": 1.0}, PARIS)
    columns = {"prompt": PROMPT, "model": "small", "params": {"t": 1}, "input_data": PARIS}
    as_text = columns | {"params": '{"t": 1e0}', "input_data": json.dumps(PARIS)}
    found = taken(lines(tmp_path, {"config": config.as_json}, {"config": json.dumps(config.as_json)}, columns, as_text))
    assert found["config_hash"].tolist() == [config.config_hash] * 4
    assert json.loads(found["config"][3]) == config.as_json


def test_names_stand_for_what_is_declared(tmp_path: Path) -> None:
    whole = RunConfig(PROMPT, "small", {}, PARIS).config_hash
    rows = [
        {"model": "small", "prompt": "short", "input_id": "france"},
        {"model": "small", "prompt_name": "short", "input_data": PARIS},
    ]
    assert hashes(lines(tmp_path, *rows)) == [whole, whole]


def test_names_that_nobody_declares_are_texts(tmp_path: Path) -> None:
    row = {"model": "m", "prompt": "InJulia", "input_id": "task"}
    found = taken(lines(tmp_path, row, row | {"prompt_version": "2"}), declared=imported())
    assert found["config_hash"][0] == RunConfig("InJulia", "m", {}, "task").config_hash
    assert found["config_hash"][1] == RunConfig("InJulia@2", "m", {}, "task").config_hash
    assert found[["prompt", "prompt_version", "input_id"]].values.tolist() == [
        ["InJulia", "1", "task"],
        ["InJulia", "2", "task"],
    ]


@pytest.mark.parametrize("name", ["created_at", "started_at", "completed_at"])
def test_a_run_of_the_future_is_refused(tmp_path: Path, name: str) -> None:
    row = {"model": "m", "prompt": "short"}
    assert len(taken(lines(tmp_path, row | {name: "2024-05-01T23:00"}))) == 1
    assert reasons(lines(tmp_path, row | {name: "2099-01-01"})) == [
        f"{name} '2099-01-01 00:00:00' is in the future; correct it, in UTC"
    ]


def test_a_score_of_the_future_is_refused_as_it_would_count_for_ever(tmp_path: Path) -> None:
    row = {"run_id": KNOWN, "scorer": "stars", "value": 1, "rater": "Ann"}
    assert len(taken(lines(tmp_path, row | {"scored_at": "2024-05-01T23:00"}), "scores")) == 1
    assert reasons(lines(tmp_path, row | {"scored_at": "2099-01-01"}), "scores") == [
        "scored_at '2099-01-01 00:00:00' is in the future; correct it, in UTC"
    ]


def test_a_system_message_comes_with_the_template(tmp_path: Path) -> None:
    prompt = {"system": "Be brief.", "template": PROMPT}
    whole = RunConfig(prompt, "m", {}, "").config_hash
    assert (
        hashes(lines(tmp_path, *({"model": "m", "prompt": one} for one in (prompt, json.dumps(prompt))))) == [whole] * 2
    )


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_csv_and_parquet_say_the_same_as_json_lines(tmp_path: Path, suffix: str) -> None:
    params: Sequence[dict[str, Any]] = ({"t": 0.5, "stop": ["a"]}, {"top": 1})
    wanted = [RunConfig(PROMPT, "m", one, PARIS).config_hash for one in params]
    path = tmp_path / f"file{suffix}"
    if suffix == ".csv":
        texts = [json.dumps(one) for one in params]
        frame = {
            "prompt": PROMPT,
            "model": "m",
            "params": texts,
            "input_data": json.dumps(PARIS),
            "output": 'a\nb, "c"',
        }
        pd.DataFrame(frame).to_csv(path, index=False)
    else:
        columns = {"prompt": [PROMPT] * 2, "model": ["m"] * 2, "params": list(params), "output": ['a\nb, "c"'] * 2}
        filled = pa.array([list(PARIS.items())] * 2, pa.map_(pa.string(), pa.string()))
        parquet.write_table(pa.table({**columns, "input_data": filled}), path)
    found = taken(path)
    assert found["config_hash"].tolist() == wanted
    assert found["output"].tolist() == ['a\nb, "c"'] * 2


def test_what_came_back_is_kept_to_the_letter(tmp_path: Path) -> None:
    outputs = ["  two\n\tlines \0 ", "", "😀" * 20_000, {"a": [1]}]
    found = taken(lines(tmp_path, *(asked("m", "x", output=one) for one in outputs)))
    assert found["output"].tolist() == [*outputs[:3], '{"a": [1]}']


def test_times_amounts_and_status_are_taken(tmp_path: Path) -> None:
    told = {
        "created_at": "2024-05-01T10:00+02:00",
        "tokens_in": 10**12,
        "cost": 0.25,
        "status": "failed",
        "error": "late",
    }
    row = taken(lines(tmp_path, asked("m", "x", **told), asked("m", "y"))).astype(object)
    assert row["created_at"][0] == datetime(2024, 5, 1, 8)
    assert (row["tokens_in"][0], row["cost"][0], row["status"][0], row["error"][0]) == (10**12, 0.25, "failed", "late")
    assert row["status"][1] == "completed"
    assert pd.isna(row["cost"][1])


def test_values_of_imported_scorers_are_shares_of_their_scales(tmp_path: Path) -> None:
    found = taken(lines(tmp_path, asked("m", "x", speed=2), asked("m", "y")))
    assert json.loads(found["scores"][0]) == {"speed": 0.8}
    assert pd.isna(found["scores"][1])


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    declared = experiment(columns={"model": "llm", "speed": "seconds", "input_data": "vars"})
    found = taken(lines(tmp_path, {"prompt": PROMPT, "llm": "small", "vars": PARIS, "seconds": 10}), declared=declared)
    assert found["config_hash"].tolist() == [RunConfig(PROMPT, "small", {}, PARIS).config_hash]
    assert json.loads(found["scores"][0]) == {"speed": 0.0}


def test_stages_are_kept_in_order(tmp_path: Path) -> None:
    stages = [
        {"stage": "draft", "tokens_in": 3},
        {"stage": "answer", "status": "failed", "started_at": "2024-05-01T00:00:00"},
    ]
    found = json.loads(taken(lines(tmp_path, asked("m", "x", stages=stages)))["stages"][0])
    assert [(one["stage"], one["status"]) for one in found] == [("draft", "completed"), ("answer", "failed")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"prompt": PROMPT}, "model is missing; name it, or give config"),
        ({"model": "m"}, "prompt is missing; give its text, its name, or config"),
        ({"config": {"model": "m"}, "model": "m"}, "config is given, and model beside it; give it in one way"),
        (
            {"config": {"model": "m", "seed": 1}},
            "unknown 'seed' in a run's config; known: prompt, model, params, input_data",
        ),
        ({"config": [1]}, "config is no JSON object; write {prompt, model, params, input_data}"),
        ({"config": "{"}, "config is '{', not JSON"),
        (asked("m", "x", params="[1]"), "params is no JSON object; write {name: value}"),
        (
            asked("m", "x", status="done"),
            "status 'done' is unknown; known: pending, running, completed, failed, cancelled",
        ),
        (asked("m", "x", cost=-0.1), "cost '-0.1' is below 0; leave it empty where it is unknown"),
        (asked("m", "x", tokens_out=-1), "tokens_out '-1' is below 0; leave it empty where it is unknown"),
        (asked("m", "x", tokens_in=1.5), "tokens_in is 1.5, not a whole number up to 2^53 - 1"),
        (asked("m", "x", repeat=0), "repeat '0' is below 1; repeats count from 1"),
        (
            asked("m", "x", started_at="2024-05-02", completed_at="2024-05-01"),
            "completed_at '2024-05-01 00:00:00' is before started_at; correct one of them",
        ),
        (asked("m", "x", speed=11), "speed: score 11.0 is not on the scale from 10 to 0; declare the right scale"),
        (asked("m", "x", stages={"stage": "a"}), "stages: Input should be a valid list"),
        (asked("m", "x", stages=[{"stage": "a", "cost": "?"}]), NO_NUMBER),
        (asked("m", "x", params={"t": 2**53}), f"the value.t is {2**53}, beyond 2^53 - 1, {BEYOND}"),
    ],
)
def test_a_run_that_cannot_be_is_refused_with_its_reason(tmp_path: Path, row: dict[str, Any], reason: str) -> None:
    verdict, found = judged(lines(tmp_path, row, asked("m", "fine")))
    assert [(number, told) for number, told, _ in verdict.examples] == [(1, reason)]
    assert found["row_number"].tolist() == [2]


def test_every_fault_of_a_row_is_told(tmp_path: Path) -> None:
    told = reasons(lines(tmp_path, asked("m", "x", status="odd", cost=-1, prompt=None)))
    assert told == [
        "cost '-1.0' is below 0; leave it empty where it is unknown; status 'odd' is unknown; known: pending, running, "
        "completed, failed, cancelled; prompt is missing; give its text, its name, or config"
    ]


def score(**told: Any) -> dict[str, Any]:
    return {"run_id": KNOWN, "scorer": "stars", "rater": "Ann", "rating": 5} | told


def test_a_rating_is_a_share_of_the_scale_with_what_was_said(tmp_path: Path) -> None:
    row = (
        taken(lines(tmp_path, score(rating=2, comment="so, so", scored_at="2024-04-01")), "scores")
        .astype(object)
        .iloc[0]
    )
    assert (row["run_id"], row["kind"], row["rater_name"], row["value"]) == (KNOWN, "human", "Ann", 0.25)
    assert json.loads(row["details"]) == {"rating": 2.0, "scale": [1.0, 5.0], "comment": "so, so"}
    assert row["scored_at"] == datetime(2024, 4, 1)


def test_without_a_time_a_score_is_of_its_arrival(tmp_path: Path) -> None:
    assert taken(lines(tmp_path, score()), SCORES)["scored_at"].tolist() == [NOW]


def test_a_run_is_named_by_its_hash_and_repeat_too(tmp_path: Path) -> None:
    by_hash = score(run_id=None, config_hash="a" * 64)
    assert taken(lines(tmp_path, by_hash, by_hash | {"repeat": 1}), "scores")["run_id"].tolist() == [KNOWN] * 2


def test_machines_give_scores_of_imported_scorers(tmp_path: Path) -> None:
    told = [{"run_id": KNOWN, "scorer": "speed"} | one for one in ({"rating": 5}, {"value": 1}, {"reason": "timeout"})]
    found = taken(lines(tmp_path, *told), "scores").astype(object)
    assert found["value"].tolist()[:2] == [0.5, 1.0]
    assert found["reason"].tolist()[2] == "timeout"
    assert found["kind"].tolist() == ["auto"] * 3
    assert found["rater_name"].isna().all()


def test_verdicts_of_judges_keep_their_identity(tmp_path: Path) -> None:
    declared = experiment(
        scorers={"good": {"scorer": "judge", "options": {"criteria": "Is it good?"}}}, min_scorers=None
    )
    told = {"run_id": KNOWN, "scorer": "good", "value": 0.5, "identity": "f" * 64, "details": {"reply": "5"}}
    row = taken(lines(tmp_path, told), "scores", declared=declared).iloc[0]
    assert (row["kind"], row["identity"], row["value"]) == ("judge", "f" * 64, 0.5)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"run_id": "x"}, "run 'x' is not known; land the run first, or at the same time"),
        ({"run_id": None}, "it names no run, or names it twice; give run_id, or config_hash and repeat"),
        ({"run_id": None, "config_hash": "a" * 64, "repeat": 0}, "repeat '0' is below 1; repeats count from 1"),
        ({"scorer": "nope"}, "scorer 'nope' is not declared; known: exact, stars, speed"),
        ({"rater": None}, "rater is missing; say who gave the score"),
        ({"kind": "auto"}, "rater is given, and kind is 'auto'; a score by a person is of kind 'human'"),
        ({"rating": 6}, "rating 6.0 is not on the scale; give a number from 1 to 5"),
        ({"rating": 1.5}, "rating 1.5 is between two steps of 1 from 1"),
        ({"rating": None, "value": 5}, "value '5.0' is not from 0 to 1; give rating for one on the scorer's own scale"),
        ({"scorer": "exact", "rating": 1}, "rating is given, but scorer 'exact' has no scale; give value from 0 to 1"),
        (
            {"scorer": "exact", "rating": None, "rater": None, "value": 1},
            "scorer 'exact' is computed by Podium; say who gave the score, or declare an imported scorer for it",
        ),
        (
            {"value": 1},
            "it has not one of value, rating and reason; give value from 0 to 1, rating on the scorer's scale, "
            "or the reason why there is none",
        ),
        ({"details": [1]}, "details is no JSON object; write {name: value}"),
    ],
)
def test_a_score_that_cannot_be_is_refused_with_its_reason(tmp_path: Path, told: dict[str, Any], reason: str) -> None:
    assert reasons(lines(tmp_path, score(**told)), "scores") == [reason]


def test_people_may_overrule_a_computed_scorer(tmp_path: Path) -> None:
    assert taken(lines(tmp_path, score(scorer="exact", rating=None, value=0)), "scores")["value"].tolist() == [0.0]


def test_where_runs_cannot_be_known_any_run_will_do(tmp_path: Path) -> None:
    assert len(taken(lines(tmp_path, score(run_id="x")), "scores", runs=None)) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": {"modle": "m"}}, "columns: unknown 'modle'; known: config, prompt, model"),
        ({"columns": {"model": "x", "prompt": "x"}}, "columns: 'x' cannot be two columns at once"),
        (
            {"scorers": {"cost": {"scorer": "imported"}}, "min_scorers": None},
            "scorer 'cost' is imported and called like a column of files; call it otherwise",
        ),
    ],
)
def test_columns_that_cannot_be_fail_at_load(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        experiment(**changes)
