"""A report server over a published toy contest, asked as any client asks: by HTTP, in process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from pipeline.competition import Contract
from pipeline.reports.app import create_app
from pipeline.warehouse import WarehouseFiles
from pipeline_tests import toy_contest
from pipeline_tests.toy_graph import bring_up_to_date

ENSEMBLES = [
    {"name": "main", "strategy": "equal_weight"},
    {"name": "top2", "title": "The best two", "strategy": "equal_weight", "filter": {"top_n": 2}},
]
METRICS = ["ic", "ic_sharpe", "hit_rate", "model_correlation", "turnover", "contribution", "ensemble_correlation"]


def declared(**changes: Any) -> Contract:
    """The toy contest with the spec's windows, ensembles and boards of its subjects."""
    return toy_contest.contract(
        **{
            "ensembles": ENSEMBLES,
            "metrics": METRICS,
            "windows": {"recent": {"cycles": 8}, "steady": {"cycles": 16}, "anchor": {"cycles": 32}},
            "leaderboard": {"rank_by": "anchor.ic", "tie_breakers": ["recent.ic"], "min_coverage": 0.5},
            "categories": [{"by": "subject", "rank_by": "anchor.hit_rate"}],
        }
        | changes
    )


def files_in(folder: Path) -> WarehouseFiles:
    """The warehouse that :func:`publish` fills."""
    return WarehouseFiles(folder / "warehouse" / "podium.duckdb", folder / "published")


def publish(folder: Path, *contracts: Contract) -> WarehouseFiles:
    """Bring contests up to date and publish them."""
    files = files_in(folder)
    with files.write("a test") as store:
        for contract in contracts:
            bring_up_to_date(store, contract)
    files.publish()
    return files


@contextmanager
def served(published_dir: Path) -> Iterator[TestClient]:
    """A client of the server over a folder of published files."""
    with TestClient(create_app(published_dir), raise_server_exceptions=False) as client:
        yield client
