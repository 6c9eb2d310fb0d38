"""Reports about contests of distributions: a forecast is one prediction, however many numbers it has."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline_tests.conftest import toy_environment
from pipeline_tests.distribution_contest import CYCLES, IDS, DistributionContest, contract, week
from pipeline_tests.reports.served import publish, served

TYPES = ("quantile", "cdf")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Iterator[TestClient]:
    made = tmp_path_factory.mktemp("distributions")
    with toy_environment(made, dbt_dir):
        publish(made, *(contract(output_type, name=output_type) for output_type in TYPES))
        with served(made / "published") as asked:
            yield asked


def get(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(f"/reports/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def forecasts_of(output_type: str, model: str, number: int) -> list[dict[float | str, float]]:
    source = DistributionContest(output_type)
    return [numbers for task, numbers in source.forecasts(number) if task["model_id"] == model]


@pytest.mark.parametrize("output_type", TYPES)
@pytest.mark.parametrize("model", ["a", "d"])
def test_the_stats_of_a_model_count_forecasts(client: TestClient, output_type: str, model: str) -> None:
    found = get(client, f"models/{model}/stats", competition=output_type)
    made = [numbers for number in range(CYCLES) for numbers in forecasts_of(output_type, model, number)]
    assert found["total_predictions"] == len(made)
    is_whole = [len(numbers) == len(IDS[output_type]) for numbers in made]
    assert found["successful_predictions"] + found["failed_predictions"] < len(made)
    assert (found["failed_predictions"] > 0) == (not all(is_whole))
    assert found["late_predictions"] == found["imputed_predictions"] == 0


def test_the_best_subject_by_a_loss_has_the_least(client: TestClient) -> None:
    found = get(client, "models/a/stats", competition="quantile")
    by_subject = {one["subject"]: one["mean_score"] for one in found["subjects"]}
    assert found["best_subject"] == min(by_subject, key=by_subject.__getitem__)
    assert found["worst_subject"] == max(by_subject, key=by_subject.__getitem__)


@pytest.mark.parametrize("output_type", TYPES)
def test_predictions_are_every_number_once_in_the_order_of_levels_and_thresholds(
    client: TestClient, output_type: str
) -> None:
    moment = f"{week(3):%Y-%m-%dT%H:%M:%SZ}"
    found = get(client, "predictions", competition=output_type, projectIds="a", start=moment, end=moment, limit=1000)
    made = forecasts_of(output_type, "a", 3)
    assert found["total"] == len(made) * len(IDS[output_type])
    ids = [str(one) for one in IDS[output_type]]
    assert [row["output_type_id"] for row in found["rows"]] == ids * len(made)
    tasks: dict[tuple[int, str], set[float]] = {}
    for row in found["rows"]:
        tasks.setdefault((row["horizon"], row["subject"]), set()).add(row["score"])
    assert {len(scores) for scores in tasks.values()} == {1}
