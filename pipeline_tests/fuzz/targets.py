"""Everything of Podium that reads what others wrote, each with good files to begin with."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path

import duckdb
import pandas as pd
from httpx2 import Response
from starlette.testclient import TestClient
from upath import UPath

from pipeline.cli.mistakes import problems_in
from pipeline.competition import Contract
from pipeline.competition.hub import HubError, read_hub
from pipeline.competition.hub.files import Submission, model_metadata
from pipeline.competition.hub.forecast_target import ForecastTarget
from pipeline.competition.hub.reading import judge
from pipeline.intake import folders
from pipeline.intake.experiments import experiment_intakes
from pipeline.intake.known import NothingKnown
from pipeline.landing import Intake, check_file
from pipeline.leaderboard.formats import load
from pipeline.rankings import Source, SourceError
from pipeline.settings import PROJECT_ROOT
from pipeline_tests.cli.league import DECLARATION
from pipeline_tests.competition.hub.toy_hub import ROUND, submission, tasks, write_hub
from pipeline_tests.rankings.sources import test_broken_catalogues, test_broken_documents
from pipeline_tests.rankings.sources.catalogues import packed
from pipeline_tests.reports.writing import FUTURE, Desk
from pipeline_tests.toy_experiment import experiment

Read = Callable[[str, bytes], None]
"""Reads a file of this name and content; raises what the reader raises, or AssertionError for a silent refusal."""


@dataclass(frozen=True)
class Target:
    """A reader.

    Parameters
    ----------
    files : mapping of str to bytes
        Good ones, by name.
    opened : function
        From an empty folder to what reads a file there.
    refusals : tuple of exception types
        How it refuses; the message says why. None of it: it never raises.
    """

    files: Mapping[str, bytes]
    opened: Callable[[Path], AbstractContextManager[Read]]
    refusals: tuple[type[Exception], ...] = ()


def _in_formats(rows: pd.DataFrame, name: str) -> dict[str, bytes]:
    parquet = BytesIO()
    rows.to_parquet(parquet, index=False)
    return {
        f"{name}.csv": rows.to_csv(index=False).encode(),
        f"{name}.jsonl": rows.to_json(orient="records", lines=True, date_format="iso").encode(),
        f"{name}.parquet": parquet.getvalue(),
    }


def _landing(rows: pd.DataFrame, intake: Callable[[], Intake]) -> Target:
    """Files that land: every row is taken or refused with its reason, or the file is unreadable and says why."""

    @contextmanager
    def opened(folder: Path) -> Iterator[Read]:
        with duckdb.connect() as connection:
            one = intake()

            def read(name: str, content: bytes) -> None:
                path = folder / name
                path.write_bytes(content)
                verdict = check_file(connection, path, one, datetime(2024, 1, 1))
                assert verdict.n_rows == verdict.n_accepted + verdict.n_rejected, "rows are lost"
                assert verdict.unreadable is None or verdict.unreadable.strip(), "refused without a reason"
                told = sum(n for reason, n in verdict.reasons if reason.strip())
                assert told >= verdict.n_rejected, "rows are refused without a reason"

            yield read

    return Target(_in_formats(rows, "rows"), opened)


def _of_league(folder: str) -> Callable[[], Intake]:
    contract = Contract.model_validate({"name": "league"} | DECLARATION)
    return lambda: folders(contract)[folder][0](contract, NothingKnown())


def _of_experiment(folder: str) -> Callable[[], Intake]:
    return lambda: experiment_intakes(experiment(), lambda: lambda: frozenset({"a run"}))[folder]()[0]


@contextmanager
def _board(folder: Path) -> Iterator[Read]:
    def read(name: str, content: bytes) -> None:
        path = folder / name
        path.write_bytes(content)
        load(path, on_missing="fix_aggregate")

    yield read


@contextmanager
def _hub(folder: Path) -> Iterator[Read]:
    write_hub(folder)
    hub = read_hub(folder)
    wanted = ForecastTarget.of(hub, "count")

    def read(name: str, content: bytes) -> None:
        path = UPath(folder / f"{ROUND}-a-one{Path(name).suffix}")
        path.write_bytes(content)
        judged = judge(Submission(path, ROUND, "a-one"), hub, wanted, "quantile")
        assert judged.n_rows == len(judged.accepted) + len(judged.refused) or judged.unreadable, "rows are lost"
        assert judged.unreadable is None or judged.unreadable.strip(), "refused without a reason"
        assert all(str(one).strip() for one in judged.refused["reason"]), "refused without a reason"

    yield read


@contextmanager
def _hub_configuration(folder: Path) -> Iterator[Read]:
    write_hub(folder)
    tasks = folder / "hub-config" / "tasks.json"

    def read(name: str, content: bytes) -> None:
        tasks.write_bytes(content)
        read_hub(folder)

    yield read


@contextmanager
def _hub_metadata(folder: Path) -> Iterator[Read]:
    hub = read_hub(write_hub(folder))
    (folder / "model-metadata").mkdir(exist_ok=True)

    def read(name: str, content: bytes) -> None:
        (folder / "model-metadata" / name).write_bytes(content)
        assert list(model_metadata(hub)), "told of nothing"

    yield read


@contextmanager
def _declaration(folder: Path) -> Iterator[Read]:
    """What keeps a declaration from being read is told in a line for each mistake."""

    def read(name: str, content: bytes) -> None:
        (folder / "defs.yaml").write_bytes(content)
        told = problems_in(folder)
        assert all(one.strip() for one in told), "refused without a reason"

    yield read


@contextmanager
def _submitting(folder: Path) -> Iterator[Read]:
    """Bodies of requests: whatever is sent is answered with what is wrong, or taken."""
    desk = Desk(folder)
    desk.publish()
    headers = desk.key("Ann")
    often = {"submissions_per_minute": 10**9, "failed_keys_per_minute": 10**9}
    with desk.served(**often) as client:

        def read(name: str, content: bytes) -> None:
            answer = _sent(client, headers, name, content)
            assert answer.status_code < 500, answer.text
            assert answer.status_code < 300 or answer.json().get("detail"), "refused without a reason"
            for one in desk.waiting():
                one.unlink()

        yield read


def _sent(client: TestClient, headers: Mapping[str, str], name: str, content: bytes) -> Response:
    if name.endswith(".json"):
        return client.post("/submissions", content=content, headers={**headers, "Content-Type": "application/json"})
    return client.post("/submissions", files={"file": (name, content)}, headers=dict(headers))


def _source(source: Source, documents: Mapping[str, bytes]) -> Target:
    """A publisher of rankings; one document is changed, the others are as they were."""

    @contextmanager
    def opened(folder: Path) -> Iterator[Read]:

        def read(name: str, content: bytes) -> None:
            parsed = source.parse({**documents, name: content})
            keys = [(one.raw_name, one.benchmark, one.measure, one.config, one.channel) for one in parsed.results]
            assert len(keys) == len(set(keys)), "a figure is there twice"
            assert all(one.reason.strip() for one in parsed.unread), "refused without a reason"

        yield read

    return Target(documents, opened, (SourceError,))


def _sources() -> Iterator[tuple[str, Target]]:
    for source, documents in test_broken_documents.FILES:
        yield f"source {source.about.name}", _source(source, documents)
    for source, name, content in test_broken_catalogues.OBJECTS:
        yield f"source {source.about.name} {name}", _source(source, {name: packed(content)})
    for source, name, table in test_broken_catalogues.TABLES:
        yield f"source {source.about.name} {name}", _source(source, {name: table})


def _sampled(*patterns: str) -> dict[str, bytes]:
    folder = PROJECT_ROOT / "data" / "sample"
    return {path.name: path.read_bytes() for one in patterns for path in sorted(folder.glob(one)) if path.is_file()}


def _declarations() -> dict[str, bytes]:
    return {
        f"{path.parent.name}.yaml": path.read_bytes()
        for path in sorted((PROJECT_ROOT / "pipeline" / "defs").glob("*/defs.yaml"))
    }


def _runs() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "prompt": ["greet", "greet", '{"system": "Be short", "template": "{text}"}'],
            "model": ["a", "b", "a"],
            "params": ['{"temperature": 0.5}', None, None],
            "input_data": ['{"text": "x"}', "one", "two"],
            "output": ["yes", "no", None],
            "status": ["completed", "completed", "failed"],
            "created_at": ["2024-01-01T10:00:00", "2024-01-01T10:01:00Z", None],
            "tokens_in": [5, 6, None],
            "cost": [0.1, 0.2, None],
            "stages": ['[{"stage": "call", "cost": 0.1}]', None, None],
        }
    )


_ROWS = pd.DataFrame({"cycle": "2024-01-05", "subject": ["X", "Y", "Z", "É"], "value": [0.5, -1.25, 0.0, 3e8]})
_HUB_ROWS = {name: body for name, body in _in_formats(submission(), "rows").items() if not name.endswith("jsonl")}
_METADATA = b"team_abbr: a\nmodel_abbr: one\nteam_name: A\nmodel_name: One\nmethods: |\n  guesses\n  of all kinds\n"
_BODY = {"rows": [{"model_id": "anna", "cycle": FUTURE, "subject": "X", "value": 0.5}]}

TARGETS: dict[str, Target] = {
    "landing predictions": _landing(_ROWS.assign(model_id="anna"), _of_league("predictions")),
    "landing truth": _landing(_ROWS, _of_league("truth")),
    "landing models": _landing(
        pd.DataFrame({"model_id": ["anna", "bert"], "title": ["A", "B"], "version": ["1", "2"]}), _of_league("models")
    ),
    "landing runs": _landing(_runs(), _of_experiment("runs")),
    "landing scores": _landing(
        pd.DataFrame({"run_id": ["a run"] * 2, "scorer": "helpful", "value": [0.5, 1.0], "rater_name": ["R", None]}),
        _of_experiment("scores"),
    ),
    "evaluation files": Target(_sampled("*.tot", "evaluation/*", "track/*/*"), _board, (ValueError,)),
    "hub submissions": Target(_HUB_ROWS, _hub),
    "hub configuration": Target({"tasks.json": json.dumps(tasks()).encode()}, _hub_configuration, (HubError,)),
    "hub metadata": Target({"a-one.yml": _METADATA}, _hub_metadata, (HubError,)),
    "declarations": Target(_declarations(), _declaration),
    "request bodies": Target(
        {"rows.json": json.dumps(_BODY).encode(), **_in_formats(_ROWS.assign(model_id="anna", cycle=FUTURE), "rows")},
        _submitting,
    ),
    **dict(_sources()),
}
