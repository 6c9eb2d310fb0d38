"""The sources of a ranking as assets: each is looked at by itself, on its own schedule, and says what came of it.

A look writes the archive and the log of its source, and no table: it holds no lock of the warehouse. What follows from
it is computed when :func:`pipeline.components.automation.on_new_inputs` asks for it.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from pipeline.components.automation import Seen
from pipeline.components.files_seen import FILES_SEEN, seen_in, seen_of
from pipeline.components.freshness import time_allowed
from pipeline.components.metadata import Stopwatch
from pipeline.intake.figures import published_now_of
from pipeline.intake.sources import Archive, look
from pipeline.rankings import About, Status
from pipeline.rankings.declaration import Rankings
from pipeline.rankings.origin import FETCHING_OFF, is_unasked
from pipeline.rankings.stages import Published
from pipeline.settings import settings

USES_CURRENT_FIGURES = "uses_current_figures"
_CURRENT = (Status.LIVE, Status.UNCHANGED, Status.FILES, Status.FROZEN)


def source_key(board: str, source: str) -> dg.AssetKey:
    """``<board>/sources/<source>``."""
    return dg.AssetKey([board, "sources", source])


def schedule_of(rankings: Rankings, name: str) -> str | None:
    """The cron line of a source; None where none looks at it by itself."""
    about = rankings.source(name).about
    return rankings.sources[name].looked_at_by(about.days, is_frozen=about.is_frozen)


def folder_of(rankings: Rankings, name: str) -> Path | None:
    """The folder that a source is read from in place of fetching."""
    folder = rankings.sources[name].folder
    return None if folder is None else settings().data_dir.resolve() / Path(folder).expanduser()


def folder_seen(rankings: Rankings, name: str) -> Seen:
    """The state of the files that a source is read from; of no files where it is fetched."""
    folder = folder_of(rankings, name)
    return seen_of(()) if folder is None else seen_in(folder)


def source_asset(rankings: Rankings, name: str) -> dg.AssetsDefinition:
    """The asset of one source; it succeeds whatever its publisher does, and a check tells of that."""
    key, about = source_key(rankings.name, name), rankings.source(name).about

    @dg.asset(
        key=key,
        group_name=rankings.name,
        kinds={"python", "json"},
        description=_described(about),
        metadata={"home": dg.MetadataValue.url(about.home), "licence": about.licence or "not stated"},
        freshness_policy=freshness_of(about, schedule_of(rankings, name)) if _is_looked_at(rankings, name) else None,
        check_specs=[
            dg.AssetCheckSpec(
                USES_CURRENT_FIGURES,
                asset=key,
                description="The figures that are used are what was last given, if anybody was asked (a warning).",
            )
        ],
    )
    def source(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare class
        watch, archive = Stopwatch(), Archive.of_settings()
        seen = folder_seen(rankings, name).state  # before it is read: what comes meanwhile is another state
        found = look(rankings.source(name), archive, folder_of(rankings, name))
        context.log.info(f"{name}: {found.event} {found.why}")
        published = published_now_of(rankings, name, archive)
        metadata = _metadata(published, found.event)
        metadata[FILES_SEEN] = dg.MetadataValue.text(seen)
        return watch.result(metadata, [_checked(published)])

    return source


def source_schedule(rankings: Rankings, name: str) -> dg.ScheduleDefinition | None:
    """When one source is looked at; skipped while fetching is off, since nothing would come of it."""
    cron = schedule_of(rankings, name)
    if cron is None:
        return None

    @dg.schedule(
        name=f"{rankings.name}_{name}_schedule",
        cron_schedule=cron,
        target=dg.AssetSelection.assets(source_key(rankings.name, name)),
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Looks at {name} for {rankings.name}.",
    )
    def schedule() -> dg.RunRequest | dg.SkipReason:
        if not _is_looked_at(rankings, name):
            return dg.SkipReason(FETCHING_OFF)
        return dg.RunRequest()

    return schedule


def _is_looked_at(rankings: Rankings, name: str) -> bool:
    """Whether a source is looked at by a schedule: what nobody is to look at is not stale."""
    about = rankings.source(name).about
    return rankings.sources[name].why_never(is_frozen=about.is_frozen, is_fetching=settings().fetch) is None


def freshness_of(about: About, cron: str | None = None) -> dg.FreshnessPolicy | None:
    """How long nobody may look at a source: thrice as long as it takes to change, a day more at least; None if frozen.

    Where it is declared to be looked at less often than that, as long as its schedule leaves it alone.

    It is about looking only. How old the figures are, and why, is told by the check and ``llm.fetch_status``.
    """
    if about.is_frozen:
        return None
    usual = timedelta(days=about.days)
    scheduled = time_allowed(cron) if cron else timedelta()
    return dg.FreshnessPolicy.time_window(fail_window=max(3 * usual, usual + timedelta(days=1), scheduled))


def _described(about: About) -> str:
    said = [about.title, about.home, f"licence: {about.licence}" if about.licence else "", about.attribution]
    return "; ".join(part for part in said if part) + "."


def _metadata(published: Published, event: str) -> dict[str, dg.MetadataValue[Any]]:
    status, about = published.status, published.about
    said = event.replace("_", " ")
    found: dict[str, dg.MetadataValue[Any]] = {
        "dagster/row_count": dg.MetadataValue.int(len(published.parsed.results)),
        "podium/status": dg.MetadataValue.text(status.status.value),
        "podium/why": dg.MetadataValue.text(f"{said}; shown: {status.status.value}"),
        "podium/said": dg.MetadataValue.text(status.why or ""),
        "podium/names": dg.MetadataValue.int(len(published.parsed.names)),
        "podium/unread": dg.MetadataValue.int(len(published.parsed.unread)),
        "podium/checked_at": dg.MetadataValue.text(f"{status.checked_at:%Y-%m-%d %H:%M} UTC"),
        "home": dg.MetadataValue.url(about.home),
    }
    if status.fetched_at is not None:
        age = (status.checked_at - status.fetched_at).total_seconds() / 86_400
        found["podium/fetched_at"] = dg.MetadataValue.text(f"{status.fetched_at:%Y-%m-%d %H:%M} UTC")
        found["podium/age_days"] = dg.MetadataValue.float(round(max(0.0, age), 2))
    return found


def _checked(published: Published) -> dg.AssetCheckResult:
    """Whether figures are current; that nobody is asked because fetching is off is no fault of any source."""
    status = published.status
    return dg.AssetCheckResult(
        check_name=USES_CURRENT_FIGURES,
        passed=status.status in _CURRENT or is_unasked(status.why),
        severity=dg.AssetCheckSeverity.WARN,
        description=None if status.status in _CURRENT else f"{status.status.value}: {status.why}",
    )
