"""How long nothing may be computed before Dagster calls it stale.

Only what lives by a schedule has a policy: it says that nobody looked, not that nothing came. A board that lives by
its inbox or a folder is as new as what was sent; its cycles tell whether that is late (``late_after``).
"""

import functools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import dagster as dg

_FROM = datetime(2024, 1, 4, tzinfo=UTC)
"""A Thursday: the first weekend is near."""
_TICKS = 500
_LEAST_SLACK = timedelta(hours=1)


def freshness_of_schedules(crons: Sequence[str]) -> dg.FreshnessPolicy | None:
    """Stale when the longest pause between two ticks has passed, and a tenth of it, an hour at least; None without any.

    Parameters
    ----------
    crons : sequence of str
        Cron lines (UTC) by which it is computed; of several the one that leaves the shortest pause.
    """
    if not crons:
        return None
    return dg.FreshnessPolicy.time_window(fail_window=min(map(time_allowed, crons)))


def time_allowed(cron: str) -> timedelta:
    """How long may pass between two runs by a cron line."""
    pause = longest_pause(cron)
    return pause + max(_LEAST_SLACK, pause / 10)


@functools.cache
def longest_pause(cron: str) -> timedelta:
    """The longest time between two ticks of a cron line, of the first 500 of 2024: a week's, and most a year's."""
    from dagster._utils.schedules import cron_string_iterator

    ticks = islice(cron_string_iterator(_FROM.timestamp(), cron, "UTC"), _TICKS)
    return max(later - earlier for earlier, later in pairwise(ticks))
