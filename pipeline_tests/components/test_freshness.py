"""How long a schedule may leave an asset alone before it is stale."""

from datetime import timedelta

import dagster as dg
import pytest

from pipeline.components.experiment import experiment_definitions
from pipeline.components.freshness import freshness_of_schedules, longest_pause, time_allowed
from pipeline.components.llm_sources import freshness_of
from pipeline.rankings import About
from pipeline_tests import toy_experiment

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("cron", "pause", "allowed"),
    [
        pytest.param("0 22 * * 5", 7 * DAY, 7.7 * DAY, id="weekly"),
        pytest.param("*/5 * * * *", HOUR / 12, HOUR / 12 + HOUR, id="an hour more at least"),
        pytest.param("0 9-17 * * 1-5", 2 * DAY + 16 * HOUR, 1.1 * (2 * DAY + 16 * HOUR), id="a weekend"),
        pytest.param("0 0 1 * *", 31 * DAY, 34.1 * DAY, id="the longest month"),
    ],
)
def test_as_long_as_the_longest_pause_and_a_tenth(cron: str, pause: timedelta, allowed: timedelta) -> None:
    assert (longest_pause(cron), time_allowed(cron)) == (pause, allowed)


def test_of_several_schedules_the_shortest_pause_counts_and_without_any_nothing_is_stale() -> None:
    assert freshness_of_schedules(["0 22 * * 5", "0 6 * * *"]) == dg.FreshnessPolicy.time_window(
        fail_window=DAY + timedelta(hours=2.4)
    )
    assert freshness_of_schedules([]) is None


def test_a_source_that_is_looked_at_seldom_is_not_stale_before_its_time() -> None:
    about = About(name="one", title="One", home="https://example.org", days=1)
    assert freshness_of(about, "0 6 * * *") == dg.FreshnessPolicy.time_window(fail_window=3 * DAY)
    assert freshness_of(about, "0 6 1 * *") == dg.FreshnessPolicy.time_window(fail_window=34.1 * DAY)


@pytest.mark.parametrize(
    ("declared", "window"),
    [
        pytest.param({}, None, id="by its inbox and queue only"),
        pytest.param({"recurring": "0 6 * * *"}, DAY + timedelta(hours=2.4), id="recurring"),
        pytest.param({"schedule": "0 6 * * 1"}, 7.7 * DAY, id="scheduled"),
    ],
)
def test_every_asset_of_a_board_that_lives_by_a_schedule_has_a_policy(
    declared: dict[str, str], window: timedelta | None
) -> None:
    definitions = experiment_definitions(toy_experiment.experiment(**declared))
    policies = {spec.freshness_policy for asset in definitions.assets or () for spec in asset.specs}
    assert policies == {dg.FreshnessPolicy.time_window(fail_window=window) if window else None}
