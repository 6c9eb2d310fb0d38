"""From a key to the board: what a player submits over HTTP lands with the next run, and the board names the player."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from pipeline.components import competition
from pipeline.landing import inbox
from pipeline.reports.access.keys import KeyStore
from pipeline.reports.app import create_app
from pipeline.tables import MODELS
from pipeline_tests.components.inbox_contest import SUBJECTS, InboxContest, predictions, truth
from pipeline_tests.toy_contest import ToyContest

DAYS = (9, 8, 7)
pytestmark = pytest.mark.slow


@pytest.fixture
def contest(toy: ToyContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InboxContest:
    """Two models of nobody's and the outcomes of three cycles, published."""
    monkeypatch.setattr(competition, "_PICTURES", {})
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0.0)
    made = InboxContest(tmp_path)
    made.run(*(("predictions", predictions(model, *DAYS)) for model in "ab"), ("truth", truth(*DAYS)))
    made.graph.warehouse.publish()
    return made


def submitted(client: TestClient, headers: dict[str, str], rows: pd.DataFrame, **asked: Any) -> Any:
    content = rows.to_csv(index=False).encode()
    return client.post("/submissions", files={"file": ("week.csv", content)}, headers=headers, params=asked)


def test_a_submission_is_on_the_board_after_the_next_run_with_its_player(contest: InboxContest, tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys")
    ann, bert = ({"Authorization": f"Bearer {keys.add(player)[1]}"} for player in ("Ann", "Bert"))
    rows = predictions("nova", *DAYS)
    with TestClient(create_app(tmp_path / "published")) as client:

        def own() -> list[tuple[Any, ...]]:
            found = client.get("/submissions", headers=ann).json()["rows"]
            return [(one["state"], one["status"], one["n_accepted"], one["n_counting"]) for one in found]

        with contest.graph.open():  # somebody writes the warehouse all the while
            done = submitted(client, ann, rows)
        assert (done.status_code, done.json()["claimed"]) == (201, ["nova"])
        assert submitted(client, ann, predictions("a", *DAYS)).status_code == 403
        assert own() == [("waiting", None, None, None)]

        contest.run()
        assert own() == [("landing", None, None, None)]
        assert submitted(client, bert, rows).status_code == 403

        contest.graph.warehouse.publish()
        board = client.get("/reports/leaderboard").json()["rows"]
        assert {row["model_id"]: row["player_name"] for row in board} == {"a": "", "b": "", "nova": "Ann"}
        assert all(row["rank"] for row in board)
        whole = ("landed", "accepted", len(rows), 0)  # none counts in public before its deadline
        assert own() == [whole]
        (received_at,) = {one["received_at"] for one in client.get("/submissions", headers=ann).json()["rows"]}
        assert received_at == done.json()["received_at"]

        assert submitted(client, ann, rows).status_code == 200  # the same again
        assert submitted(client, bert, rows).status_code == 403
        better = submitted(client, ann, rows.assign(value=-rows["value"]).iloc[: len(SUBJECTS)])
        assert (better.status_code, better.json()["claimed"]) == (201, [])
        contest.run()
        contest.graph.warehouse.publish()
        assert own() == [("landed", "accepted", len(SUBJECTS), 0), whole]
        assert submitted(client, ann, rows).status_code == 201  # back to what was first: that is news
    models = contest.table(MODELS)
    assert dict(zip(models["model_id"], models["player"], strict=True)) == {"a": "", "b": "", "nova": "Ann"}
