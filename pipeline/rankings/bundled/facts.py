"""The tables of bundled facts, read."""

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from pipeline.rankings.benchmarks import Unit
from pipeline.rankings.origin import Figures
from pipeline.rankings.results import ModelName, Parsed, Result
from pipeline.rankings.sources.reading import midnight, standard_error

TABLES = ("figures.csv", "names.csv", "sources.csv")


@dataclass(frozen=True)
class Bundled:
    """What is bundled of one source.

    Parameters
    ----------
    figures : Figures
        What is said of it: fetched on the day of the version that was read, UTC.
    parsed : Parsed
        As its parser gives it, of some models; ``facts`` tell the repository, its version and the licence.
    """

    figures: Figures
    parsed: Parsed


def bundled_facts(source: str) -> Bundled | None:
    """What is bundled of a source; None of most."""
    return _every().get(source)


def bundled_sources() -> tuple[str, ...]:
    """The sources of which something is bundled."""
    return tuple(_every())


@cache
def bundled_hash() -> str:
    """SHA-256 of all that is bundled: it changes when a fact does."""
    digest = hashlib.sha256()
    for name in TABLES:
        digest.update(_file(name).read_bytes())
    return digest.hexdigest()


@cache
def _every() -> Mapping[str, Bundled]:
    names = [(row["source"], _name(row)) for row in read_table("names.csv")]
    figures = [(row["source"], _result(row)) for row in read_table("figures.csv")]
    found = {}
    for row in read_table("sources.csv"):
        source = row["source"]
        results = tuple(result for of, result in figures if of == source)
        updated_at = midnight(max((one.measured_on for one in results if one.measured_on), default=None))
        parsed = Parsed(
            results,
            tuple(name for of, name in names if of == source),
            updated_at=updated_at,
            facts={name: row[name] for name in ("repository", "version", "licence")},
        )
        found[source] = Bundled(Figures(datetime.fromisoformat(row["taken_on"]), len(results), updated_at), parsed)
    return found


def read_table(name: str) -> list[dict[str, str]]:
    """The rows of one of :data:`TABLES`, as they are written."""
    with _file(name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _file(name: str) -> Traversable:
    return resources.files(__package__).joinpath(name)


def _result(row: Mapping[str, str]) -> Result:
    value, n = float(row["value"]), int(row["n"]) if row["n"] else None
    return Result(
        row["raw_name"],
        row["benchmark"],
        row["measure"],
        value,
        n=n,
        se=standard_error(value, n) if row["unit"] == Unit.PERCENT else None,
        config=row["config"],
        channel=row["channel"],
        measured_on=_day(row["measured_on"]),
        url=row["url"],
        flags=_listed(row["flags"]),
    )


def _name(row: Mapping[str, str]) -> ModelName:
    return ModelName(
        row["raw_name"],
        title=row["title"],
        organisation=row["organisation"],
        hugging_face_id=row["hugging_face_id"],
        openrouter_id=row["openrouter_id"],
        models_dev_id=row["models_dev_id"],
        others=_listed(row["others"]),
        config=row["config"],
        family=row["family"],
        released_on=_day(row["released_on"]),
        open_weights={"true": True, "false": False}.get(row["open_weights"]),
        url=row["url"],
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(";")) if text else ()
