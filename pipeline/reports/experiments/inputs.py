"""The tables of experiments for one request: every route and every page of experiments reads these."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request

from pipeline.reports.experiments.overlay import LiveExperiments
from pipeline.reports.queries.experiment_tables import ExperimentTables


def experiment_tables(request: Request) -> Iterator[ExperimentTables]:
    """What is published, with every write that came before the request."""
    live: LiveExperiments = request.app.state.experiments
    with live.tables() as tables:
        yield tables


Experiments = Annotated[ExperimentTables, Depends(experiment_tables)]
