"""The experiments of the server and their tables for one request, which every route and page of experiments reads."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request

from pipeline.reports.experiments.overlay import LiveExperiments
from pipeline.reports.queries.experiment_tables import ExperimentTables


def live_experiments(request: Request) -> LiveExperiments:
    """The experiments of the server, with what waits."""
    live: LiveExperiments = request.app.state.experiments
    return live


Live = Annotated[LiveExperiments, Depends(live_experiments)]


def experiment_tables(live: Live) -> Iterator[ExperimentTables]:
    """Their tables, for one request: what is published, with every write that came before it."""
    with live.tables() as tables:
        yield tables


Tables = Annotated[ExperimentTables, Depends(experiment_tables)]
