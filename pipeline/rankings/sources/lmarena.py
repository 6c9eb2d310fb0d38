"""LMArena: ratings of chat models by votes of people, from its data set and from a daily copy of its page by others.

The data set has a row for every category, of which only ``overall`` is read, and it states 95 % intervals: half of one
over 1.96 is the standard error. The daily copy gives half the interval as whole points, and how many of the models it
has changes from day to day: a fetch that was cut short looks like any other.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.rankings.results import ModelName, Parsed
from pipeline.rankings.source import About, SourceError, Wanted, Wanting, edition_of
from pipeline.rankings.sources.catalogue import Catalogue, Fields, no_document, read_object
from pipeline.rankings.sources.reading import document_facts, list_of, midnight, shown, versions

DAILY = "arena-ai-leaderboards"
"""The channel of figures out of the daily copy that others make."""

_ARENAS = ("text", "text_style_control")
_NORMAL_95 = 1.96
_HIGHEST = 1e4
_COLUMNS = (
    "model_name",
    "organization",
    "license",
    "rating",
    "rating_lower",
    "rating_upper",
    "vote_count",
    "category",
    "leaderboard_publish_date",
)


@dataclass(frozen=True)
class LMArena:
    """The text arena.

    Parameters
    ----------
    arena : str
        Which of the data set: ``text``, or ``text_style_control``, which becomes the configuration of its figures.
    category : str
        Of votes.
    most_rows : int
        More than these, of all categories, are an error.

    Raises
    ------
    ValueError
        If the arena is not known.
    """

    arena: str = "text"
    category: str = "overall"
    most_rows: int = 5_000_000

    def __post_init__(self) -> None:
        if self.arena not in _ARENAS:
            raise ValueError(f"lmarena: unknown arena {self.arena!r}; known: {', '.join(_ARENAS)}")

    @property
    def about(self) -> About:
        """What is said of it."""
        return About(
            name="lmarena",
            title="LMArena",
            home="https://lmarena.ai/leaderboard/text",
            licence="CC-BY-4.0",
            attribution="Ratings: LMArena, lmarena-ai/leaderboard-dataset on Hugging Face, CC-BY-4.0",
            days=7,
            edition=edition_of(self, "arena"),
        )

    def wanted(self) -> Wanting:
        """The latest ratings of one arena."""
        yield Wanted(
            f"lmarena_{self.arena}.parquet",
            "https://huggingface.co/datasets/lmarena-ai/leaderboard-dataset/resolve/main/"
            f"{self.arena}/latest-00000-of-00001.parquet",
            content_types=("application/octet-stream", "binary/octet-stream", "application/vnd.apache.parquet"),
        )

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        """Read the newest date of the data set, the newest of the daily copies, or both.

        Raises
        ------
        SourceError
            If there is neither, or one is not what it should be.
        """
        tables = [name for name in sorted(documents) if name.endswith(".parquet")]
        days = versions(documents, "text", "json")
        if not tables and not days:
            raise no_document(f"lmarena_{self.arena}.parquet or 2026-01-31_text.json", documents)
        catalogue, facts = Catalogue(), {"category": self.category}
        dates = [self._gather_table(catalogue, name, documents[name], facts) for name in tables]
        if days:
            facts |= document_facts(documents, "json", "text")
            dates.append(_gather_day(catalogue, days[-1], documents[days[-1]], facts))
        last = max((each for each in dates if each), default=None)
        return catalogue.parsed([*tables, *days[-1:]], updated_at=midnight(last), facts=facts)

    def _gather_table(self, catalogue: Catalogue, document: str, body: bytes, facts: dict[str, str]) -> date | None:
        found = _table_rows(document, body, self.category, self.most_rows)
        if not found:
            raise SourceError(f"{document}: has no row of category {self.category!r}")
        rows = [
            Fields(document, str(each["model_name"] or f"row {place}"), each, catalogue.unread)
            for place, each in enumerate(found)
        ]
        days = [row.day("leaderboard_publish_date") for row in rows]
        newest = max((day for day in days if day), default=None)
        config = _config(document if "text" in document else self.arena)
        for row, day in zip(rows, days, strict=True):
            if day == newest:
                _gather_row(catalogue, row, config)
        facts[f"rows of {document}"] = (
            f"{days.count(newest)} of {newest}, {len(days) - days.count(newest)} of other dates"
        )
        return newest


def _config(arena: str) -> str:
    return "style_control" if "style_control" in arena else ""


def _table_rows(document: str, body: bytes, category: str, most: int) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(body))
        missing = [name for name in _COLUMNS if name not in file.schema_arrow.names]
        if missing:
            raise SourceError(f"{document}: no columns {missing}; has {shown(file.schema_arrow.names)}")
        if file.metadata.num_rows > most:
            raise SourceError(f"{document}: {file.metadata.num_rows} rows, which is more than {most}")
        table = file.read(columns=list(_COLUMNS))
        texts = ("model_name", "organization", "license", "category", "leaderboard_publish_date")
        for name in texts:
            table = table.set_column(table.schema.names.index(name), name, table.column(name).cast(pa.string()))
        rows: list[dict[str, Any]] = table.filter(pc.equal(table.column("category"), category)).to_pylist()
    except SourceError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(f"{document}: not Parquet that can be read ({error}); it begins with {shown(body)}") from None
    return rows


def _gather_row(catalogue: Catalogue, row: Fields, config: str) -> None:
    name = ModelName(
        row.text("model_name"),
        organisation=row.text("organization"),
        open_weights=_open_weights(row.text("license")),
    )
    if not catalogue.takes(row, name):
        return
    lower, upper = row.number("rating_lower"), row.number("rating_upper")
    se = None if lower is None or upper is None or upper < lower else (upper - lower) / 2 / _NORMAL_95
    _gather_rating(catalogue, row, name.raw_name, "rating", "vote_count", se, config=config)


def _gather_day(catalogue: Catalogue, document: str, body: bytes, facts: dict[str, str]) -> date | None:
    day = read_object(document, body)
    models = list_of(document, day, "models")
    meta = Fields(document, "meta", day["meta"] if isinstance(day.get("meta"), dict) else {}, catalogue.unread)
    if meta.text("leaderboard") != "text":
        raise SourceError(f"{document}: wanted meta.leaderboard 'text', has {shown(meta.values.get('leaderboard'))}")
    if meta.values.get("model_count") != len(models):
        stated = shown(meta.values.get("model_count"))
        raise SourceError(f"{document}: says model_count {stated}, has {len(models)} models")
    for number, each in enumerate(models):
        row = catalogue.row(document, f"model {number}", each)
        if row is not None:
            _gather_daily_row(catalogue, row)
    facts[f"rows of {document}"] = str(len(models))
    return _spelled_day(meta)


def _gather_daily_row(catalogue: Catalogue, row: Fields) -> None:
    raw_name = row.text("model")
    name = ModelName(raw_name, organisation=row.text("vendor"), open_weights=_open_weights(row.text("license")))
    if not catalogue.takes(row, name):
        return
    half = row.number("ci", least=0)
    se = None if half is None else half / _NORMAL_95
    _gather_rating(catalogue, row, raw_name, "score", "votes", se, channel=DAILY, flags=("third_party",))


def _gather_rating(
    catalogue: Catalogue, row: Fields, raw_name: str, key: str, votes: str, se: float | None, **rest: Any
) -> None:
    figure, number = row.figure(key, most=_HIGHEST), row.number(votes, least=0, most=1e12)
    catalogue.add(
        row,
        raw_name,
        "lmarena_text",
        "rating",
        figure,
        n=None if number is None else round(number),
        se=se or None if figure and figure[0] is not None else None,
        **rest,
    )


def _open_weights(licence: str) -> bool | None:
    """The licence, as the source writes it: ``Proprietary`` is also misspelt there."""
    if licence in ("", "-"):
        return None
    return not licence.casefold().startswith("propr")


def _spelled_day(meta: Fields) -> date | None:
    """A date such as ``Mar 18, 2026``."""
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    text = meta.text("last_updated")
    if not text:
        return None
    try:
        month, day, year = text.replace(",", "").split()
        return date(int(year), months.index(month) + 1, int(day))
    except (ValueError, OverflowError):
        meta.refuse("last_updated", f"wanted a date such as Mar 18, 2026, has {shown(text)}")
        return None
