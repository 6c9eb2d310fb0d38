"""The state of every asset, check and job, and what a run changes of it; pure."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

_MOST = 2_000
"""Characters of a message that are kept."""


@dataclass(frozen=True)
class AssetState:
    """The last time that an asset was computed.

    Parameters
    ----------
    asset : str
        Its key, ``<board>/<table>``.
    at : datetime
        When it was done (UTC, without a zone, as all times here).
    run_id : str
    seconds : float or None
        How long that took.
    rows : int or None
        Rows of the board in its table.
    """

    asset: str
    at: datetime
    run_id: str
    seconds: float | None = None
    rows: int | None = None


@dataclass(frozen=True)
class CheckState:
    """What a check said last.

    Parameters
    ----------
    asset, check : str
    passed : bool
    severity : str
        ``ERROR`` where it keeps what follows from being computed, else ``WARN``.
    at : datetime
    run_id : str
    message : str
        What it says; it may show rows, and so what is under embargo.
    violations : int or None
        How many rows break it, where it counts them.
    """

    asset: str
    check: str
    passed: bool
    severity: str
    at: datetime
    run_id: str
    message: str = ""
    violations: int | None = None


@dataclass(frozen=True)
class JobState:
    """How the last run of a job ended."""

    job: str
    ok: bool
    at: datetime
    run_id: str
    seconds: float | None = None


@dataclass(frozen=True)
class Failure:
    """Something that fails, until it is seen well again.

    Parameters
    ----------
    asset : str
        The asset; the job, where a run failed as a whole.
    cause : str
        The class of the error, or the name of the check: of each cause of an asset one alert is told.
    what : str
        ``asset``, ``check`` or ``run``.
    severity : str
        ``ERROR`` or ``WARN``.
    at : datetime
        When it was seen first.
    run_id : str
        Where.
    message : str
    last_at : datetime or None
        When it was seen last, where that was more than once.
    is_told : bool
        Whether the hook took it.
    recovered_at : datetime or None
        When it was seen well again, of which the hook is to be told; None while it fails.
    """

    asset: str
    cause: str
    what: str
    severity: str
    at: datetime
    run_id: str
    message: str
    last_at: datetime | None = None
    is_told: bool = False
    recovered_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What is told of once."""
        return self.asset, self.cause


@dataclass(frozen=True)
class Seen:
    """What one run did.

    Parameters
    ----------
    assets : tuple of AssetState
    checks : tuple of CheckState
    failures : tuple of Failure
        Of assets, and of the run as a whole.
    job : JobState or None
        None while it goes on, or when it was stopped by hand.
    """

    assets: tuple[AssetState, ...] = ()
    checks: tuple[CheckState, ...] = ()
    failures: tuple[Failure, ...] = ()
    job: JobState | None = None


@dataclass(frozen=True)
class Health:
    """All that is known.

    Parameters
    ----------
    assets : mapping of str to AssetState
    checks : mapping of (asset, check) to CheckState
    jobs : mapping of str to JobState
    failures : mapping of (asset, cause) to Failure
        Those that last, and those whose end is still to be told.
    """

    assets: Mapping[str, AssetState] = field(default_factory=dict)
    checks: Mapping[tuple[str, str], CheckState] = field(default_factory=dict)
    jobs: Mapping[str, JobState] = field(default_factory=dict)
    failures: Mapping[tuple[str, str], Failure] = field(default_factory=dict)

    @property
    def failing_checks(self) -> tuple[CheckState, ...]:
        """The checks that failed when they were asked last, by asset."""
        return tuple(one for _, one in sorted(self.checks.items()) if not one.passed)

    @property
    def failed(self) -> tuple[Failure, ...]:
        """The assets and runs that failed and were not seen well since."""
        return tuple(
            one for _, one in sorted(self.failures.items()) if one.recovered_at is None and one.what != "check"
        )


K = TypeVar("K", bound=Hashable)
S = TypeVar("S", AssetState, CheckState, JobState)


def after(health: Health, seen: Seen) -> Health:
    """What is known after a run was seen; seen again, or after a later one, it changes nothing.

    A failure of an asset is over when the asset was computed, one of a check when it passed, one of a run when another
    of its job succeeded. A check that a whole run did not ask, though it computed the asset, is there no more.
    """
    known = Health(
        assets=_newest(health.assets, {one.asset: one for one in seen.assets}),
        checks=_newest(_still_asked(health.checks, seen), {(one.asset, one.check): one for one in seen.checks}),
        jobs=_newest(health.jobs, {one.job: one for one in ([seen.job] if seen.job else [])}),
    )
    failures = dict(health.failures)
    for one in (*seen.failures, *(_of_check(check) for check in seen.checks if not check.passed)):
        if _well_at(one, known) <= one.at:
            failures[one.key] = _failing(failures.get(one.key), one)
    ended = {key: _ended(one, _well_at(one, known)) for key, one in failures.items()}
    return replace(known, failures={key: one for key, one in ended.items() if one is not None})


def told(health: Health, one: Failure) -> Health:
    """What is known once the hook was told of a failure, or of its end, which is then forgotten."""
    failures = dict(health.failures)
    present = failures.get(one.key)
    if present is None or present.at != one.at:
        return health
    if one.recovered_at is None:
        failures[one.key] = replace(present, is_told=True)
    elif present.recovered_at is None:  # it failed again meanwhile, which is to be told
        failures[one.key] = replace(present, is_told=False)
    else:
        del failures[one.key]
    return replace(health, failures=failures)


def to_tell(health: Health) -> tuple[Failure, ...]:
    """The failures, and ends of failures, that the hook does not know, the earliest first."""
    unknown = (one for one in health.failures.values() if not one.is_told or one.recovered_at is not None)
    return tuple(sorted(unknown, key=lambda one: (one.recovered_at or one.at, one.key)))


def _newest(known: Mapping[K, S], seen: Mapping[K, S]) -> dict[K, S]:
    later = {key: one for key, one in seen.items() if key not in known or known[key].at <= one.at}
    return {**known, **later}


def _still_asked(checks: Mapping[tuple[str, str], CheckState], seen: Seen) -> dict[tuple[str, str], CheckState]:
    if seen.job is None or not seen.job.ok:
        return dict(checks)
    computed = {one.asset: one.at for one in seen.assets}
    asked = {(one.asset, one.check) for one in seen.checks}
    return {
        key: one
        for key, one in checks.items()
        if key in asked or one.asset not in computed or computed[one.asset] <= one.at
    }


def _of_check(check: CheckState) -> Failure:
    return Failure(check.asset, check.check, "check", check.severity, check.at, check.run_id, check.message)


def _failing(known: Failure | None, one: Failure) -> Failure:
    """One that fails: as it is known, where it lasts or nobody was told yet that it was over."""
    if known is None:
        return replace(one, message=one.message[:_MOST])
    recovered_at = None if known.recovered_at is None or one.at > known.recovered_at else known.recovered_at
    last_at = None if one.at <= known.at else max(one.at, known.last_at or one.at)
    return replace(known, recovered_at=recovered_at, last_at=last_at or known.last_at)


def _ended(one: Failure, well_at: datetime) -> Failure | None:
    """A failure as it is now; None when it is over and nobody was told that there was one."""
    if one.recovered_at is not None or well_at <= (one.last_at or one.at):
        return one
    return replace(one, recovered_at=well_at) if one.is_told else None


def _well_at(one: Failure, health: Health) -> datetime:
    """When what failed was seen well last."""
    check, job = health.checks.get(one.key), health.jobs.get(one.asset)
    if one.what == "check":
        # One that is asked no more cannot fail.
        return datetime.max if check is None else check.at if check.passed else datetime.min
    if one.what == "run":
        return job.at if job is not None and job.ok else datetime.min
    return health.assets[one.asset].at if one.asset in health.assets else datetime.min
