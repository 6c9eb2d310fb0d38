"""A report server over a published toy contest, asked as any client asks: by HTTP, in process."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.testclient import TestClient

from pipeline.competition import Contract
from pipeline.reports.app import create_app
from pipeline.settings import settings
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
    """Bring contests up to date and publish them; in a new folder, a copy of what the same contests gave before."""
    files = files_in(folder)
    if files.path.exists():
        return _publish(files, contracts)
    asked = _asked(contracts)
    if asked not in _published:
        _published[asked] = TemporaryDirectory(prefix="podium-published-")
        _publish(files_in(Path(_published[asked].name)), contracts)
    shutil.copytree(_published[asked].name, folder, symlinks=True, dirs_exist_ok=True)
    return files


_published: dict[str, TemporaryDirectory[str]] = {}
"""Folders with what was published first, by what was asked for."""


def _asked(contracts: Sequence[Contract]) -> str:
    """All that decides what contests give: their declarations, where names may come from, and what the sources hold."""
    sources = [source().fingerprint() for source in (toy_contest.toy, toy_contest.other)]
    declarations = [contract.model_dump_json() for contract in contracts]
    return repr((declarations, sources, settings().dotted_path_packages))


def _publish(files: WarehouseFiles, contracts: Sequence[Contract]) -> WarehouseFiles:
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
