"""Checks and lands one file in a process of its own, and says how long it took and how much memory: ``python -m``."""

import json
import sys
import time
from datetime import datetime
from pathlib import Path

from pipeline.bench.apart import peak_megabytes
from pipeline.competition import Contract
from pipeline.intake import StoreKnown, folders
from pipeline.landing import check_file, land_file, pending
from pipeline.warehouse import WarehouseFiles
from pipeline_tests.toy_contest import declaration

CONTRACT = Contract.model_validate(
    declaration(
        horizon_length="7d",
        predictions={"source": "inbox"},
        truth={"source": "inbox"},
        metrics=["ic"],
        leaderboard={"rank_by": "all.ic"},
    )
)


def main(inbox: Path, what: str) -> dict[str, float | str]:
    """Check or land the one file that waits for the toy contest."""
    (delivery,) = pending(inbox, "toy", ("predictions",))
    (make,) = folders(CONTRACT)["predictions"]
    with WarehouseFiles(inbox.parent / "warehouse" / "podium.duckdb").write("a test") as store:
        intake = make(CONTRACT, StoreKnown(store, "toy"))
        start = time.monotonic()
        if what == "check":
            verdict = check_file(store.connection, delivery.path, intake, datetime(2024, 1, 1))
        else:
            landed = land_file(store, delivery, [intake], inbox.parent / "archive")
            assert landed is not None
            (verdict,) = landed.verdicts
        seconds = time.monotonic() - start
    said = {"rows": verdict.n_rows, "accepted": verdict.n_accepted, "status": verdict.status}
    return said | {"seconds": seconds, "megabytes": peak_megabytes()}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2])))
