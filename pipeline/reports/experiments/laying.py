"""Rows that are laid over a table: what they are laid in place of, and the rows that there are then."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from pipeline.tables import TableSpec

BY_RUN = ("experiment", "run_id")
BY_EXPERIMENT = ("experiment",)


@dataclass(frozen=True)
class Laid:
    """Rows that are laid over a published table, in place of those with the same values of some columns.

    Parameters
    ----------
    rows : DataFrame
        Of the table, without the experiment's name.
    in_place_of : DataFrame
        What is replaced, with the columns ``key`` but the experiment.
    key : tuple of str
    """

    rows: pd.DataFrame
    in_place_of: pd.DataFrame
    key: tuple[str, ...]

    def over(self, published: pd.DataFrame, rows: pd.DataFrame | None = None) -> pd.DataFrame:
        """Published rows that are not replaced, and these, or only some ``rows`` of these."""
        keys = [one for one in self.key if one not in BY_EXPERIMENT]
        replaced = pd.MultiIndex.from_frame(self.in_place_of[keys].astype("str"))
        stays = ~pd.MultiIndex.from_frame(published[keys].astype("str")).isin(replaced)
        return together([published[stays], self.rows if rows is None else rows])


def whole(rows: pd.DataFrame) -> Laid:
    """Rows in place of all that an experiment has in a table."""
    return Laid(rows, pd.DataFrame({}), BY_EXPERIMENT)


def unpublished(spec: TableSpec, rows: pd.DataFrame, published: pd.DataFrame) -> Laid:
    """Rows that nobody has published, each once: of two with the same key the first."""
    key = [one for one in spec.key if one != spec.board]
    new = rows.drop_duplicates(key)
    left = new[~pd.MultiIndex.from_frame(new[key]).isin(pd.MultiIndex.from_frame(published[key]))]
    return Laid(left.reset_index(drop=True), left[key].reset_index(drop=True), spec.key)


def together(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Rows of several frames of one table, one behind the other."""
    listed = list(frames)
    found: pd.DataFrame = pd.concat([one for one in listed if len(one)] or listed[:1], ignore_index=True)
    return found
