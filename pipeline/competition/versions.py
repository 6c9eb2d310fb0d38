"""From which cycle on a model is of which version: its record goes on, with a visible break."""

import pandas as pd

UNREGISTERED = "1"
"""The version of a model that never registered one."""

COLUMNS = ["model_id", "first_cycle", "version"]


def model_versions(registered: pd.DataFrame, played: pd.DataFrame) -> pd.DataFrame:
    """The versions of models, each with the first cycle that was predicted by it.

    The first version that a model registers is that of all its cycles until the next one; a later one counts from the
    first cycle that could still be submitted to. Versions that no cycle was predicted by are left out.

    Parameters
    ----------
    registered : DataFrame
        model_id, version, received_at, in the order of registration; a model may be registered again unchanged.
    played : DataFrame
        model_id, cycle, deadline: the cycles that each model has predicted.

    Returns
    -------
    DataFrame
        model_id, first_cycle, version; one row for each change.
    """
    registered, played = (  # empty frames have lost their types
        frame.astype({"model_id": "str"} | dict.fromkeys(times, "datetime64[us]"))
        for frame, times in ((registered, ["received_at"]), (played, ["cycle", "deadline"]))
    )
    first = ~registered.duplicated("model_id")
    since = registered.assign(since=registered["received_at"].mask(first, pd.Timestamp.min.as_unit("us")))
    of_cycles = pd.merge_asof(
        played.sort_values("deadline", kind="stable"),
        since.sort_values("since", kind="stable")[["model_id", "since", "version"]],
        left_on="deadline",
        right_on="since",
        by="model_id",
    ).sort_values(["model_id", "cycle"], kind="stable")
    of_cycles["version"] = of_cycles["version"].fillna(UNREGISTERED)
    changed = of_cycles["version"] != of_cycles.groupby("model_id")["version"].shift()
    return of_cycles[changed].rename(columns={"cycle": "first_cycle"}).reset_index(drop=True)[COLUMNS]
