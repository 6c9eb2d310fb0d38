"""What came true of one target, with when it became known where the hub says so."""

from dataclasses import dataclass

import pandas as pd
from upath import UPath

from pipeline.competition.hub.config import Hub, HubError, as_written
from pipeline.competition.hub.forecast_target import WHOLE, ForecastTarget, default_target
from pipeline.competition.hub.targets import TARGET_DATA, TargetData, all_target_data, archived_target_data
from pipeline.competition.truth import ANY_HORIZON

COLUMNS = ["subject", "target_time", "horizon", "known_at", "value"]
_FACT = ["subject", "target_time", "horizon"]
_AGREES = 1e-9


@dataclass(frozen=True)
class Outcomes:
    """The outcomes of one target.

    Parameters
    ----------
    rows : DataFrame
        subject, target_time, horizon (-1: any), known_at (NaT: from when it is first seen), value.
    paths : tuple of UPath
        Where they come from.
    """

    rows: pd.DataFrame
    paths: tuple[UPath, ...]

    @property
    def is_dated(self) -> bool:
        """Whether the hub says since when any of them is known."""
        return bool(self.rows["known_at"].notna().any())


def read_outcomes(hub: Hub, target: ForecastTarget, output_type: str) -> Outcomes:
    """The outcomes of a target: the best file's, with the history of another where its newest values are the same.

    Hubs publish the outcomes to score by as oracle output, often without when each became known; their time series,
    or FluSight's archive of older files, say that.

    Parameters
    ----------
    hub : Hub
    target : ForecastTarget
    output_type : str
        The one that is scored: of categories, an outcome is the place of the one that came true, from 1.

    Raises
    ------
    HubError
        If there are none, or they cannot be read.
    """
    found = [(rows, data.path) for data in all_target_data(hub) if len(rows := _rows(hub, data, target, output_type))]
    if not found:
        raise HubError(f"{hub.path / TARGET_DATA} has no outcomes of target {target.target_id!r}")
    best, path = found[0]
    if best["known_at"].notna().any():
        return Outcomes(best, (path,))
    archive = archived_target_data(hub)
    dated = [*found[1:], *([] if archive is None else [(_rows(hub, archive, target, output_type), archive.path)])]
    for rows, other in dated:
        if rows["known_at"].notna().any() and _agree(best, rows):
            return Outcomes(pd.concat([rows, _new(best, rows)], ignore_index=True), (path, other))
    return Outcomes(best, (path,))


def _newest(rows: pd.DataFrame) -> pd.DataFrame:
    ordered = rows.sort_values("known_at", kind="stable", na_position="last")
    return ordered.drop_duplicates(_FACT, keep="last")


def _agree(best: pd.DataFrame, dated: pd.DataFrame) -> bool:
    """Whether two files speak of the same: most of the newest values that both have are equal."""
    both = best.dropna(subset=["value"]).merge(
        _newest(dated).dropna(subset=["value"]), on=_FACT, suffixes=("", "_then")
    )
    if both.empty:
        return False
    difference = (both["value"] - both["value_then"]).abs()
    return bool((difference <= _AGREES * both["value"].abs().clip(lower=1)).mean() > 0.5)


def _new(best: pd.DataFrame, dated: pd.DataFrame) -> pd.DataFrame:
    """The values of the best file that the dated one does not end with: known from when they are seen."""
    compared = best.merge(_newest(dated), on=_FACT, how="left", suffixes=("", "_then"))
    differs = ~(
        compared["value"].eq(compared["value_then"]) | (compared["value"].isna() & compared["value_then"].isna())
    )
    return compared.loc[differs, COLUMNS]


def _rows(hub: Hub, data: TargetData, target: ForecastTarget, output_type: str) -> pd.DataFrame:
    """The rows of a file that are of the target, as truth has them."""
    rows = data.rows
    named = rows["target"] != ""
    own = rows["target"].isin([target.target_id, *target.keys.values()])
    if default_target(hub) == target.target_id:
        own |= ~named
    rows = _of_type(rows[own], target, output_type)
    found = pd.DataFrame(
        {
            "subject": _subjects(data, rows, target),
            "target_time": rows["date"].astype("datetime64[us]"),
            "horizon": _horizons(data, rows, target),
            "known_at": pd.to_datetime(rows["as_of"]).astype("datetime64[us]"),
            "value": rows["value"],
        }
    )
    return found.drop_duplicates([*_FACT, "known_at", "value"], ignore_index=True)


def _of_type(rows: pd.DataFrame, target: ForecastTarget, output_type: str) -> pd.DataFrame:
    """The rows that say what came true for an output type: a category by its place, anything else by its value."""
    if output_type == "pmf":
        return _categories(rows, target)
    whole = rows[rows["output_type_id"] == ""]
    for kinds in ([output_type], [""], ["quantile", "mean", "median", "sample"]):
        found = whole[whole["output_type"].isin(kinds)]
        if len(found):
            return found
    return whole.iloc[:0]


def _categories(rows: pd.DataFrame, target: ForecastTarget) -> pd.DataFrame:
    place = {name: at for at, name in enumerate(target.output_type_ids["pmf"], start=1)}
    happened = rows[(rows["output_type"] == "pmf") & (rows["value"] == 1)]
    if len(happened):
        return happened.assign(value=happened["output_type_id"].map(place).astype(float)).dropna(subset=["value"])
    plain = rows[rows["output_type"] == ""].dropna(subset=["value"])
    names = plain["value"].map(as_written)
    return plain.assign(value=names.map(place).astype(float)).dropna(subset=["value"])


def _subjects(data: TargetData, rows: pd.DataFrame, target: ForecastTarget) -> "pd.Series[str]":
    if not target.unit_ids:
        return pd.Series(WHOLE, index=rows.index, dtype="str")
    if data.unit_ids == target.unit_ids:
        return rows["unit"].astype("str")
    missing = [name for name in target.unit_ids if name not in data.unit_ids]
    if missing:
        raise HubError(f"{data.path} does not say whose outcomes it has: add {', '.join(missing)}")
    parts = rows["unit"].str.split("/", n=len(data.unit_ids) - 1, expand=True)
    chosen = [parts[data.unit_ids.index(name)] for name in target.unit_ids]
    joined = chosen[0]
    for one in chosen[1:]:
        joined = joined + "/" + one
    return joined.astype("str")


def _horizons(data: TargetData, rows: pd.DataFrame, target: ForecastTarget) -> "pd.Series[int]":
    """The horizon that each is of, where files say it; any otherwise."""
    if not target.has_horizon or not (rows["horizon"] != "").any():
        return pd.Series(ANY_HORIZON, index=rows.index, dtype="int32")
    found = pd.to_numeric(rows["horizon"], errors="coerce")
    if found.isna().any():
        first = rows.loc[found.isna(), "horizon"].iloc[0]
        raise HubError(f"{data.path}: horizon {first!r} is no whole number")
    return found.astype("int32")
