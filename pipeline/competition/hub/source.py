"""A hub's target as the source of a competition: rounds are its cycles, what task ids divide are its subjects.

A clone of a hub does not say when a file arrived, so what is in it counts as in time: the hub's own checks refused
what was late. Submissions are read round by round; what the hub's rules refuse is kept aside, with the reason.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals
from upath import UPath

from pipeline.competition.hub.config import Hub, read_hub
from pipeline.competition.hub.files import ModelMetadata, Submission, model_metadata, read_table
from pipeline.competition.hub.forecast_target import ForecastTarget
from pipeline.competition.hub.listing import (
    HubFile,
    configuration_state,
    listed,
    models_state,
    outcomes_state,
    state_of,
)
from pipeline.competition.hub.outcomes import COLUMNS as TRUTH_COLUMNS
from pipeline.competition.hub.outcomes import Outcomes, read_outcomes
from pipeline.competition.hub.reading import COLUMNS, Judged, cycle_of, judge
from pipeline.fingerprint import digest, source_hash

SOURCE = "hub"
"""The name of the source in YAML."""
_READS_SUBMISSIONS = ("config", "files", "forecast_target", "reading", "rules")
_READS_OUTCOMES = ("outcomes", "targets")
"""Modules of this package that make the rows; a change of another reads nothing again."""
_LOCATIONS = "auxiliary-data/locations.csv"
_PREDICTIONS = ["model_id", "cycle", *COLUMNS, "deadline", "received_at"]


@dataclass(frozen=True)
class ReadFile:
    """A file of a hub, and what became of its rows."""

    file: HubFile
    judged: Judged


class HubSource:
    """One target of a hub.

    Parameters
    ----------
    path : str or UPath
        The hub's folder, local or behind any URL that fsspec knows.
    target : str
        Its target id.
    output_type : str, optional
        The output type that is scored; the first of quantile, pmf, cdf, sample, median and mean that it takes.

    Raises
    ------
    HubError
        If that is no hub, it has no such target, or the target does not take the output type.
    """

    def __init__(self, path: str | UPath, target: str, output_type: str | None = None) -> None:
        self.hub: Hub = read_hub(path)
        self.target = ForecastTarget.of(self.hub, target)
        self.output_type = self.target.output_type(output_type)

    @cached_property
    def files(self) -> list[HubFile]:
        """The files in the folder of submissions, as they are when this is asked first."""
        return listed(self.hub)

    @cached_property
    def by_cycle(self) -> dict[datetime, list[HubFile]]:
        """The submissions to each round, by its date, in order."""
        found: dict[datetime, list[HubFile]] = {}
        for file in self.files:
            if isinstance(file.what, Submission):
                found.setdefault(cycle_of(self.hub, file.what.round_id), []).append(file)
        return dict(sorted(found.items()))

    def fingerprint(self) -> str:
        """A string that changes whenever anything in the hub, or the code that reads it, may have changed."""
        parts = (state_of(self.files), models_state(self.hub))
        return digest(self.outcomes_fingerprint(), *parts, *_code("source"))

    def rules_fingerprint(self) -> str:
        """The same for all but what is submitted and comes true: by what rules files are read."""
        declared = (configuration_state(self.hub), self.target.target_id, self.output_type)
        return digest(*declared, *_code(*_READS_SUBMISSIONS))

    def outcomes_fingerprint(self) -> str:
        """The same for outcomes alone."""
        return digest(self.rules_fingerprint(), outcomes_state(self.hub), *_code(*_READS_OUTCOMES))

    def cycles(self) -> Sequence[datetime]:
        """The rounds with submissions, ascending."""
        return list(self.by_cycle)

    def models(self) -> pd.DataFrame:
        """Columns model_id, title, player, version, licence, description: of who submitted anything."""
        said = {one.model_id: one for one in model_metadata(self.hub) if isinstance(one, ModelMetadata)}
        ids = sorted({file.what.model_id for file in self.files if isinstance(file.what, Submission)})
        found = [said.get(name, ModelMetadata(name, name, "", "", "", "", True)) for name in ids]
        return pd.DataFrame(
            {
                "model_id": ids,
                "title": ids,  # what a hub's readers know it by
                "player": [one.team for one in found],
                "version": [one.version or "1" for one in found],
                "licence": [one.licence or None for one in found],
                "description": [_described(one) for one in found],
            }
        )

    def subjects(self) -> pd.DataFrame:
        """Columns subject, title: all that may be predicted."""
        titles = self._titles()
        units = list(self.target.units)
        return pd.DataFrame({"subject": units, "title": [titles.get(unit, unit) for unit in units]})

    def _titles(self) -> dict[str, str]:
        """Names of places, where the hub lists them."""
        path = self.hub.path / _LOCATIONS
        if self.target.unit_ids != ("location",) or not path.exists():
            return {}
        table = read_table(path)
        if not {"location", "location_name"} <= set(table):
            return {}
        return dict(zip(table["location"].astype(str), table["location_name"].astype(str), strict=True))

    def deadline(self, cycle: datetime) -> datetime:
        """The end of the last day on which a round takes submissions, UTC without a zone."""
        file = self.by_cycle[cycle][0]
        assert isinstance(file.what, Submission)  # noqa: S101  # nosec B101 # as by_cycle has no others
        return self.hub.deadline(file.what.round_id)

    def read(self, cycle: datetime) -> Iterator[ReadFile]:
        """Every file of a round, and what became of its rows."""
        for file in self.by_cycle.get(cycle, []):
            assert isinstance(file.what, Submission)  # noqa: S101  # nosec B101 # as by_cycle has no others
            yield ReadFile(file, judge(file.what, self.hub, self.target, self.output_type))

    def rows_of(self, cycle: datetime, read: Iterable[ReadFile]) -> pd.DataFrame:
        """What files of a round predict: the columns of :meth:`predictions`."""
        parts = [(one.file.what.model_id, one.judged.accepted) for one in read if len(one.judged.accepted)]  # type: ignore[union-attr]
        if not parts:
            return pd.DataFrame(columns=_PREDICTIONS)
        sizes = [len(rows) for _, rows in parts]
        models = pd.Categorical.from_codes(
            np.repeat(np.arange(len(parts)), sizes), categories=pd.Index([model for model, _ in parts], dtype="str")
        )
        found: dict[str, object] = {"model_id": models, "cycle": pd.Timestamp(cycle).as_unit("us")}
        for name in COLUMNS:
            columns = [rows[name] for _, rows in parts]
            is_text = isinstance(columns[0].dtype, pd.CategoricalDtype)
            found[name] = union_categoricals(columns) if is_text else np.concatenate(columns)
        deadline = pd.Timestamp(self.deadline(cycle)).as_unit("us")
        return pd.DataFrame(found).assign(deadline=deadline, received_at=deadline)[_PREDICTIONS]

    def predictions(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        """What was submitted and obeys the hub's rules.

        Columns model_id, cycle, horizon, subject, target_time, output_type_id, value, deadline, received_at (the
        deadline, since nothing says when it arrived).
        """
        parts = [self.rows_of(cycle, self.read(cycle)) for cycle in cycles]
        parts = [part for part in parts if len(part)]
        return joined(parts) if parts else pd.DataFrame(columns=_PREDICTIONS)

    def factors(self, cycles: Sequence[datetime]) -> pd.DataFrame:  # noqa: ARG002
        """None: hubs have no factors."""
        return pd.DataFrame(
            {"cycle": pd.Series(dtype="datetime64[us]"), "subject": [], "factor": [], "value": pd.Series(dtype=float)}
        ).astype({"subject": "str", "factor": "str"})

    def outcomes(self) -> Outcomes:
        """What came true, with where it comes from. Errors as :func:`read_outcomes`."""
        return read_outcomes(self.hub, self.target, self.output_type)

    def truth(self) -> pd.DataFrame:
        """Columns subject, target_time, horizon (-1: any), known_at (NaT: from when it is first seen), value."""
        return self.outcomes().rows[TRUTH_COLUMNS]


def joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Frames of predictions one below the other, texts still coded."""
    if len(parts) == 1:
        return parts[0]
    columns = {}
    for name in parts[0]:
        values = [part[name] for part in parts]
        is_text = isinstance(values[0].dtype, pd.CategoricalDtype)
        columns[name] = union_categoricals(values) if is_text else pd.concat(values, ignore_index=True)
    return pd.DataFrame(columns)


def _code(*modules: str) -> list[str]:
    """Hashes of modules of this package."""
    return [source_hash(f"pipeline.competition.hub.{name}") for name in modules]


def _described(model: ModelMetadata) -> str | None:
    said = [model.title if model.title != model.model_id else "", model.description]
    return ": ".join(one for one in said if one) or None
