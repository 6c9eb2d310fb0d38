"""Whatever two players and a stranger send, nobody reads or writes what is another's.

Schemathesis makes the requests, of every operation that needs a key; players take turns, and strangers too. What each
may see is told by secrets that only one of them ever sent, and by names that no answer may hold.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from pipeline.reports.access import EXPERIMENTS, RUNS, SUBMISSIONS
from pipeline.reports.app import create_app
from pipeline.reports.submissions.naming import player_digest, read_api_name
from pipeline.settings import Settings
from pipeline_tests.reports.experiments.asked import Bench, asked, said
from pipeline_tests.reports.writing import FUTURE, Desk, post, row
from pipeline_tests.toy_experiment import NAME, toy_experiment

QUESTIONS = 25
"""Made for each operation."""
OFTEN = {"submissions_per_minute": 1_000_000, "failed_keys_per_minute": 1_000_000, "runs_per_minute": 1_000_000}
ANN, BERT, NOBODY = "Ann-of-the-secret", "Bert-of-the-secret", ""
OF_KEYS = sorted(
    (path, method.upper())
    for path, operations in create_app(Path("nowhere")).openapi()["paths"].items()
    for method, operation in operations.items()
    if operation.get("security")
)
REFUSED = {(SUBMISSIONS, "POST"), (f"{RUNS}/{{run_id}}/cancel", "POST")}
"""What one player may not do to what is the other's, however well it is asked."""
STATED = settings(
    max_examples=QUESTIONS,
    suppress_health_check=list(HealthCheck),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
)


def test_every_operation_that_needs_a_key_is_asked() -> None:
    assert {path.split("/")[1] for path, _ in OF_KEYS} == {"submissions", "runs", "experiments"}
    assert len(OF_KEYS) > 15


@dataclass
class Two:
    """A server, the headers of each player, and what each did before: a run asked for, one scored, a file submitted."""

    app: Any
    client: TestClient
    headers: dict[str, dict[str, str]]
    run: dict[str, str]
    scored: dict[str, str]
    sha256: dict[str, str]

    def secrets_of_others(self, who: str) -> list[str]:
        """What no answer to somebody may hold: keys, names of people, the hash of another's file."""
        others = [one for one in (ANN, BERT) if one != who]
        keys = [self.headers[one]["Authorization"].split("_", 2)[2] for one in (ANN, BERT)]
        return [*others, *map(player_digest, others), *(self.sha256[one] for one in others), *keys]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """A contest that takes submissions, and a queue of an experiment, of one server."""
    folder = tmp_path_factory.mktemp("whose")
    desk = Desk(folder, models={"anna": ANN, "bert": BERT})
    desk.publish()
    toy_experiment().publish(folder)
    app = create_app(folder / "published", given=Settings(data_dir=folder, **OFTEN))
    headers = {who: desk.key(who) for who in (ANN, BERT)} | {NOBODY: {}}
    with TestClient(app, raise_server_exceptions=False) as client:
        run, scored, sha256 = {}, {}, {}
        asked_for = {"status": "completed", "limit": 2}
        completed = said(client.get("/runs", params=asked_for, headers=headers[ANN]))["items"]
        for who, model, answered in ((ANN, "anna", completed[0]), (BERT, "bert", completed[1])):
            run[who] = said(client.post("/runs", json=asked(model=f"of {model}"), headers=headers[who]), 201)["id"]
            sha256[who] = said(post(client, headers[who], row(model)), 201)["sha256"]
            score = {"scorer_name": "helpful", "value": 0.5}
            scored[who] = answered["id"]
            said(client.post(f"/runs/{scored[who]}/score", json=score, headers=headers[who]), 201)
        yield Two(app, client, headers, run, scored, sha256)


@pytest.mark.parametrize(("path", "method"), OF_KEYS)
def test_nobody_reads_or_writes_what_is_anothers(two: Two, path: str, method: str) -> None:
    operation = schemathesis.openapi.from_asgi("/openapi.json", two.app)[path][method]
    statuses: dict[str, set[int]] = {ANN: set(), BERT: set(), NOBODY: set()}
    before = state(two)

    @given(case=operation.as_strategy(), who=st.sampled_from([ANN, BERT, NOBODY]), is_good=st.booleans())
    @STATED
    def ask(case: schemathesis.Case, who: str, is_good: bool) -> None:
        case.headers = two.headers[who]
        if is_good:
            _about_what_is_anothers(two, case, path, who)
        answer = case.call()
        statuses[who].add(answer.status_code)
        assert answer.status_code < 500, answer.content
        held = f"{answer.content.decode('latin-1')} {dict(answer.headers)}"
        assert [one for one in two.secrets_of_others(who) if one in held] == []

    ask()
    assert statuses[NOBODY] == {401}
    if (path, method) in REFUSED:
        assert 403 in statuses[ANN] & statuses[BERT]
    assert_only_added(two, before)


def _about_what_is_anothers(two: Two, case: schemathesis.Case, path: str, who: str) -> None:
    """A request about the run, the model or the scores of the other player, as well made as it can be."""
    other = BERT if who == ANN else ANN
    run = (two.scored if path.endswith("/score") else two.run)[other]
    case.path_parameters = {name: run if name == "run_id" else NAME for name in case.path_parameters or {}}
    if path == SUBMISSIONS:
        model = {"model_id": "bert" if who == ANN else "anna", "cycle": FUTURE, "subject": "X", "value": 0.9}
        case.query = {"force": True} if case.method == "POST" else {}
        if case.method == "POST":
            case.body, case.media_type = {"rows": [model]}, "application/json"
    elif path.endswith("/score"):
        case.body, case.media_type = {"scorer_name": "helpful", "value": 1.0}, "application/json"


@dataclass(frozen=True)
class State:
    """What each player has: files by whose digest they are named, runs by who asked, scores by who gave them."""

    files: dict[str, set[str]]
    asked_by: dict[str, str | None]
    statuses: dict[str, str]
    raters: dict[str, str | None]


def state(two: Two) -> State:
    given = two.app.state.settings
    files: dict[str, set[str]] = {}
    for path in (given.inbox_dir / "league").rglob("*.*"):
        named = read_api_name(path.name)
        assert named is not None
        files.setdefault(named.player, set()).add(path.read_text())
    with Bench(given.data_dir).queue() as queue:
        runs, scores = queue.runs(), queue.scores.all()
    return State(
        files,
        {one.run_id: one.asked_by for one in runs},
        {one.run_id: one.status for one in runs},
        {one.score_id: one.rater for one in scores},
    )


def assert_only_added(two: Two, before: State) -> None:
    """What was there is there and whose it was; what is new is of one of the two, and only of that one's models."""
    after = state(two)
    for old, new in ((before.asked_by, after.asked_by), (before.raters, after.raters)):
        assert old.items() <= new.items()
        assert {new[one] for one in new.keys() - old.keys()} <= {ANN, BERT}
    assert {who: after.statuses[run] for who, run in two.run.items()} == {ANN: "pending", BERT: "pending"}
    for who, model, others in ((ANN, "anna", "bert"), (BERT, "bert", "anna")):
        of_player = after.files.get(player_digest(who), set())
        assert any(model in text for text in of_player)
        assert not any(others in text for text in of_player)
    assert after.files.keys() == {player_digest(ANN), player_digest(BERT)}


def test_one_player_cannot_cancel_what_the_other_asked_for_nor_take_their_name(two: Two) -> None:
    for who, other in ((ANN, BERT), (BERT, ANN)):
        refused = two.client.post(f"/runs/{two.run[other]}/cancel", headers=two.headers[who])
        assert refused.status_code == 403
        assert other not in refused.text
        said_of = {
            "scorer_name": "helpful",
            "value": 0.1,
            "rater": other,
            "player": other,
            "metadata": {"rater": other},
        }
        answer = two.client.post(f"/runs/{two.scored[other]}/score", json=said_of, headers=two.headers[who])
        assert answer.status_code in (201, 422)
    with Bench(two.app.state.settings.data_dir).queue() as queue:
        own = [one.rater for one in queue.scores.all() if json.dumps(dict(one.details or {})).count("rater")]
    assert own == [] or set(own) <= {ANN, BERT}


def test_each_player_lists_their_own_files_alone(two: Two) -> None:
    for who in (ANN, BERT):
        listed = said(two.client.get(SUBMISSIONS, headers=two.headers[who]))["rows"]
        assert two.sha256[who] in {one["sha256"] for one in listed}
        assert not {one["sha256"] for one in listed} & {two.sha256[one] for one in (ANN, BERT) if one != who}


def test_paths_of_keys_are_those_of_the_gate() -> None:
    assert all(path.startswith((SUBMISSIONS, RUNS, EXPERIMENTS)) for path, _ in OF_KEYS)
