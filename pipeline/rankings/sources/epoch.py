"""Epoch: its own runs of benchmarks, and the tables of others' results that it collects.

All benchmarks here have keys of their own, ``epoch_*``. Scores are fractions in one table, percents in the next and
texts such as ``64.5%`` in a third: which, is decided once for each column of each table and said in the facts. Percent
signs speak for themselves; without any, a column that nowhere exceeds 1 holds fractions, and any other percents. A row
without a model version is one that Epoch could not or would not assign to a model.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pipeline.rankings.results import ModelName, Parsed
from pipeline.rankings.source import About, SourceError, Wanted, Wanting, edition_of
from pipeline.rankings.sources.catalogue import Catalogue, Fields, Figure, no_document, read_table
from pipeline.rankings.sources.epoch_tables import TABLES, TASKS, Scale, Table, scale_of
from pipeline.rankings.sources.reading import UnusableError, hugging_face_id, number, shown, versions, web_link

_RUNS, _VERSIONS = "benchmarks_runs", "model_versions"
_PREFIX = "external_benchmark_"
_SITE_LINK = "Source link (site from table)"
_BEST = "Best score (across scorers)"
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_STARTED = re.compile(r"(\d{1,2}) ([A-Z][a-z]+) (\d{4}) (\d{1,2}):(\d{2})([ap]m)", re.ASCII)
_ERROR = re.compile(r"(?:\w+:)?\s*([\d.]+)\s*±\s*([\d.]+)", re.ASCII)
_DEAREST = 1e7


@dataclass(frozen=True)
class Epoch:
    """The data of Epoch's stitching of benchmarks.

    Parameters
    ----------
    url : str
        The folder of the tables.
    tables : tuple of str
        Which of :data:`TABLES` are fetched.

    Raises
    ------
    ValueError
        If a table is not known.
    """

    url: str = "https://raw.githubusercontent.com/epoch-research/benchmark-stitching/main/data/"
    tables: tuple[str, ...] = tuple(word for word, table in TABLES.items() if table.is_fetched)

    def __post_init__(self) -> None:
        unknown = [word for word in self.tables if word not in TABLES]
        if unknown:
            raise ValueError(f"epoch: unknown tables {unknown}; known: {', '.join(TABLES)}")

    @property
    def about(self) -> About:
        """What is said of it."""
        return About(
            name="epoch",
            title="Epoch AI",
            home="https://epoch.ai/benchmarks",
            licence="CC-BY",
            attribution="Benchmark results: Epoch AI, https://epoch.ai/benchmarks, CC-BY",
            days=30,
            edition=edition_of(self, "url", "tables"),
        )

    def wanted(self) -> Wanting:
        """Its runs, its list of model versions, and the tables."""
        for stem in (_RUNS, _VERSIONS, *(f"{_PREFIX}{word}" for word in self.tables)):
            yield Wanted(f"{stem}.csv", f"{self.url}{stem}.csv", content_types=("text/plain", "text/csv"))

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        """Read the newest version of each document that is there; runs or a table there must be.

        Raises
        ------
        SourceError
            If there is none, or one is not what it should be.
        """
        catalogue, facts = Catalogue(), dict[str, str]()
        for document in versions(documents, _VERSIONS, "csv")[-1:]:
            facts["versions of models"] = _gather_versions(catalogue, document, documents[document])
        last = None
        for document in (runs := versions(documents, _RUNS, "csv")[-1:]):
            last = _gather_runs(catalogue, document, documents[document], facts)
        tables = {word: found[-1] for word in TABLES if (found := versions(documents, f"{_PREFIX}{word}", "csv"))}
        if not runs and not tables:
            raise no_document(f"{_RUNS}.csv or {_PREFIX}*.csv", documents)
        for word, document in tables.items():
            _gather_table(catalogue, document, documents[document], word, facts)
        for document in sorted(documents):
            if _PREFIX in document and document not in tables.values():
                catalogue.leave_out(document, "all of it", f"no table that is read; known: {', '.join(TABLES)}")
        return catalogue.parsed([*runs, *tables.values()], updated_at=last, facts=facts)


def _gather_versions(catalogue: Catalogue, document: str, body: bytes) -> str:
    rows = read_table(catalogue, document, body, ("id", "Model", "Link"))
    for row in rows:
        link = row.text("Link")
        name = ModelName(
            row.text("id"),
            title=row.text("Unique display name") or row.text("Display name"),
            organisation=row.text("Hugging Face developer id"),
            hugging_face_id=hugging_face_id(link) if web_link(link) else "",
            family=row.text("Model"),
            released_on=row.day("Version release date"),
            url=web_link(link),
        )
        catalogue.add_name(row, name)
    return str(len(rows))


def _gather_runs(catalogue: Catalogue, document: str, body: bytes, facts: dict[str, str]) -> datetime | None:
    """The newest run of each model and task; returns when the last of all was started."""
    rows = read_table(catalogue, document, body, ("task", "model", _BEST, "Scores", "started_at", "Status"))
    dated = [(_started(row), -place, row) for place, row in enumerate(rows)]
    scale = scale_of(row.values[_BEST] for row in rows)
    facts["runs"], facts[f"{document}, {_BEST}"] = str(len(rows)), scale.name
    for started, _, row in sorted(dated, key=lambda each: (each[0] or datetime.min, each[1]), reverse=True):
        _gather_run(catalogue, row, started, scale)
    return max((started for started, _, _ in dated if started), default=None)


def _gather_run(catalogue: Catalogue, row: Fields, started: datetime | None, scale: Scale) -> None:
    task, raw_name, status = row.text("task"), row.text("model"), row.text("Status")
    if task not in TASKS:
        row.refuse("task", f"{shown(task)} is none that is read; known: {', '.join(TASKS)}")
    elif status != "Success":
        row.refuse("Status", f"the run ended with {shown(status)}")
    elif catalogue.takes(row, ModelName(raw_name)):
        value = scale.percent(row, _BEST)
        catalogue.add(
            row,
            raw_name,
            TASKS[task][0],
            "score",
            value,
            se=_standard_error(row, scale) if value and value[0] is not None else None,
            measured_on=started.date() if started else None,
            url=web_link(row.values.get("log viewer")) or web_link(row.values.get("logs")),
        )


def _standard_error(row: Fields, scale: Scale) -> float | None:
    """That of the best of ``scorer:0.84±0.05,other:0.85±0.05``; None where it was rounded away."""
    found = []
    for part in row.text("Scores").split(","):
        match = _ERROR.fullmatch(part.strip())
        try:
            pair = [number(text) for text in match.groups()] if match else [None, None]
        except UnusableError:
            pair = [None, None]
        if pair[0] is None or pair[1] is None:
            row.refuse("Scores", f"{shown(part)} is no score such as choice:0.85±0.02")
            return None
        found.append((pair[0], pair[1]))
    return max(found)[1] * scale.factor or None


def _started(row: Fields) -> datetime | None:
    """A time such as ``17 November 2025 4:28pm``, taken for UTC."""
    text = row.text("started_at")
    if not text:
        return None
    match = _STARTED.fullmatch(text)
    try:
        day, month, year, hour, minute, half = match.groups() if match else ("",) * 6
        if not 1 <= int(hour) <= 12:
            raise ValueError("an hour of twelve")
        hours = int(hour) % 12 + (12 if half == "pm" else 0)
        return datetime(int(year), _MONTHS.index(month) + 1, int(day), hours, int(minute))
    except ValueError:
        row.refuse("started_at", f"{shown(text)} is no time such as 17 November 2025 4:28pm")
        return None


def _gather_table(catalogue: Catalogue, document: str, body: bytes, word: str, facts: dict[str, str]) -> None:
    table = TABLES[word]
    rows = read_table(catalogue, document, body, ("Model version",))
    header = list(rows[0].values) if rows else []
    column = next((each for each in table.columns if each in header), "")
    if rows and not column:
        raise SourceError(f"{document}: should have a column {' or '.join(table.columns)}; it has {shown(header)}")
    measures = {"score": column, "coding": table.coding}
    for measure, each in measures.items():
        if each not in header:
            continue
        scale = scale_of((row.values[each] for row in rows), table.full)
        facts[f"{document}, {each}"] = scale.name
        for row, raw_name, config in _told_apart(rows, table, each):
            catalogue.takes(row, ModelName(raw_name))
            url = web_link(row.values.get("Source link")) or web_link(row.values.get(_SITE_LINK))
            value = scale.percent(row, each)
            se = _percent_or_none(row, table.error) if measure == "score" and value and value[0] else None
            flags = ("agent_system",) if "Agent" in table.config else ()
            rest: dict[str, Any] = {"config": config, "url": url, "flags": flags}
            catalogue.add(row, raw_name, f"epoch_{word}", measure, value, se=se, **rest)
            if measure == "score" and table.cost:
                cost = _dollars(row, table.cost)
                catalogue.add(row, raw_name, f"epoch_{word}", "task_cost", cost, **rest)


def _told_apart(rows: list[Fields], table: Table, column: str) -> Iterator[tuple[Fields, str, str]]:
    """One row of each model and configuration; those that contradict each other are left out and noted."""
    by_model: dict[tuple[str, str], list[Fields]] = defaultdict(list)
    for row in rows:
        raw_name = row.text("Model version")
        if raw_name:
            config = ", ".join(f"{each} {row.text(each)}" for each in table.config if row.holds(each))
            by_model[raw_name, config].append(row)
        elif column in table.columns:
            row.refuse("Model version", "there is none")
    for (raw_name, config), same in by_model.items():
        said = list(dict.fromkeys(row.values[column].strip() for row in same))
        if len(said) == 1:
            yield same[0], raw_name, config
        else:
            for row in same:
                row.refuse(column, f"one of {len(same)} rows of {shown(raw_name)}, which differ: {shown(said)}")


def _percent_or_none(row: Fields, column: str) -> float | None:
    """A standard error beside a score that is written with a percent sign."""
    if not column or not row.holds(column):
        return None
    figure = Scale("percent signs", 1, has_signs=True).percent(row, column)
    return figure[0] if figure else None


def _dollars(row: Fields, column: str) -> Figure | None:
    """An amount such as ``$0.13``; one of zero was not counted."""
    cell = row.values.get(column, "")
    return replace(row, values={column: cell.strip().removeprefix("$")}).figure(
        column, most=_DEAREST, zero_is_missing=True
    )
