"""Names of the assets of a board: where a table of the warehouse is in the graph."""

import dagster as dg


def asset_key(board: str, schema: str, table: str) -> dg.AssetKey:
    """``<board>/<table>``; the tables of the catalog are one asset, ``<board>/catalog``."""
    return dg.AssetKey([board, schema if schema == "catalog" else table])
