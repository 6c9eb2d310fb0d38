"""A real hub in its native layout, from a look by ``podium hub`` to its board; every score is recomputed here.

Two weeks of FluSight: 93 files of 47 models, five targets, of which one has outcomes in this copy.
"""

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.competition.hub import HubSource
from pipeline.warehouse import open_published
from pipeline_tests.cli import command
from pipeline_tests.competition.published.files import shared

pytestmark = pytest.mark.slow

TARGET, BASELINE, BOARD = "wk inc flu hosp", "FluSight-baseline", "us_cdc_flusight_wk_inc_flu_hosp"
KEYS = ["model_id", "reference_date", "horizon", "location"]


def quantiles(hub: Path) -> pd.DataFrame:
    """What the files say, read plainly."""
    frames = []
    for path in sorted((hub / "model-output").glob("*/*")):
        rows = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str)
        rows = rows.astype(str).assign(model_id=path.parent.name)
        frames.append(rows[(rows["target"] == TARGET) & (rows["output_type"] == "quantile")])
    found = pd.concat(frames, ignore_index=True)
    numbers = {name: found[name].astype(float) for name in ("horizon", "output_type_id", "value")}
    return found.assign(**numbers)


def tasks(hub: Path) -> pd.DataFrame:
    """Every forecast with its outcome and scores, by the definitions of the interval score and the pinball loss."""
    rows = quantiles(hub)
    oracle = pd.read_csv(hub / "target-data" / "oracle-output.csv", dtype={"location": str})
    rows = rows.merge(oracle, on=["target_end_date", "location"], how="left", validate="many_to_one")
    over = rows["oracle_value"] - rows["value"]
    level = rows["output_type_id"]
    rows["pinball"] = np.maximum(level * over, (level - 1) * over)
    rows["ae"] = over.abs().where(level == 0.5)
    found = rows.groupby(KEYS).agg(wis=("pinball", "mean"), ae_median=("ae", "max"), n=("pinball", "size"))
    assert (found["n"] == 23).all()
    found["wis"] *= 2
    wide = rows.pivot(index=KEYS, columns="output_type_id", values="value")
    outcome = rows.groupby(KEYS)["oracle_value"].first()
    for name, low, high in (("interval_coverage_50", 0.25, 0.75), ("interval_coverage_95", 0.025, 0.975)):
        inside = (wide[low] <= outcome) & (outcome <= wide[high])
        found[name] = inside.astype(float).where(outcome.notna())
    return found.reset_index()


def test_a_real_hub_from_its_folder_to_its_board(tmp_path: Path) -> None:
    hub = shared("flusight-hub")
    podium = partial(command.podium, data_dir=tmp_path)
    outcome = podium("hub", str(hub), "--json")
    assert outcome.code == 0, outcome.err
    shown = outcome.json
    assert list(shown["boards"]) == [TARGET]
    assert len(shown["not_scored"]) == 4
    assert shown["refused"] == {BOARD: []}
    expected = tasks(hub)
    n_tasks = len(expected.drop_duplicates(KEYS[1:]))
    share = expected.groupby("model_id").size() / n_tasks
    board = shown["boards"][TARGET]
    assert board["n_tasks"] == n_tasks
    assert {one["model_id"] for one in board["excluded"]} == set(share[share < 0.75].index)
    listed = {row["model_id"]: row["values"] for row in board["rows"]}
    assert set(listed) == set(share[share >= 0.75].index)
    known = expected.dropna(subset=["wis"])
    for model, rows in known[known["model_id"].isin(list(listed))].groupby("model_id"):
        for name in ("wis", "ae_median", "interval_coverage_50", "interval_coverage_95"):
            assert listed[model][name]["value"] == pytest.approx(rows[name].mean(), rel=1e-9), (model, name)
            assert listed[model][name]["n"] == len(rows)
    assert listed[BASELINE]["wis_scaled_relative_skill"]["value"] == pytest.approx(1)
    ranked = {row["model_id"]: row["rank"] for row in board["rows"]}
    skills = {model: values["wis_scaled_relative_skill"]["value"] for model, values in listed.items()}
    assert sorted(ranked, key=lambda model: ranked[model]) == sorted(skills, key=lambda model: skills[model])
    again = podium("hub", str(hub), "--json").json
    assert again["recomputed"] == {BOARD: 0}
    assert again["boards"] == shown["boards"]


def test_nothing_of_a_real_hub_is_lost_or_changed_on_its_way() -> None:
    hub = shared("flusight-hub")
    source = HubSource(hub, TARGET)
    rows = source.predictions(source.cycles())
    expected = quantiles(hub)
    found = pd.DataFrame(
        {
            "model_id": rows["model_id"].astype(str),
            "reference_date": rows["cycle"].dt.strftime("%Y-%m-%d"),
            "horizon": rows["horizon"].astype(float),
            "location": rows["subject"].astype(str),
            "output_type_id": rows["output_type_id"].astype(float),
            "value": rows["value"],
            "target_end_date": rows["target_time"].dt.strftime("%Y-%m-%d"),
        }
    )
    keys = [*KEYS, "output_type_id"]
    columns = [*keys, "value", "target_end_date"]
    pd.testing.assert_frame_equal(
        found.sort_values(keys)[columns].reset_index(drop=True),
        expected.sort_values(keys)[columns].reset_index(drop=True),
        check_dtype=False,
    )


NATIONAL = "2024-2025 season, US national level"
BREAKDOWNS = {"overall": None, "subject": "location", "cycle": "reference_date", "horizon": "horizon"}
BREAKDOWNS |= {"target_time": "target_end_date"}
METRICS = ("wis", "ae_median", "interval_coverage_50", "interval_coverage_95")
RELATIVE = ("wis_scaled_relative_skill", "ae_median_scaled_relative_skill")


def national_hub(folder: Path) -> Path:
    """The national forecasts of a season as a hub: its own configuration, a file for each model and round."""
    for name in ("hub-config", "model-metadata"):
        shutil.copytree(shared("flusight-hub", name), folder / name)
    shutil.copy(shared("flusight", "published", "predevals-options.json"), folder)
    (folder / "target-data").mkdir()
    oracle = pd.read_parquet(shared("flusight", "oracle.parquet"))
    oracle.to_csv(folder / "target-data" / "oracle-output.csv", index=False)
    rows = pd.read_parquet(shared("flusight", "small", "us_national_2024-25_quantiles.parquet"))
    rows = rows.rename(columns={"quantile_level": "output_type_id"}).assign(target=TARGET, output_type="quantile")
    for (model, round_id), part in rows.groupby(["model_id", "reference_date"]):
        path = folder / "model-output" / str(model) / f"{round_id}-{model}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        part.drop(columns="model_id").to_parquet(path, index=False)
    return folder


def test_the_national_boards_of_a_season_are_those_that_are_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = national_hub(tmp_path / "hub")
    outcome = command.podium("hub", str(hub), "--eval-set", NATIONAL, "--json", data_dir=tmp_path / "data")
    assert outcome.code == 0, outcome.err
    assert outcome.json["refused"] == {BOARD: []}
    with open_published(tmp_path / "data" / "hubs" / "us_cdc_flusight" / "published") as connection:
        found = connection.execute("SELECT * FROM competition.evaluations WHERE evaluation = ?", [NATIONAL]).df()
    cells, largest = 0, 0.0
    for by, column in BREAKDOWNS.items():
        path = shared("flusight", "published", "scores", TARGET, NATIONAL, column or "", "scores.csv")
        expected = pd.read_csv(path, dtype={name: str for name in BREAKDOWNS.values() if name})
        expected["part"] = expected[column] if column else "overall"
        table = found[found["by"] == by].pivot(index=["model_id", "part"], columns="metric", values="value")
        for name in (*METRICS, *RELATIVE):
            published = expected.set_index(["model_id", "part"])[name]
            computed = table[name].reindex(published.index)
            np.testing.assert_allclose(computed, published, rtol=1e-9, atol=0, err_msg=f"{name} by {by}")
            cells += len(published)
            largest = max(largest, float(((computed - published).abs() / published.abs().replace(0, 1)).max()))
    with capsys.disabled():
        print(f"\npodium hub, FluSight {NATIONAL}: {cells:,} numbers, largest relative difference {largest:.1e}")
    assert cells == 15_552
