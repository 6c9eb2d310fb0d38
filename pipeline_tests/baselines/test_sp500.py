"""The bundled competition as the pipeline sees it."""

import subprocess
import sys
from datetime import datetime
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.baselines import BASELINES, PriceHistory, Sp500Source, source
from pipeline.competition.source import Source

PREDICTION_COLUMNS = ["model_id", "cycle", "horizon", "subject", "target_time", "value", "received_at"]


@pytest.fixture(scope="module")
def predictions(sp500: Sp500Source) -> pd.DataFrame:
    return sp500.predictions(sp500.cycles())


def of_cycles(frame: pd.DataFrame, cycles: list[datetime]) -> pd.DataFrame:
    return frame[frame["cycle"].isin(cycles)].reset_index(drop=True)


def with_other_prices_after(history: PriceHistory, position: int) -> PriceHistory:
    factors = np.random.default_rng(position).uniform(0.5, 2.0, size=history.prices.shape)
    factors[: position + 1] = 1.0
    return PriceHistory(history.dates, history.tickers, history.prices * factors)


def test_it_is_a_source() -> None:
    assert isinstance(source(), Source)
    assert source() is source()


@pytest.mark.parametrize("number", [0, 40, 52, 53, 110, 557, 1200, 1667])
def test_prices_after_a_cycle_change_no_prediction_or_factor_of_it(
    sp500: Sp500Source, history: PriceHistory, number: int
) -> None:
    cycles = sp500.cycles()[max(0, number - 2) : number + 1]
    changed = Sp500Source(with_other_prices_after(history, history.cycle_positions[number]))
    pd.testing.assert_frame_equal(changed.predictions(cycles), sp500.predictions(cycles), check_exact=True)
    pd.testing.assert_frame_equal(changed.factors(cycles), sp500.factors(cycles), check_exact=True)
    assert not np.allclose(changed.history.outcomes[number], history.outcomes[number])


def test_prices_up_to_a_cycle_do_change_its_predictions(sp500: Sp500Source, history: PriceHistory) -> None:
    cycle = sp500.cycles()[1000]
    changed = Sp500Source(with_other_prices_after(history, history.cycle_positions[1000] - 1)).predictions([cycle])
    original = sp500.predictions([cycle])
    moved = set(original["model_id"][original["value"].to_numpy() != changed["value"].to_numpy()])
    assert moved == {b.model_id for b in BASELINES} - {
        "momentum_12_1",
        "reversal_3y",
        "same_month_seasonality",
        "random_seeded",
        "constant",
    }


@pytest.mark.parametrize("number", [0, 52, 800, 1600])
def test_a_history_that_ends_at_a_cycle_predicts_the_same(
    sp500: Sp500Source, history: PriceHistory, number: int
) -> None:
    end = history.cycle_positions[number] + 1
    cycle = sp500.cycles()[number]
    assert cycle.weekday() == 4
    ended = Sp500Source(PriceHistory(history.dates[:end], history.tickers, history.prices[:end]))
    assert ended.cycles() == sp500.cycles()[: number + 1]
    columns = ["model_id", "subject", "value"]
    pd.testing.assert_frame_equal(
        ended.predictions([cycle])[columns], sp500.predictions([cycle])[columns], check_exact=True
    )


@pytest.mark.parametrize("n_cycles", [1, 2, 30, 700])
def test_some_cycles_have_the_same_rows_as_all(sp500: Sp500Source, predictions: pd.DataFrame, n_cycles: int) -> None:
    picked = np.random.default_rng(n_cycles).choice(1669, n_cycles, replace=False)
    cycles = [sp500.cycles()[number] for number in picked]
    pd.testing.assert_frame_equal(sp500.predictions(cycles), of_cycles(predictions, cycles), check_exact=True)
    factors = sp500.factors(sp500.cycles())
    pd.testing.assert_frame_equal(sp500.factors(cycles), of_cycles(factors, cycles), check_exact=True)


def test_the_memory_layout_of_the_prices_changes_no_bit(sp500: Sp500Source, history: PriceHistory) -> None:
    by_column = Sp500Source(PriceHistory(history.dates, history.tickers, np.asfortranarray(history.prices)))
    cycles = sp500.cycles()[300:310]
    pd.testing.assert_frame_equal(by_column.predictions(cycles), sp500.predictions(cycles), check_exact=True)


def test_a_cycle_named_twice_counts_once(sp500: Sp500Source) -> None:
    first, second = sp500.cycles()[100:102]
    assert sp500.predictions([second, first, second]).equals(sp500.predictions([first, second]))


def test_predictions_have_the_columns_and_types_of_the_table(sp500: Sp500Source, predictions: pd.DataFrame) -> None:
    expected = ["str", "datetime64[us]", "int64", "str", "datetime64[us]", "float64", "datetime64[us]"]
    for frame in (predictions, sp500.predictions(sp500.cycles()[-1:]), sp500.predictions([])):
        assert list(frame.columns) == PREDICTION_COLUMNS
        assert [str(dtype) for dtype in frame.dtypes] == expected


def test_factors_and_truth_have_the_columns_and_types_of_their_tables(sp500: Sp500Source) -> None:
    for frame in (sp500.factors(sp500.cycles()[:3]), sp500.factors([])):
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
            "cycle": "datetime64[us]",
            "subject": "str",
            "factor": "str",
            "value": "float64",
        }
    assert {name: str(dtype) for name, dtype in sp500.truth().dtypes.items()} == {
        "subject": "str",
        "target_time": "datetime64[us]",
        "horizon": "int64",
        "known_at": "datetime64[us]",
        "value": "float64",
    }


def test_no_value_is_absent_or_infinite_and_keys_are_unique(sp500: Sp500Source, predictions: pd.DataFrame) -> None:
    factors, truth = sp500.factors(sp500.cycles()), sp500.truth()
    for frame in (predictions, factors, truth):
        assert np.isfinite(frame["value"]).all()
    assert not predictions.duplicated(["model_id", "cycle", "horizon", "subject"]).any()
    assert not factors.duplicated(["cycle", "subject", "factor"]).any()
    assert not truth.duplicated(["subject", "target_time", "horizon", "known_at"]).any()


def test_a_model_has_rows_from_the_cycle_on_where_its_signal_is_defined(predictions: pd.DataFrame) -> None:
    rows = predictions.groupby("model_id").size()
    missing_cycles = (1669 * 20 - rows) // 20
    late = {"reversal_3y": 104, "ridge_on_factors": 52, "same_month_seasonality": 3}
    assert missing_cycles.to_dict() == {b.model_id: late.get(b.model_id, 0) for b in BASELINES}


def test_a_stock_listed_later_has_no_rows_before(history: PriceHistory) -> None:
    prices = history.prices.copy()
    prices[:3000, 0] = np.nan
    listed_later = Sp500Source(PriceHistory(history.dates, history.tickers, prices))
    early = listed_later.predictions(listed_later.cycles()[300:301])
    by_price = early[~early["model_id"].isin(["random_seeded", "constant"])]
    assert set(by_price["subject"]) == set(history.tickers[1:])
    assert set(by_price["model_id"]) == {b.model_id for b in BASELINES} - {"random_seeded", "constant"}
    assert history.tickers[0] not in set(listed_later.factors(listed_later.cycles()[300:301])["subject"])
    assert listed_later.truth()["subject"].value_counts()[history.tickers[0]] < 1668


def test_predictions_are_received_at_their_cycle_and_aim_at_the_next(
    sp500: Sp500Source, predictions: pd.DataFrame
) -> None:
    following = dict(zip(sp500.cycles(), [*sp500.cycles()[1:], datetime(2022, 12, 30)], strict=True))
    assert (predictions["received_at"] == predictions["cycle"]).all()
    assert (predictions["target_time"] == predictions["cycle"].map(following)).all()
    assert (predictions["horizon"] == 1).all()


def test_truth_is_known_at_its_target_time_and_missing_for_the_newest_cycle(sp500: Sp500Source) -> None:
    truth = sp500.truth()
    assert (truth["known_at"] == truth["target_time"]).all()
    assert (truth["horizon"] == 1).all()
    assert list(truth["target_time"].unique()) == [pd.Timestamp(cycle) for cycle in sp500.cycles()[1:]]
    assert len(truth) == 1668 * 20


def test_an_outcome_of_truth_is_the_return_from_close_to_close(sp500: Sp500Source, history: PriceHistory) -> None:
    prices = pd.DataFrame(history.prices, index=pd.DatetimeIndex(history.dates), columns=list(history.tickers))
    truth = sp500.truth().set_index(["subject", "target_time"])["value"]
    before, after = pd.Timestamp("2008-10-03"), pd.Timestamp("2008-10-10")
    for ticker in ("AAPL", "XOM"):
        expected = prices.loc[after, ticker] / prices.loc[before, ticker] - 1
        assert truth[ticker, after] == pytest.approx(expected, rel=1e-12)


def test_cycles_are_plain_midnights(sp500: Sp500Source) -> None:
    cycles = sp500.cycles()
    assert len(cycles) == 1669
    assert {type(cycle) for cycle in cycles} == {datetime}
    assert all(cycle == datetime(cycle.year, cycle.month, cycle.day) and cycle.tzinfo is None for cycle in cycles)
    assert cycles == sorted(set(cycles))


def test_models_are_described(sp500: Sp500Source) -> None:
    models = sp500.models()
    assert list(models.columns) == ["model_id", "title", "player", "version", "licence", "description"]
    assert list(models["model_id"]) == [baseline.model_id for baseline in BASELINES]
    assert set(models["player"]) == {"Podium baselines"}
    assert set(models["version"]) == {"1"}
    assert set(models["licence"]) == {"MIT"}
    for baseline, description in zip(BASELINES, models["description"], strict=True):
        assert description == f"{baseline.description} {baseline.reference}"


def test_every_stock_has_the_name_of_its_company(sp500: Sp500Source) -> None:
    subjects = sp500.subjects()
    assert list(subjects.columns) == ["subject", "title"]
    assert len(subjects) == 20
    assert (subjects["subject"] != subjects["title"]).all()


def test_an_unknown_cycle_is_refused_with_what_there_is(sp500: Sp500Source) -> None:
    with pytest.raises(ValueError, match=r"no cycle 2001-01-03T.*; there are 1669, 1991-01-04.* to 2022-12-23.*cycles"):
        sp500.predictions([datetime(2001, 1, 3)])
    with pytest.raises(ValueError, match="and 2 more; there are 1669"):
        sp500.factors([datetime(2030, 1, day) for day in range(1, 8)])


def test_too_short_a_history_has_no_cycles(history: PriceHistory) -> None:
    short = Sp500Source(PriceHistory(history.dates[:200], history.tickers, history.prices[:200]))
    assert short.cycles() == []
    assert len(short.truth()) == len(short.predictions([])) == len(short.factors([])) == 0
    with pytest.raises(ValueError, match=r"no cycle 2001-01-03.*; there are 0: take them from cycles\(\)"):
        short.predictions([datetime(2001, 1, 3)])


def test_fingerprint_and_models_need_no_prices() -> None:
    program = (
        "import sys; from pipeline.baselines.sp500 import source; "
        "source().fingerprint(); source().models(); "
        "loaded = {'skfolio', 'sklearn', 'dagster', 'duckdb'} & set(sys.modules); sys.exit(', '.join(loaded) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_fingerprint_is_the_same_for_the_same_data_and_code() -> None:
    assert Sp500Source().fingerprint() == Sp500Source().fingerprint()


def test_fingerprint_follows_the_version_of_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Sp500Source().fingerprint()
    monkeypatch.setattr("pipeline.baselines.price_source.metadata.version", lambda package: "0.0.1")
    assert Sp500Source().fingerprint() != before


def test_fingerprint_follows_the_prices_given(history: PriceHistory) -> None:
    same = PriceHistory(history.dates.copy(), history.tickers, history.prices.copy())
    other = with_other_prices_after(history, len(history.dates) - 2)
    assert Sp500Source(history).fingerprint() == Sp500Source(same).fingerprint()
    assert Sp500Source(history).fingerprint() != Sp500Source(other).fingerprint()


def test_fingerprint_follows_the_text_of_every_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Sp500Source().fingerprint()
    modules = [file for file in resources.files("pipeline.baselines").iterdir() if file.name.endswith(".py")]
    for module in modules:
        (tmp_path / module.name).write_text(module.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not code", encoding="utf-8")
    monkeypatch.setattr("pipeline.baselines.price_source.resources.files", lambda package: tmp_path)
    assert Sp500Source().fingerprint() == before
    for module in modules:
        text = (tmp_path / module.name).read_text(encoding="utf-8")
        (tmp_path / module.name).write_text(text + "# changed\n", encoding="utf-8")
        assert Sp500Source().fingerprint() != before
        (tmp_path / module.name).write_text(text, encoding="utf-8")
