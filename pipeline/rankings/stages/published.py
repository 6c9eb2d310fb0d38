"""What is said of sources: whose figures are used, how old they are, what could not be read, where scales changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from pipeline.rankings.benchmarks import Benchmark
from pipeline.rankings.origin import FetchStatus
from pipeline.rankings.results import ModelName, Parsed
from pipeline.rankings.source import About
from pipeline.rankings.stages.frames import frame_of_rows
from pipeline.tables import LLM_BREAKS, LLM_FETCH_STATUS, LLM_UNREAD


@dataclass(frozen=True)
class Published:
    """One source, and those of its figures that are used.

    Parameters
    ----------
    about : About
    parsed : Parsed
        Live, kept or bundled; empty where there is nothing.
    status : FetchStatus
    sha256 : str or None
        Of the snapshot; None for bundled facts, and where there is nothing.
    benchmarks : mapping of str to Benchmark
        What the source adds to the vocabulary.

    Raises
    ------
    ValueError
        If there are figures, and the status does not say when they were fetched.
    """

    about: About
    parsed: Parsed
    status: FetchStatus
    sha256: str | None = None
    benchmarks: Mapping[str, Benchmark] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.parsed.results and self.status.fetched_at is None:
            raise ValueError(f"{self.about.name}: figures without the time they were fetched; give it in the status")


@dataclass(frozen=True)
class Break:
    """From when on figures of a source are on another scale.

    Parameters
    ----------
    source : str
    at : datetime
        When they were fetched, UTC.
    benchmark, measure : str
        Which of them; empty for all.
    sentence : str
        What changed, with numbers.
    """

    source: str
    at: datetime
    benchmark: str
    measure: str
    sentence: str


def names_of(published: Iterable[Published]) -> dict[str, Sequence[ModelName]]:
    """What each source calls the models: what :func:`pipeline.rankings.identity.identify` takes."""
    return {one.about.name: one.parsed.names for one in published}


def fetch_status_rows(published: Sequence[Published]) -> pd.DataFrame:
    """Rows of ``llm.fetch_status``: one per source."""
    return frame_of_rows(
        LLM_FETCH_STATUS,
        [
            {
                "source": one.about.name,
                "title": one.about.title,
                "home": one.about.home,
                "licence": one.about.licence,
                "attribution": one.about.attribution,
                "status": one.status.status.value,
                "checked_at": one.status.checked_at,
                "fetched_at": one.status.fetched_at,
                "source_updated_at": one.status.source_updated_at,
                "n_results": len(one.parsed.results),
                "n_models": len({result.raw_name for result in one.parsed.results}),
                "n_unread": len(one.parsed.unread),
                "why": one.status.why,
                "version": one.status.version,
                "days": one.about.days,
                "is_frozen": one.about.is_frozen,
                "sha256": one.sha256,
            }
            for one in published
        ],
    )


def unread_rows(published: Sequence[Published]) -> pd.DataFrame:
    """Rows of ``llm.unread``: one per part of a document that could not be read."""
    return frame_of_rows(
        LLM_UNREAD,
        [
            {
                "source": one.about.name,
                "number": number,
                "document": part.document,
                "place": part.place,
                "reason": part.reason,
            }
            for one in published
            for number, part in enumerate(one.parsed.unread, start=1)
        ],
    )


def break_rows(breaks: Iterable[Break]) -> pd.DataFrame:
    """Rows of ``llm.breaks``; of several at one time, on the same figures, the first counts."""
    found: dict[tuple[str, datetime, str, str], Break] = {}
    for one in breaks:
        found.setdefault((one.source, one.at, one.benchmark, one.measure), one)
    return frame_of_rows(LLM_BREAKS, [vars(found[key]) for key in sorted(found)])
