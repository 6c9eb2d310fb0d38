"""Endpoints and metric columns of an operator's own, as the documentation says to make them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline.registry import UnknownNameError
from pipeline.reports.app import create_app
from pipeline.settings import PROJECT_ROOT, settings
from pipeline_tests.reports.served import declared, publish
from pipeline_tests.toy_contest import SUBJECTS, ToyContest

DOCUMENT = (PROJECT_ROOT / "pipeline" / "docs" / "reports.md").read_text(encoding="utf-8")
PACKAGE = "my_reports"
ROUTER = f"{PACKAGE}.routes.router"


@pytest.fixture
def package(toy: ToyContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the documentation shows, written down."""
    blocks = re.findall(r"<!-- own \w+ -->\n```python\n# (\S+)\n(.*?)```", DOCUMENT, re.DOTALL)
    assert [path for path, _ in blocks] == [f"{PACKAGE}/metrics.py", f"{PACKAGE}/routes.py"]
    for path, code in blocks:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PODIUM_DOTTED_PATH_PACKAGES", f'["pipeline", "pipeline_tests", "{PACKAGE}"]')
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.usefixtures("package")
def test_a_metric_of_ones_own_is_a_column_of_the_board_and_may_rank_it(tmp_path: Path) -> None:
    (listed,) = re.findall(r"metrics: \[(.*?)\]", DOCUMENT)
    metrics = listed.split(", ")
    publish(tmp_path, declared(metrics=metrics, ensembles=[]))
    with TestClient(create_app(tmp_path / "published")) as client:
        board = client.get("/reports/leaderboard").json()
        spread = {row["model_id"]: row["metrics"][metrics[-1]]["value"] for row in board["rows"]}
        assert spread["constant"] == 0
        assert spread["noise"] > spread["sharp"] > 0
        by_spread = client.get("/reports/leaderboard", params={"rank_by": f"anchor.{metrics[-1]}"}).json()
        assert by_spread["rows"][0]["model_id"] == max(spread, key=spread.__getitem__)


@pytest.mark.usefixtures("package")
def test_an_endpoint_of_ones_own_answers_like_the_others(tmp_path: Path) -> None:
    publish(tmp_path, declared())
    with TestClient(create_app(tmp_path / "published", [ROUTER])) as client:
        found = client.get("/reports/subjects", params={"limit": 3}).json()
        assert (found["total"], [row["subject"] for row in found["rows"]]) == (len(SUBJECTS), SUBJECTS[:3])
        csv = client.get("/reports/subjects", params={"format": "csv"})
        assert len(csv.text.splitlines()) == len(SUBJECTS) + 1
        assert client.get("/reports/subjects", params={"competition": "tyo"}).json()["total"] == 0
        assert "/reports/subjects" in client.get("/openapi.json").json()["paths"]


@pytest.mark.usefixtures("package")
def test_a_path_that_names_no_router_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"'my_reports.metrics' is a module; name an APIRouter"):
        create_app(tmp_path, [f"{PACKAGE}.metrics"])
    with pytest.raises(UnknownNameError, match="is outside the packages that dotted paths may use"):
        create_app(tmp_path, ["os.path"])


def test_a_weighted_ranking_and_a_minimum_are_lines_of_the_declaration(toy: ToyContest, tmp_path: Path) -> None:
    weights = {"anchor.ic": 0.5, "steady.ic": 0.3, "recent.ic": 0.2}
    publish(tmp_path, declared(leaderboard={"rank_by": weights, "min_predictions": 150}))
    with TestClient(create_app(tmp_path / "published")) as client:
        rows = {row["model_id"]: row for row in client.get("/reports/leaderboard").json()["rows"]}
    for row in rows.values():
        if row["rank"] is not None:
            expected = 0.5 * row["score_anchor"] + 0.3 * row["score_steady"] + 0.2 * row["score_recent"]
            assert row["combined_score"] == pytest.approx(expected, rel=1e-12)
    assert sum(row["rank"] is not None for row in rows.values()) >= 3
    assert rows["latecomer"]["status"] == "unranked: too_few_predictions"
