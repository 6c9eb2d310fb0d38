"""A contest of one's own that is fed by files, declared in a folder, and what tests do to it."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from pipeline.competition import Contract
from pipeline.components import trees
from pipeline.components.inbox import Landing
from pipeline.components.inbox_tables import land_inbox
from pipeline.landing import deliver, inbox
from pipeline.settings import settings
from pipeline.tables import BOARDS, MODELS, PREDICTIONS, SUBJECTS, WHOLE, TableSpec
from pipeline.warehouse import Dirty, Store, WarehouseFiles

HEADER = "model_id,cycle,subject,value"
BEFORE = "2024-01-01"
"""A day before every deadline."""
DECLARATION: dict[str, Any] = {
    "title": "The league",
    "horizon_length": "7d",
    "predictions": {"source": "inbox", "deadline": "12h"},
    "truth": {"source": "inbox"},
    "scoring": {"rule": "rank_product", "primary": "ic"},
    "metrics": ["ic"],
    "windows": {"all": {}},
    "leaderboard": {"rank_by": "all.ic"},
}


def declare(folder: Path, name: str = "league", **changes: Any) -> Contract:
    """Declare a board in a folder of one's own, which the next command reads anew; None takes a field away."""
    attributes = {"name": name} | DECLARATION | changes
    attributes = {field: value for field, value in attributes.items() if value is not None}
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    declared = {"type": "pipeline.components.Competition", "attributes": attributes}
    (place / "defs.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    trees.own_tree.cache_clear()
    return Contract.model_validate(attributes)


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    """A CSV file of these lines."""
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def run(contract: Contract, data_dir: Path, **files: Path) -> WarehouseFiles:
    """Land files, by folder, and enter the board in the catalog, as its run does first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox, "SETTLED_SECONDS", 0.0)
        patch.setenv("PODIUM_DATA_DIR", str(data_dir))
        settings.cache_clear()
        for folder, path in files.items():
            deliver(path, settings().inbox_dir, contract.name, folder)
        warehouse = WarehouseFiles(lock_timeout=5)
        with warehouse.write("a test") as store:
            row = {"kind": "competition", "title": contract.title, "contract": contract.model_dump_json()}
            _replace(store, BOARDS, contract, row)
            land_inbox(store, contract, Landing())
    settings.cache_clear()
    return warehouse


def publish(contract: Contract, warehouse: WarehouseFiles, model: str, subject: str, target_time: datetime) -> None:
    """Publish one model, subject and prediction, which the working file's landed rows need not have."""
    cycle = datetime(2024, 1, 5)
    with warehouse.write("a test") as store:
        known = {"title": "", "first_seen": cycle}
        registered = {"player": "", "kind": "real", "designated": True, "version": "1"}
        _replace(store, MODELS, contract, {"model_id": model} | registered | known)
        _replace(store, SUBJECTS, contract, {"subject": subject} | known)
        prediction = {"model_id": model, "cycle": cycle, "horizon": 1, "subject": subject, "target_time": target_time}
        prediction |= {"output_type": "value", "output_type_id": ""}
        judged = {"value": 1.0, "received_at": cycle, "deadline": cycle, "is_late": False, "is_imputed": False}
        _replace(store, PREDICTIONS, contract, prediction | judged, cycle)
    warehouse.publish()


def _replace(store: Store, spec: TableSpec, contract: Contract, row: dict[str, Any], cycle: datetime = WHOLE) -> None:
    columns = [name for name in spec.column_names if name != spec.board]
    store.replace(spec, contract.name, [Dirty(cycle, 0)], pd.DataFrame([row], columns=columns), "by hand")
