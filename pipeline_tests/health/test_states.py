"""What is known of assets and checks after a run: newest wins, a failure lasts until it is seen well, once told."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.health import AssetState, CheckState, Failure, Health, JobState, Seen, after, to_tell, told

START = datetime(2026, 3, 2, 9)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def computed(minute: int, *, checks: tuple[CheckState, ...] = ()) -> Seen:
    run_id = f"run {minute}"
    job = JobState("toy", True, at(minute), run_id, 2.0)
    return Seen((AssetState("toy/scores", at(minute), run_id, 1.5, 10),), checks, (), job)


def failed(minute: int, cause: str = "ValueError") -> Seen:
    run_id = f"run {minute}"
    failure = Failure("toy/scores", cause, "asset", "ERROR", at(minute), run_id, "wrong")
    return Seen(failures=(failure,), job=JobState("toy", False, at(minute), run_id))


def check(minute: int, *, passed: bool) -> CheckState:
    return CheckState("toy/scores", "keys_are_unique", passed, "ERROR", at(minute), f"run {minute}", "2 violations", 2)


def known(*seen: Seen) -> Health:
    health = Health()
    for one in seen:
        health = after(health, one)
    return health


def all_told(health: Health) -> tuple[Health, list[tuple[str, str]]]:
    """What a hook is told now, and what is known then."""
    said = []
    for one in to_tell(health):
        said.append(("failed" if one.recovered_at is None else "recovered", one.cause))
        health = told(health, one)
    return health, said


def test_a_failure_is_told_once_until_it_is_over_and_that_once() -> None:
    health, said = all_told(known(failed(1)))
    assert said == [("failed", "ValueError")]
    health, said = all_told(after(health, failed(2)))
    assert said == []
    assert [one.at for one in health.failed] == [at(1)]
    health, said = all_told(after(health, computed(3)))
    assert (said, health.failed) == ([("recovered", "ValueError")], ())
    health, said = all_told(after(health, computed(4)))
    assert said == []
    _, said = all_told(after(health, failed(5)))
    assert said == [("failed", "ValueError")]


def test_another_cause_is_told_of_its_own() -> None:
    health, _ = all_told(known(failed(1)))
    health, said = all_told(after(health, failed(2, "KeyError")))
    assert said == [("failed", "KeyError")]
    _, said = all_told(after(health, computed(3)))
    assert sorted(said) == [("recovered", "KeyError"), ("recovered", "ValueError")]


def test_what_was_over_before_anybody_was_told_is_not_told() -> None:
    assert all_told(known(failed(1), computed(2)))[1] == []


def test_what_failed_again_before_its_end_was_told_lasts() -> None:
    health, _ = all_told(known(failed(1)))
    health = after(after(health, computed(2)), failed(3))
    assert all_told(health)[1] == []
    assert [one.at for one in health.failed] == [at(1)]


def test_a_check_fails_until_it_passes() -> None:
    health, said = all_told(known(computed(1, checks=(check(1, passed=False),))))
    assert said == [("failed", "keys_are_unique")]
    assert [(one.check, one.violations) for one in health.failing_checks] == [("keys_are_unique", 2)]
    assert health.failed == ()  # the asset itself was computed
    health, said = all_told(after(health, computed(2, checks=(check(2, passed=True),))))
    assert (said, health.failing_checks) == ([("recovered", "keys_are_unique")], ())


def test_a_check_that_is_asked_no_more_does_not_fail_for_ever() -> None:
    health, _ = all_told(known(computed(1, checks=(check(1, passed=False),))))
    health, said = all_told(after(health, computed(2)))
    assert (said, health.failing_checks, health.failures) == ([("recovered", "keys_are_unique")], (), {})


def test_a_check_that_a_broken_run_did_not_come_to_fails_still() -> None:
    health = known(computed(1, checks=(check(1, passed=False),)))
    broken = replace(computed(2), job=JobState("toy", False, at(2), "run 2"))
    assert len(after(health, broken).failing_checks) == 1


def test_a_run_that_failed_as_a_whole_is_over_with_the_next_of_its_job() -> None:
    whole = Failure("toy", "error", "run", "ERROR", at(1), "run 1", "killed")
    health, _ = all_told(known(Seen(failures=(whole,))))
    other = Seen(job=JobState("other", True, at(2), "run 2"))
    assert len(after(health, other).failed) == 1
    assert all_told(after(health, computed(3)))[1] == [("recovered", "error")]


def test_an_old_failure_that_is_seen_late_is_none() -> None:
    health = known(computed(5), failed(1))
    assert health.failures == {}
    assert health.assets["toy/scores"].at == at(5)


SEEN = st.sampled_from(
    [
        *(failed(minute, cause) for minute in (1, 3, 5) for cause in ("ValueError", "KeyError")),
        *(computed(minute, checks=(check(minute, passed=minute != 4),)) for minute in (2, 4, 6)),
    ]
)


@given(st.lists(SEEN, max_size=6))
def test_seeing_the_same_again_changes_nothing(seen: list[Seen]) -> None:
    health = known(*seen)
    assert known(*seen, *seen[-1:]) == health


@given(st.permutations([failed(1), computed(2), failed(3), computed(4)]))
def test_the_order_of_looking_does_not_matter_for_what_fails(seen: list[Seen]) -> None:
    assert known(*seen).failed == ()
