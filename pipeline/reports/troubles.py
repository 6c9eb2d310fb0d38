"""What fails now, as readers may know it: the checks that failed last, and the assets and runs that did."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.health import CheckState, Failure, Health


@dataclass(frozen=True)
class Trouble:
    """Something that fails.

    Parameters
    ----------
    board : str
        The first part of the asset's key; the job, of a run.
    asset, cause : str
        What fails, and its check, or the class of its error.
    what, severity : str
        ``check``, ``asset`` or ``run``; ``ERROR`` or ``WARN``.
    at : datetime
        Since when it does (UTC, without a zone).
    said : str
        What anybody may read: rows that break a check are counted and not shown, since they may be under embargo, and
        messages of errors are left to the operator, since they name folders.
    """

    board: str
    asset: str
    cause: str
    what: str
    severity: str
    at: datetime
    said: str


def troubles(health: Health) -> tuple[Trouble, ...]:
    """What fails now, by asset; errors before warnings."""
    since = {key: one.at for key, one in health.failures.items()}
    checks = [_of_check(one, since.get((one.asset, one.check), one.at)) for one in health.failing_checks]
    found = [*map(_of_failure, health.failed), *checks]
    return tuple(sorted(found, key=lambda one: (one.severity != "ERROR", one.asset, one.cause)))


def _of_check(one: CheckState, since: datetime) -> Trouble:
    said = one.message
    if one.violations is not None:
        said = f"{one.violations:,} row{'s' if one.violations != 1 else ''}"
    return _trouble(one.asset, one.check, "check", one.severity, since, said)


def _of_failure(one: Failure) -> Trouble:
    return _trouble(one.asset, one.cause, one.what, one.severity, one.at, "the operator's `podium status` says more")


def _trouble(asset: str, cause: str, what: str, severity: str, at: datetime, said: str) -> Trouble:
    return Trouble(asset.partition("/")[0], asset, cause, what, severity, at, said)
