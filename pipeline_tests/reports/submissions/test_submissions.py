"""Submitting through the API: what is accepted lies in the inbox, what is refused does not, and whose models are."""

import errno
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from pipeline.components import trees
from pipeline.landing import deliver, inbox
from pipeline.reports.submissions import bodies
from pipeline.reports.submissions.claims import Claims
from pipeline.settings import settings
from pipeline_tests.cli.command import podium
from pipeline_tests.cli.league import declare, run, write
from pipeline_tests.reports.writing import FUTURE, Desk, csv, post, row

CLOSED = {"models": {"registration": "closed"}}
ROWS = [{"model_id": "anna", "cycle": FUTURE, "subject": "X", "value": 0.5}]


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    yield
    settings.cache_clear()
    trees.own_tree.cache_clear()


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    with desk.served() as asked:
        yield asked


@pytest.fixture
def ann(desk: Desk) -> dict[str, str]:
    return desk.key("Ann")


@pytest.fixture
def bert(desk: Desk) -> dict[str, str]:
    return desk.key("Bert")


def told(answer: Any, status: int) -> str:
    """The message of a refusal."""
    assert answer.status_code == status, answer.text
    detail = answer.json()["detail"]
    assert isinstance(detail, str)
    return detail


def test_a_good_file_is_in_the_inbox_as_it_was_sent(desk: Desk, client: TestClient, ann: dict[str, str]) -> None:
    content = csv(row("anna"), row("anna", "Y"))
    answer = client.post("/submissions", files={"file": ("week 1.csv", content)}, headers=ann)
    found = answer.json()
    assert answer.status_code == 201
    assert (found["file"], found["accepted"], found["is_new"], found["claimed"]) == ("week 1.csv", True, True, [])
    assert [(one["kind"], one["rows"], one["accepted"]) for one in found["kinds"]] == [("predictions", 2, 2)]
    (path,) = desk.waiting()
    assert path.read_bytes() == content
    key_id = ann["Authorization"].split("_")[1]
    assert path.name.startswith("api_ann_")
    assert f"_{key_id}_{found['sha256']}_" in path.name
    (arrived,) = inbox.pending(desk.folder / "inbox", "league", ("predictions",))
    assert found["received_at"] == f"{arrived.received_at.isoformat()}Z"


@pytest.mark.parametrize("name", ["w.parquet", "w.jsonl", "w.ndjson", "w.tsv", "W.CSV"])
def test_a_file_of_any_format_is_known_by_its_ending(client: TestClient, ann: dict[str, str], name: str) -> None:
    rows = pd.DataFrame(ROWS)
    written = io.BytesIO()
    if name.endswith("parquet"):
        rows.to_parquet(written)
    elif name.endswith(("jsonl", "ndjson")):
        rows.to_json(written, orient="records", lines=True)
    else:
        rows.to_csv(written, sep="\t" if name.endswith("tsv") else ",", index=False)
    answer = client.post("/submissions", files={"file": (name, written.getvalue())}, headers=ann)
    assert answer.status_code == 201, answer.text
    assert answer.json()["kinds"][0]["accepted"] == 1


def test_rows_are_taken_as_a_file_is(desk: Desk, client: TestClient, ann: dict[str, str]) -> None:
    answer = client.post("/submissions", json={"rows": [*ROWS, ROWS[0] | {"subject": "Ωmega"}]}, headers=ann)
    assert (answer.status_code, answer.json()["kinds"][0]["accepted"]) == (201, 2)
    (path,) = desk.waiting()
    assert path.suffix == ".jsonl"
    assert [json.loads(line)["subject"] for line in path.read_text().splitlines()] == ["X", "Ωmega"]


def test_the_answer_is_what_podium_check_says(
    desk: Desk, client: TestClient, ann: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(tmp_path / "boards")
    monkeypatch.setenv("PODIUM_DEFS_DIR", str(tmp_path / "boards"))
    lines = (row("anna"), row("anna", "Y", "NaN"), row("anna", "Z", 1, "2020-01-03"), row("anna"))
    checked = podium("check", str(write(tmp_path / "week.csv", *lines)), "--json", data_dir=tmp_path).json
    answer = post(client, ann, *lines).json()
    for said in (checked, answer):
        said.pop("received_at")
        said.pop("file")
    assert answer.pop("detail").startswith("part of it would be refused")
    assert answer == checked
    assert answer["late"]["n_rows"] == 1


def test_nothing_is_delivered_of_a_file_with_a_bad_row_unless_forced(
    desk: Desk, client: TestClient, ann: dict[str, str]
) -> None:
    lines = (row("anna"), row("anna", "Y", "NaN"))
    assert told(post(client, ann, *lines), 422).endswith("land what is good and quarantine the rest: ?force=true")
    assert desk.waiting() == []
    forced = post(client, ann, *lines, force=True)
    assert (forced.status_code, forced.json()["accepted"], forced.json()["kinds"][0]["rejected"]) == (201, False, 1)
    assert [path.read_bytes() for path in desk.waiting()] == [csv(*lines)]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\xff\xfe\xff", "its first line"),
        (b"model_id,cycle,subject,value\nanna,2150-01-05,\xff\xff,1\n", "is not UTF-8"),
        (b"model,value\nanna,1\n", "it has no column 'model_id'"),
        (csv(), "no rows"),
        (csv(row("anna", value="NaN")), "not a finite number"),
        (csv(row("__ensemble_main__")), "which is kept for ensembles"),
        (csv(row("__ensemble_mine__")), "which is kept for ensembles"),
        (csv(row("ann\x00a")), "printable text"),
    ],
)
def test_a_file_of_which_nothing_would_be_taken_is_refused(
    desk: Desk, client: TestClient, ann: dict[str, str], content: bytes, reason: str, force: bool
) -> None:
    answer = client.post("/submissions", files={"file": ("w.csv", content)}, headers=ann, params={"force": force})
    assert told(answer, 422).startswith("nothing of it would be taken")
    (kind,) = answer.json()["kinds"]
    assert reason in " ".join([kind["unreadable"] or "no rows", *(one["example"] for one in kind["reasons"])])
    assert not list((desk.folder / "inbox").rglob("*"))


def test_the_same_again_changes_nothing_and_says_so(desk: Desk, client: TestClient, ann: dict[str, str]) -> None:
    first = post(client, ann, row("anna"))
    again = post(client, ann, row("anna"), name="other.csv")
    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["is_new"], again.json()["is_new"]) == (True, False)
    assert first.json()["sha256"] == again.json()["sha256"]
    assert len(desk.waiting()) == 1
    post(client, ann, row("anna", value=2))
    assert post(client, ann, row("anna")).status_code == 201  # back to the first: that is news
    assert len(desk.waiting()) == 3


def test_what_the_operator_replaced_may_be_sent_again(
    desk: Desk, client: TestClient, ann: dict[str, str], tmp_path: Path
) -> None:
    post(client, ann, row("anna"))
    deliver(write(tmp_path / "theirs.csv", row("anna", value=2)), tmp_path / "inbox", "league", "predictions")
    assert post(client, ann, row("anna")).status_code == 201


def test_a_body_that_cannot_be_kept_is_told(
    client: TestClient, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bodies, "_copy", full)
    assert told(post(client, ann, row("anna")), 503).startswith(
        "what was sent cannot be kept (No space left on device)"
    )


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}])
def test_without_a_key_nothing_is_taken(desk: Desk, client: TestClient, headers: dict[str, str]) -> None:
    answer = post(client, headers, row("anna"))
    assert told(answer, 401).startswith("a key is needed; send `Authorization: Bearer podium_...`")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="podium"'
    assert client.get("/submissions", headers=headers).status_code == 401
    assert desk.waiting() == []


def test_unknown_and_revoked_keys_are_refused_alike_while_the_server_runs(
    desk: Desk, client: TestClient, ann: dict[str, str]
) -> None:
    assert client.get("/submissions", headers=ann).status_code == 200
    desk.keys.revoke(ann["Authorization"].split("_")[1])
    revoked = client.get("/submissions", headers=ann)
    unknown = client.get("/submissions", headers={"Authorization": "Bearer podium_0_nobody"})
    assert told(revoked, 401) == told(unknown, 401)
    assert told(revoked, 401).startswith("the key is not known, or it was revoked")
    assert revoked.headers["WWW-Authenticate"] == 'Bearer realm="podium", error="invalid_token"'
    assert client.get("/submissions", headers=desk.key("Ann")).status_code == 200  # made while it runs


def test_keys_that_cannot_be_read_let_nobody_in(desk: Desk, client: TestClient, ann: dict[str, str]) -> None:
    desk.keys.path.write_text("{")
    assert told(post(client, ann, row("anna")), 503).startswith("keys cannot be checked now; tell the operator")
    assert desk.waiting() == []


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("model", ["bert", "ghost"])
def test_a_key_writes_its_player_s_models_alone(
    desk: Desk, client: TestClient, ann: dict[str, str], model: str, force: bool
) -> None:
    why = {"bert": "is another player's", "ghost": "has no player"}[model]
    for lines in ([row(model)], [row("anna"), row(model)], [row("anna"), row(f" {model} ", value="NaN")]):
        detail = told(post(client, ann, *lines, force=force), 403)
        assert detail.startswith(f"model '{model}' {why}: this key writes the models of 'Ann' alone")
        assert "ask the operator to register it" in detail
    assert desk.waiting() == []


def test_ids_are_what_they_are_to_the_letter(desk: Desk, client: TestClient, ann: dict[str, str]) -> None:
    assert post(client, ann, row("Bert"), row("ｂert"), row("bert.")).json()["claimed"] == ["Bert", "bert.", "ｂert"]


def test_a_new_model_is_its_player_s_from_then_on(
    desk: Desk, client: TestClient, ann: dict[str, str], bert: dict[str, str]
) -> None:
    assert post(client, ann, row("nova")).json()["claimed"] == ["nova"]
    assert [json.loads(path.read_text()) for path in desk.waiting("models")] == [{"model_id": "nova", "player": "Ann"}]
    with desk.served() as restarted:
        for asked in (client, restarted):
            assert told(post(asked, bert, row("nova")), 403).startswith("model 'nova' is another player's")
        assert post(restarted, desk.key("Ann"), row("nova", value=1)).status_code == 201
    assert len(desk.waiting("models")) == 1


def test_a_refused_file_claims_nothing(
    desk: Desk, client: TestClient, ann: dict[str, str], bert: dict[str, str]
) -> None:
    assert post(client, ann, row("nova", value="NaN"), row("anna")).status_code == 422
    assert post(client, ann, row("nova"), row("bert")).status_code == 403
    assert post(client, bert, row("nova")).json()["claimed"] == ["nova"]


def test_of_two_players_who_want_a_new_model_at_once_one_gets_it(
    desk: Desk, client: TestClient, ann: dict[str, str], bert: dict[str, str]
) -> None:
    barrier = threading.Barrier(2)
    found: dict[str, list[int]] = {"Ann": [], "Bert": []}

    def submit(player: str, headers: dict[str, str]) -> None:
        for number in range(6):
            barrier.wait()
            found[player].append(post(client, headers, row(f"new{number}")).status_code)

    threads = [threading.Thread(target=submit, args=one) for one in (("Ann", ann), ("Bert", bert))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sorted(pair) for pair in zip(found["Ann"], found["Bert"], strict=True)] == [[201, 403]] * 6
    assert len(desk.waiting()) == 6


def test_what_the_operator_registered_since_the_publication_counts(
    desk: Desk, client: TestClient, ann: dict[str, str], bert: dict[str, str], tmp_path: Path
) -> None:
    registration = write(tmp_path / "m.csv", "nova,Bert", "anna,Bert", header="model_id,player")
    deliver(registration, tmp_path / "inbox", "league", "models")
    assert told(post(client, ann, row("nova")), 403).startswith("model 'nova' is another player's")
    assert told(post(client, ann, row("anna")), 403).startswith("model 'anna' is another player's")
    assert post(client, bert, row("nova")).json()["claimed"] == []


def test_a_registration_that_landed_and_is_not_published_counts_the_last_one(
    desk: Desk, client: TestClient, ann: dict[str, str], bert: dict[str, str], tmp_path: Path
) -> None:
    of_bert = write(tmp_path / "bert.csv", "nova,Bert", header="model_id,player")
    of_ann = write(tmp_path / "ann.csv", "nova,Ann", header="model_id,player")
    for path in (of_bert, of_ann, of_bert):
        run(desk.contract, tmp_path, models=path)
    assert desk.waiting("models") == []
    assert told(post(client, ann, row("nova")), 403).startswith("model 'nova' is another player's")
    assert post(client, bert, row("nova")).status_code == 201


def test_a_registration_goes_before_a_claim(desk: Desk, client: TestClient, ann: dict[str, str]) -> None:
    Claims(desk.folder / "keys").claim("league", "anna", "Bert", "k")
    Claims(desk.folder / "keys").claim("league", "ghost", "Ann", "k")
    assert post(client, ann, row("anna")).status_code == 201
    assert post(client, ann, row("ghost")).status_code == 201


def test_where_registration_is_closed_unknown_models_are_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CLOSED)
    desk.publish()
    ann = desk.key("Ann")
    with desk.served() as client:
        assert post(client, ann, row("anna")).status_code == 201
        answer = post(client, ann, row("anna", value=2), row("nova"))
        assert answer.json()["kinds"][0]["reasons"][0]["example"].startswith("model 'nova' is not registered")
        assert answer.status_code == 422
        forced = post(client, ann, row("anna", value=2), row("nova"), force=True)
        assert told(forced, 403).startswith("model 'nova' is not registered, so nobody may force its rows in")
    assert len(desk.waiting()) == 1
    assert desk.waiting("models") == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predictions": {"source": "inbox", "trusted": True}}, "takes imports alone (trusted: true)"),
        ({"truth": {"source": "inbox", "files": "predictions"}}, "reads truth from the same files as predictions"),
        ({"predictions": {"source": "pipeline.baselines.sp500"}}, "its predictions come from pipeline.baselines.sp500"),
    ],
)
def test_contests_whose_files_are_the_operator_s_take_nothing(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    desk = Desk(tmp_path, changes)
    desk.publish()
    with desk.served() as client:
        assert message in told(post(client, desk.key("Ann"), row("anna")), 403)
    assert desk.waiting() == []


def test_a_registration_is_written_in_the_contest_s_own_columns(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"models": {"columns": {"model_id": "modell", "player": "wer"}}})
    desk.publish()
    with desk.served() as client:
        post(client, desk.key('A "b", ü'), row("nova"))
    assert [json.loads(path.read_text()) for path in desk.waiting("models")] == [{"modell": "nova", "wer": 'A "b", ü'}]


@pytest.mark.parametrize(
    "name", ["../../../models/x.csv", "..\\..\\x.csv", "/etc/x.csv", ".x.csv", "x.part.csv", "a\nb.csv"]
)
def test_no_name_leads_out_of_the_folder(desk: Desk, client: TestClient, name: str) -> None:
    headers = desk.key("../../ the\\player/..")
    assert post(client, headers, row("nova"), name=name).status_code == 201
    (path,) = desk.waiting()
    assert path.parent == desk.folder / "inbox" / "league" / "predictions"
    assert path.name.startswith("api_the-player_")
    written = {one.parent.relative_to(desk.folder) for one in (desk.folder / "inbox").rglob("*") if one.is_file()}
    assert written == {Path("inbox/league/predictions"), Path("inbox/league/models")}


@pytest.mark.parametrize("name", ["week.xlsx", "week", "week.csv.gz", "week.parquet/", ".csv", "csv"])
def test_a_name_that_tells_no_format_is_refused(desk: Desk, client: TestClient, ann: dict[str, str], name: str) -> None:
    assert "ends in no format that can be read; known: .parquet" in told(post(client, ann, row("anna"), name=name), 422)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{}", "application/json"),
        (b'{"rows": []}', "application/json"),
        (b'{"rows": [1]}', "application/json"),
        (b"[]", "application/json"),
        (b"\xff", "application/json"),
        (b'{"rows": ' + b"[" * 100_000, "application/json"),
        (b"", "application/json"),
        (b"rows", "text/csv"),
        (b"", ""),
        (b"nothing", "multipart/form-data"),
        (b"--b\r\nnothing", "multipart/form-data; boundary=b"),
        (b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--', "multipart/form-data; boundary=b"),
    ],
)
def test_a_body_that_is_neither_file_nor_rows_is_told_what_would_be(
    client: TestClient, ann: dict[str, str], content: bytes, kind: str
) -> None:
    detail = told(client.post("/submissions", content=content, headers=ann | {"Content-Type": kind}), 422)
    assert any(remedy in detail for remedy in ("send multipart/form-data", "write it so", "rows are objects"))


def test_what_is_too_large_is_refused_while_it_arrives(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.publish()
    ann = desk.key("Ann")
    sent = []

    def endless() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="w.csv"\r\n\r\n'
        for number in range(50):
            sent.append(number)
            yield b"x" * 100_000

    with desk.served(submission_megabytes=1) as client:
        form = ann | {"Content-Type": "multipart/form-data; boundary=b"}
        detail = told(client.post("/submissions", content=endless(), headers=form), 413)
        assert detail.startswith("the body is larger than 1 MB; send")
        assert "PODIUM_SUBMISSION_MEGABYTES" in detail
        rows = {"rows": [ROWS[0] | {"note": "x" * 1_000_000}]}
        assert told(client.post("/submissions", json=rows, headers=ann), 413) == detail
        announced = client.post("/submissions", content=b"", headers=form | {"Content-Length": "1000001"})
        assert announced.status_code == 413
    assert desk.waiting() == []


def test_what_says_too_much_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.publish()
    ann = desk.key("Ann")
    bomb = io.BytesIO()
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 200_000, pa.int32()), pa.array(["x" * 100_000]))
    pq.write_table(pa.table({"model_id": long, "cycle": long, "subject": long, "value": [1.0] * 200_000}), bomb)
    assert len(bomb.getvalue()) < 1_000_000
    with desk.served(submission_rows=3) as client:
        lines = [row("anna", f"S{number}") for number in range(4)]
        assert told(post(client, ann, *lines), 413).startswith("the file has more than 3 rows; send it in parts")
        assert post(client, ann, *lines[:3]).status_code == 201
    with desk.served() as client:
        answer = client.post("/submissions", files={"file": ("w.parquet", bomb.getvalue())}, headers=ann)
        assert "bytes in memory; its texts are too long" in told(answer, 413)
    assert len(desk.waiting()) == 1


def test_a_file_that_cannot_be_bounded_is_not_read(desk: Desk, client: TestClient, ann: dict[str, str]) -> None:
    sent = io.BytesIO()
    columns = {"model_id": ["anna"], "cycle": [FUTURE], "subject": ["X"], "value": [0.5], "horizon": [[1]]}
    pq.write_table(pa.table(columns), sent)
    answer = client.post("/submissions", files={"file": ("w.parquet", sent.getvalue())}, headers=ann)
    assert told(answer, 422) == "nothing of it would be taken; correct what is listed"
    (kind,) = answer.json()["kinds"]
    assert (kind["rows"], kind["refused"]) == (0, [])
    assert kind["unreadable"].startswith("its column 'horizon' is of type list<")
    assert desk.waiting() == []


def test_too_many_new_models_at_once_are_refused(desk: Desk, client: TestClient, ann: dict[str, str]) -> None:
    lines = [row(f"new{number}") for number in range(101)]
    assert told(post(client, ann, *lines), 422) == "it has 101 new models; add 100 at a time at most"
    assert not (desk.folder / "keys" / "claims").exists()


def test_a_key_that_asks_too_often_waits(desk: Desk, ann: dict[str, str], bert: dict[str, str]) -> None:
    with desk.served(submissions_per_minute=2) as client:
        found = [client.get("/submissions", headers=ann) for _ in range(3)]
        assert [one.status_code for one in found] == [200, 200, 429]
        assert int(found[2].headers["Retry-After"]) in (29, 30)
        assert told(found[2], 429).startswith("this key asks too often; wait ")
        assert client.get("/submissions", headers=bert).status_code == 200


def test_an_address_that_tries_keys_waits_and_valid_keys_pass(desk: Desk, ann: dict[str, str]) -> None:
    with desk.served(failed_keys_per_minute=2) as client:
        tried = [client.get("/submissions", headers={"Authorization": f"Bearer podium_{one}_x"}) for one in range(3)]
        assert [one.status_code for one in tried] == [401, 401, 429]
        assert told(tried[2], 429).startswith("too many requests without a valid key from this address; wait ")
        assert client.get("/submissions", headers=ann).status_code == 200


def test_players_see_their_own_submissions_alone(
    desk: Desk, client: TestClient, ann: dict[str, str], bert: dict[str, str]
) -> None:
    sent = [post(client, ann, row("anna", value=value)).json()["sha256"] for value in range(3)]
    post(client, bert, row("bert"))
    found = client.get("/submissions", headers=desk.key("Ann")).json()
    assert (found["total"], [one["sha256"] for one in found["rows"]]) == (3, sent[::-1])
    assert {one["state"] for one in found["rows"]} == {"waiting"}
    page = client.get("/submissions", params={"limit": 1, "offset": 1}, headers=ann).json()
    assert (page["total"], [one["sha256"] for one in page["rows"]]) == (3, [sent[1]])
    rows = client.get("/submissions", params={"format": "csv"}, headers=ann).text.splitlines()
    assert len(rows) == 4
    assert client.get("/submissions", headers=desk.key("ann")).json()["total"] == 0


def test_an_inbox_that_cannot_be_written_is_told(desk: Desk, client: TestClient, ann: dict[str, str]) -> None:
    (desk.folder / "inbox").write_text("in the way")
    assert "nothing was delivered; tell the operator" in told(post(client, ann, row("anna")), 503)


def test_a_contract_that_this_server_cannot_read_is_told(desk: Desk, ann: dict[str, str]) -> None:
    changed = desk.contract.model_copy(update={"metrics": ("elsewhere.metric",)})
    desk.__dict__["contract"] = changed
    desk.publish()
    with desk.served() as client:
        detail = told(post(client, ann, row("anna")), 503)
    assert detail.startswith("the declaration of 'league' cannot be read by this server")
    assert "PODIUM_DOTTED_PATH_PACKAGES" in detail


def test_a_contest_that_is_not_published_is_told(client: TestClient, ann: dict[str, str]) -> None:
    assert told(post(client, ann, row("anna"), competition="cup"), 404).startswith("no board 'cup' is published")
    with Desk(Path("nowhere")).served() as empty:
        assert empty.get("/submissions").status_code == 401
