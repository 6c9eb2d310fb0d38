"""``podium check``: what landing would refuse, said before it happens, to people, programs and scripts."""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from pipeline.cli.contracts import board_with_inbox
from pipeline.cli.errors import InputError
from pipeline.cli.output import in_print
from pipeline_tests.cli import league
from pipeline_tests.cli.command import Outcome, Podium, error
from pipeline_tests.cli.league import BEFORE, declare, write
from pipeline_tests.warehouse import processes

pytestmark = pytest.mark.usefixtures("own_boards")
GOOD = ("a,2024-01-05,X,0.1", "a,2024-01-05,Y,-0.2", "b,2024-01-05,X,0.3")
CLOSED = {"registration": "closed"}


def check(podium: Podium, path: Path, *arguments: str, at: str = BEFORE) -> Outcome:
    """The check of a file that is received in time."""
    return podium("check", str(path), "--received-at", at, *arguments)


def judged(podium: Podium, path: Path, *arguments: str, at: str = BEFORE) -> dict[str, object]:
    """The one kind that was read from a file."""
    outcome = check(podium, path, "--json", *arguments, at=at)
    assert outcome.code == (0 if outcome.json["accepted"] else 2)
    (kind,) = outcome.json["kinds"]
    assert kind["rows"] == kind["accepted"] + kind["rejected"]
    return kind


def test_a_good_file_is_accepted_and_nothing_is_written(podium: Podium, tmp_path: Path) -> None:
    path = write(tmp_path / "good.csv", *GOOD)
    before = sorted(tmp_path.rglob("*"))
    outcome = check(podium, path)
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        f"{path} for board league, folder predictions",
        "predictions: 3 rows: 3 accepted, 0 rejected",
        f"Nothing was landed; to land it: podium submit league {path}",
    ]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("rows", "rejected", "reason"),
    [
        (["a,2024-01-05,X,NaN"], 1, "value is 'NaN', not a finite number such as 1.5"),
        (["a,2024-01-05,X,-inf"], 1, "value is '-inf', not a finite number such as 1.5"),
        (["a,2024-01-05,X,high"], 1, "value is 'high', not a finite number such as 1.5"),
        (["a,2024-01-05,X,"], 1, "value is missing"),
        (["a,05.01.2024,X,1"], 1, "cycle is '05.01.2024', not a date or time"),
        ([",2024-01-05,X,1"], 1, "model_id is missing"),
        (["a,2024-01-05,X"], 1, "has 3 fields where the first line has 4"),
        (["a,2024-01-05,X,1", "a,2024-01-05,X,2"], 2, "one of 2 rows of the file that have the same model_id"),
        (["a,2024-01-05,X,1", "a,2024-01-05,X,1"], 1, "repeats row 4 of the file; remove one of them"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason(
    podium: Podium, tmp_path: Path, rows: list[str], rejected: int, reason: str
) -> None:
    path = write(tmp_path / "bad.csv", *GOOD, *(row.replace("X", "Z") for row in rows))
    kind = judged(podium, path)
    assert (kind["rows"], kind["rejected"]) == (3 + len(rows), rejected)
    assert kind["reasons"][0]["rows"] == rejected
    assert kind["reasons"][0]["example"].startswith(reason)
    assert kind["refused"][-1]["row"] == 3 + len(rows)
    shown = check(podium, path)
    assert shown.code == 2
    assert f"predictions: {3 + len(rows)} rows: {3 + len(rows) - rejected} accepted, {rejected} rejected\n" in shown.out
    assert reason in shown.out
    assert shown.out.endswith("\nNothing was landed.\n")


def test_reasons_are_counted_and_the_first_rows_shown(podium: Podium, tmp_path: Path) -> None:
    path = write(tmp_path / "bad.csv", *GOOD, *(f"a,2024-01-05,Z{n},NaN" for n in range(7)), "a,then,X,1")
    shown = check(podium, path)
    assert [row[0] for row in shown.table] == ["rows", "7", "1", "row", "4", "5", "6", "7", "8"]
    number, reason, said = shown.table[4]
    assert (number, reason) == ("4", "value is 'NaN', not a finite number such as 1.5")
    assert said.replace(" ", "") == "a,2024-01-05,Z0,NaN"
    assert "These are the first 5 of 8 refused rows; --json has more.\n" in shown.out


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.csv", b"", "the file is empty"),
        ("empty.parquet", b"", "the file is empty"),
        ("signals.xlsx", b"PK", ".xlsx is no format that can be read; known: .parquet, .csv"),
        ("signals", b"x", "a name without ending is no format"),
        ("twice.csv", b"model_id,cycle,subject,value,value\n", "columns are named twice: 'value'"),
        ("others.csv", b"model,cycle,subject,value\n", "it has no column 'model_id'; its columns are model, cycle"),
        ("lines.jsonl", b"[1, 2]\n", "its first line is no JSON object"),
    ],
)
def test_an_unreadable_file_says_why(podium: Podium, tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert judged(podium, tmp_path / name)["unreadable"].startswith(reason)
    shown = check(podium, tmp_path / name)
    assert shown.code == 2
    assert f"predictions: cannot be read: {reason}" in shown.out


@pytest.mark.parametrize(
    ("declared", "header", "told"),
    [
        (
            {"values": ["beta", "size"]},
            "cycle,subject,beta,Size",
            "it has no column 'size'; its columns are cycle, subject, beta, Size. `factors.values` lists columns that "
            "every file has: correct their names there or in the file, or unlist them.",
        ),
        (
            {"values": ["beta"], "columns": {"subject": "city"}},
            "cycle,subject,Beta",
            "it has no column 'city' (for subject), 'beta'; its columns are cycle, subject, Beta. Rename them, or "
            "declare what they are called under `columns`. `factors.values` lists columns that every file has: "
            "correct their names there or in the file, or unlist them.",
        ),
        (
            {},
            "cycle,subject,beta,size",
            "it has no column 'factor', 'value'; its columns are cycle, subject, beta, size. List the columns that "
            "are one factor each under `factors.values`; or rename them, or declare what they are called under "
            "`columns`.",
        ),
    ],
    ids=["listed", "both", "long"],
)
def test_a_column_of_factors_that_is_missing_is_told_with_what_to_do_about_it(
    podium: Podium, tmp_path: Path, own_boards: Path, declared: dict[str, object], header: str, told: str
) -> None:
    declare(own_boards, factors={"source": "inbox"} | declared)
    path = write(tmp_path / "factors.csv", "2024-01-05,X,1,2", header=header)
    assert judged(podium, path, "--kind", "factors")["unreadable"] == told


def test_a_truncated_parquet_file_is_unreadable(podium: Podium, tmp_path: Path) -> None:
    path = tmp_path / "signals.parquet"
    pd.DataFrame({"model_id": ["a"] * 1000, "cycle": pd.Timestamp("2024-01-05"), "value": 0.5}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-200])
    assert judged(podium, path)["unreadable"].startswith("it is no whole Parquet file")


def test_columns_of_a_wrong_type_refuse_their_rows(podium: Podium, tmp_path: Path) -> None:
    path = tmp_path / "signals.parquet"
    days = [20240105, 20240112]
    pd.DataFrame({"model_id": ["a", "a"], "cycle": days, "subject": "X", "value": [True, False]}).to_parquet(path)
    kind = judged(podium, path)
    assert (kind["accepted"], kind["rejected"]) == (0, 2)
    assert "cycle is 20240105, not a date or time" in kind["reasons"][0]["example"]
    assert "value is True, not a finite number such as 1.5" in kind["reasons"][0]["example"]


def test_a_file_without_rows_has_nothing_to_refuse(podium: Podium, tmp_path: Path) -> None:
    columns = {"model_id": [""], "cycle": [datetime(2024, 1, 5)], "subject": [""], "value": [0.0]}
    pd.DataFrame(columns).head(0).to_parquet(tmp_path / "none.parquet")
    outcome = check(podium, tmp_path / "none.parquet")
    assert outcome.code == 0
    assert "predictions: the file has no rows\n" in outcome.out


@pytest.mark.parametrize(
    ("encoding", "accepted"), [("utf-8", 4), ("utf-8-sig", 4), ("utf-16", 4), ("latin-1", 3), ("cp1252", 3)]
)
def test_encodings_are_read_or_their_rows_refused(podium: Podium, tmp_path: Path, encoding: str, accepted: int) -> None:
    path = tmp_path / "signals.csv"
    path.write_bytes("\n".join([league.HEADER, *GOOD, "a,2024-01-05,Zürich,1", ""]).encode(encoding))
    kind = judged(podium, path)
    assert (kind["accepted"], kind["rejected"]) == (accepted, 4 - accepted)
    if accepted == 3:
        assert kind["reasons"][0]["example"] == "is not UTF-8; save the file as UTF-8"


def test_what_does_not_print_is_shown_escaped(podium: Podium, tmp_path: Path) -> None:
    path = write(tmp_path / "bad.csv", "a,2024-01-05,\x1b[31mred,1", "[bold]b[/bold],2024-01-05,X,none")
    shown = check(podium, path)
    assert "\x1b" not in shown.out
    assert "[bold]b[/bold]," in shown.out


@pytest.mark.parametrize("name", ["my file.csv", 'it\'s "one".csv', "[bold]x.csv", "a\nb.csv", "é.csv", "-x.csv"])
def test_any_name_will_do(podium: Podium, tmp_path: Path, name: str) -> None:
    write(tmp_path / name, *GOOD)
    assert judged(podium, tmp_path / name)["accepted"] == 3
    shown = check(podium, tmp_path / name)
    assert shown.out.startswith(str(tmp_path / name).replace("\n", "\\n") + " for board league")
    assert len(shown.out.splitlines()) == 3


def test_a_name_of_any_bytes_will_do(podium: Podium, tmp_path: Path) -> None:
    path = write(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv")), *GOOD)
    assert check(podium, path, "--json").json["file"].endswith("caf\\xe9.csv")
    assert "caf\\xe9.csv for board league" in check(podium, path).out


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zürich [b]", "Zürich [b]"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\ud800"),
        ("a\nb\x1b[31m", "a\\nb\\x1b[31m"),
    ],
)
def test_any_text_can_be_printed(text: str, shown: str) -> None:
    assert in_print(text) == shown


def test_a_symbolic_link_is_followed_but_not_inside_the_inbox(podium: Podium, tmp_path: Path) -> None:
    path = write(tmp_path / "good.csv", *GOOD)
    inside = tmp_path / "inbox" / "league" / "predictions" / "link.csv"
    inside.parent.mkdir(parents=True)
    for link in (tmp_path / "link.csv", inside):
        link.symlink_to(path)
    assert judged(podium, tmp_path / "link.csv")["accepted"] == 3
    assert "symbolic link inside the inbox" in judged(podium, inside)["unreadable"]


def test_what_is_no_file_is_wrong_input(podium: Podium, tmp_path: Path) -> None:
    (tmp_path / "nothing.csv").symlink_to(tmp_path / "gone.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    for name, what in {
        "gone.csv": "does not exist",
        "nothing.csv": "is a symbolic link to nothing",
        "pipe.csv": "is a device or pipe",
        "boards": "is a folder",
    }.items():
        assert error(check(podium, tmp_path / name), 2) == f"'{tmp_path / name}' {what}; give the path of a file"


def test_late_rows_are_accepted_and_told_with_the_deadline(podium: Podium, tmp_path: Path) -> None:
    path = write(tmp_path / "late.csv", *GOOD, "a,2024-02-02,X,1")
    outcome = check(podium, path, at="2024-01-06T08:30")
    assert outcome.code == 0
    assert "predictions: 4 rows: 4 accepted, 0 rejected, 3 late\n" in outcome.out
    assert (
        "3 rows are late and would not be scored: received 2024-01-06 08:30 UTC, the deadline was 2024-01-05 12:00 UTC "
        "(the cycle's time + 12h); imports of old predictions declare `trusted: true`.\n"
    ) in outcome.out
    found = check(podium, path, "--json", at="2024-03-01").json
    assert found["late"] == {
        "n_rows": 4,
        "first_deadline": "2024-01-05T12:00:00Z",
        "last_deadline": "2024-02-02T12:00:00Z",
    }


def test_a_file_is_received_now_by_default(podium: Podium, tmp_path: Path) -> None:
    found = podium("check", str(write(tmp_path / "late.csv", *GOOD)), "--json").json
    assert found["received_at"] > "2026"
    assert found["kinds"][0]["late"] == 3


def test_a_trusted_file_is_judged_by_its_own_times(podium: Podium, tmp_path: Path, own_boards: Path) -> None:
    declare(own_boards, predictions={"source": "inbox", "trusted": True})
    path = write(tmp_path / "old.csv", "a,2024-01-05,X,1,2024-01-09", header=f"{league.HEADER},received_at")
    assert (
        "1 row is late and would not be scored: received_at in the file, the deadline was 2024-01-05 "
        "(the cycle's time).\n"
    ) in check(podium, path).out


def test_unread_columns_are_named_with_what_they_may_mean(podium: Podium, tmp_path: Path) -> None:
    path = write(tmp_path / "typo.csv", "a,2024-01-05,X,1,2,note", header=f"{league.HEADER},Horizn,comment")
    assert "Columns left unread: Horizn (meant horizon?), comment\n" in check(podium, path).out
    assert check(podium, path, "--json").json["unread"] == [
        {"column": "Horizn", "meant": "horizon"},
        {"column": "comment", "meant": None},
    ]


def test_one_file_may_hold_several_kinds(podium: Podium, tmp_path: Path, own_boards: Path) -> None:
    both = {"source": "inbox", "files": "weekly"}
    declare(own_boards, predictions=both, truth=both | {"columns": {"value": "outcome"}})
    path = write(tmp_path / "week.csv", "a,2024-01-05,X,1,high,?", header=f"{league.HEADER},outcome,other")
    found = check(podium, path, "--json").json
    assert [(kind["kind"], kind["accepted"], kind["rejected"]) for kind in found["kinds"]] == [
        ("predictions", 1, 0),
        ("truth", 0, 1),
    ]
    assert (found["folder"], found["accepted"]) == ("weekly", False)
    assert [one["column"] for one in found["unread"]] == ["other"]


def test_json_has_everything(podium: Podium, tmp_path: Path) -> None:
    path = write(tmp_path / "bad.csv", *GOOD, "c,2024-01-05,X,NaN")
    found = check(podium, path, "--json").json
    (refused,) = found["kinds"][0].pop("refused")
    assert (refused["row"], refused["reason"]) == (4, "value is 'NaN', not a finite number such as 1.5")
    assert "2024-01-05" in refused["original"]
    assert found == {
        "file": str(path),
        "board": "league",
        "folder": "predictions",
        "received_at": "2024-01-01T23:59:59.999999Z",
        "accepted": False,
        "kinds": [
            {
                "kind": "predictions",
                "rows": 4,
                "accepted": 3,
                "rejected": 1,
                "late": 0,
                "unreadable": None,
                "reasons": [{"example": "value is 'NaN', not a finite number such as 1.5", "rows": 1}],
            }
        ],
        "late": None,
        "unread": [],
        "notes": [],
    }


def test_another_folder_is_checked_by_its_own_rules(podium: Podium, tmp_path: Path) -> None:
    truth = write(tmp_path / "truth.csv", "X,2024-01-01,0.5", "X,2024-01-01,high", header="subject,target_time,value")
    kind = judged(podium, truth, "--kind", "truth")
    assert (kind["kind"], kind["accepted"], kind["rejected"]) == ("truth", 1, 1)
    models = write(tmp_path / "models.csv", "a,Alpha", header="model_id,title")
    assert judged(podium, models, "--kind", "models")["accepted"] == 1
    assert "podium submit league " + str(models) + " --kind models\n" in check(podium, models, "--kind", "models").out


def test_the_board_is_the_only_one_that_takes_files_or_must_be_named(
    podium: Podium, tmp_path: Path, own_boards: Path
) -> None:
    path = write(tmp_path / "good.csv", *GOOD)
    declare(own_boards, "cup")
    assert error(check(podium, path), 2) == "2 boards take files: cup, league; name one: --board"
    assert check(podium, path, "--board", "cup").code == 0
    assert error(check(podium, path, "--board", "nope"), 2) == (
        "no board 'nope' is declared; known: coding_models, cup, league, reading, sp500, sp500_risk"
    )
    assert error(check(podium, path, "--board", "sp500"), 2) == (
        "board 'sp500' takes no files: its predictions come from pipeline.baselines.sp500"
    )
    assert error(check(podium, path, "--board", "cup", "--kind", "scores"), 2) == (
        "the inbox of 'cup' has no folder 'scores'; known: models, subjects, predictions, truth"
    )


def test_without_a_board_that_takes_files_there_is_nothing_to_check_for() -> None:
    with pytest.raises(InputError, match=r"^no board takes files; declare one with `source: inbox`"):
        board_with_inbox({}, None)


def test_without_a_competition_that_takes_files_the_only_experiment_is_meant(
    podium: Podium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PODIUM_DEFS_DIR")
    league.trees.own_tree.cache_clear()
    path = tmp_path / "runs.csv"
    path.write_text("prompt,model,input_id,output\nnotes,extractive,1,yes\n")
    assert check(podium, path, "--json").json["board"] == "reading"


def test_truth_alone_may_come_as_files(podium: Podium, tmp_path: Path, own_boards: Path) -> None:
    declare(own_boards, predictions={"source": "pipeline.baselines.sp500"})
    assert error(check(podium, tmp_path / "x.csv"), 2) == (
        "predictions of 'league' come from pipeline.baselines.sp500; name a folder: --kind models, subjects, truth"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "type: pipeline.components.Competition\nattributes: {name: league, tittle: x}\n",
            "unknown field 'tittle'; known: name, title",
        ),
        ("", "it is empty; begin with type: pipeline.components.Competition"),
        ("type: pipeline.components.Contest\n", "Contest"),
        ("type: [", "no YAML in line 1, column 8"),
    ],
)
def test_a_wrong_declaration_is_one_line(
    podium: Podium, tmp_path: Path, own_boards: Path, text: str, message: str
) -> None:
    (own_boards / "league" / "defs.yaml").write_text(text, encoding="utf-8")
    league.trees.own_tree.cache_clear()
    assert message in error(check(podium, tmp_path / "x.csv"), 2)


def test_a_folder_of_boards_that_is_not_there_is_wrong_input(
    podium: Podium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_DEFS_DIR", str(tmp_path / "nowhere"))
    league.trees.own_tree.cache_clear()
    assert "is no folder; make it, or unset the variable" in error(check(podium, tmp_path / "x.csv"), 2)


def test_closed_registration_cannot_be_checked_before_the_first_run(
    podium: Podium, tmp_path: Path, own_boards: Path
) -> None:
    declare(own_boards, models=CLOSED, subjects=CLOSED)
    outcome = check(podium, write(tmp_path / "good.csv", *GOOD))
    assert outcome.code == 0
    assert "Models and subjects cannot be checked: nothing of league ran yet.\n" in outcome.out


def test_who_is_not_registered_is_refused(podium: Podium, tmp_path: Path, own_boards: Path) -> None:
    contract = declare(own_boards, models=CLOSED, subjects=CLOSED)
    models = write(tmp_path / "models.csv", "a,Alpha", header="model_id,title")
    subjects = write(tmp_path / "subjects.csv", "X,The X", header="subject,title")
    league.run(contract, tmp_path, models=models, subjects=subjects)
    kind = judged(podium, write(tmp_path / "good.csv", *GOOD))
    assert {one["example"] for one in kind["reasons"]} == {
        "model 'b' is not registered; land it first, in a file for models (column model_id)",
        "subject 'Y' is not registered; land it first, in a file for subjects (column subject)",
    }
    assert (kind["accepted"], kind["rejected"]) == (1, 2)


def test_registrations_that_wait_are_mentioned(podium: Podium, tmp_path: Path, own_boards: Path) -> None:
    contract = declare(own_boards, models=CLOSED)
    league.run(contract, tmp_path)
    models = write(tmp_path / "models.csv", "a,Alpha", header="model_id,title")
    assert podium("submit", "league", str(models), "--kind", "models").code == 0
    found = check(podium, write(tmp_path / "good.csv", *GOOD), "--json").json
    assert found["kinds"][0]["accepted"] == 0
    assert found["notes"] == [
        "Registrations wait in the inbox (models.csv) and do not count yet: podium run league lands them."
    ]


def test_while_a_run_has_the_working_file_the_published_one_is_asked(
    podium: Podium, tmp_path: Path, own_boards: Path
) -> None:
    contract = declare(own_boards, models=CLOSED)
    warehouse = league.run(contract, tmp_path)
    league.publish(contract, warehouse, "b", "X", datetime(2024, 1, 12))
    with processes.running(processes.hold, tmp_path) as other:
        assert processes.line(other) == "holding"
        found = check(podium, write(tmp_path / "good.csv", *GOOD), "--json").json
    assert (found["kinds"][0]["accepted"], found["kinds"][0]["rejected"]) == (1, 2)
    assert found["notes"] == ["The working file is in use, so this is by what was published last."]


def test_target_times_must_be_those_known(podium: Podium, tmp_path: Path, own_boards: Path) -> None:
    contract = declare(own_boards, horizon_length=None, predictions={"source": "inbox", "trusted": True})
    header = f"{league.HEADER},target_time"
    path = write(tmp_path / "new.csv", "a,2024-01-05,X,1,2024-01-12", header=header)
    other = write(tmp_path / "other.csv", "b,2024-01-05,X,1,2024-01-13", header=header)
    assert judged(podium, other)["accepted"] == 1, "nothing is agreed yet"
    league.run(contract, tmp_path, predictions=path)
    reason = judged(podium, other)["reasons"][0]["example"]
    assert reason.startswith("target_time is 2024-01-13 00:00:00, but 2024-01-12 00:00:00 in other rows")


def test_the_published_file_knows_target_times_too(podium: Podium, tmp_path: Path, own_boards: Path) -> None:
    contract = declare(own_boards, horizon_length=None, predictions={"source": "inbox", "trusted": True})
    warehouse = league.run(contract, tmp_path)
    league.publish(contract, warehouse, "a", "X", datetime(2024, 1, 12))
    warehouse.path.unlink()
    other = write(tmp_path / "other.csv", "b,2024-01-05,X,1,2024-01-13", header=f"{league.HEADER},target_time")
    assert judged(podium, other)["rejected"] == 1


def test_check_loads_neither_dbt_nor_what_makes_the_bundled_competition(tmp_path: Path) -> None:
    path = write(tmp_path / "good.csv", *GOOD)
    script = (
        "import json, sys; from pipeline.cli.app import app\n"
        f"app(['check', {str(path)!r}, '--received-at', '2024-01-01'], standalone_mode=False)\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    environment = os.environ | {"PODIUM_DATA_DIR": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    heavy = {"dbt", "dagster_dbt", "skfolio", "sklearn", "vl_convert"}
    assert not heavy & set(json.loads(ended.stdout.splitlines()[-1]))
