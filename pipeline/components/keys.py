"""Names of the assets of a board: where a table of the warehouse is in the graph."""

import dagster as dg

from pipeline.tables import BOARDS, MEASURE_SPECS, MEASURES, METRICS, TableSpec

_ALONGSIDE = {BOARDS: "catalog", METRICS: "catalog", MEASURE_SPECS: MEASURES.name}
"""Tables that an asset of another name fills."""

POSTED = dg.AssetKey(["posted_experiments"])
"""The asset of all experiments that were posted to the report API."""


def asset_key(board: str, table: TableSpec) -> dg.AssetKey:
    """``<board>/<table>``; tables that are filled together are one asset, as those of the catalog are."""
    return dg.AssetKey([board, _ALONGSIDE.get(table, table.name)])
