"""What rows from files must meet, kind by kind: which are taken, as what, and why the others are not."""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from pipeline.competition import Contract
from pipeline.competition.intake import factor_rows, prediction_rows, registration_rows, truth_rows
from pipeline.competition.truth import ANY_HORIZON
from pipeline_tests.toy_contest import declaration

CYCLE = pd.Timestamp("2024-01-05")
DAY = pd.Timedelta(1, "D")
NOW = datetime(2024, 1, 5, 12)


def contract(**parts: Any) -> Contract:
    """A contest whose files arrive in the inbox."""
    files = {"predictions": {"source": "inbox", "deadline": "12h"}, "truth": {"source": "inbox"}}
    files["factors"] = {"source": "inbox"}
    return Contract.model_validate(declaration(**{"horizon_length": "7d", **files, **parts}))


def predictions(*rows: dict[str, Any]) -> pd.DataFrame:
    """Typed rows as landing gives them, numbered 1, 2, ..."""
    given = {"model_id": "m", "cycle": CYCLE, "horizon": 1, "subject": "a", "value": 1.0}
    frame = pd.DataFrame([given | {"target_time": pd.NaT, "received_at": pd.NaT} | row for row in rows])
    return typed(frame, ("cycle", "target_time", "received_at"))


def truth(*rows: dict[str, Any]) -> pd.DataFrame:
    given = {"subject": "a", "target_time": pd.NaT, "cycle": pd.NaT, "horizon": None, "known_at": pd.NaT, "value": 1.0}
    return typed(pd.DataFrame([given | row for row in rows]), ("cycle", "target_time", "known_at"))


def typed(frame: pd.DataFrame, times: tuple[str, ...]) -> pd.DataFrame:
    frame = frame.astype({name: "datetime64[us]" for name in times} | {"horizon": "Int64"})
    return frame.set_axis(range(1, len(frame) + 1))


def judged(rows: pd.DataFrame, **more: Any) -> tuple[pd.DataFrame, dict[int, str]]:
    given = {"contract": contract(), "models": None, "subjects": None, "received_at": NOW} | more
    stored, reasons = prediction_rows(rows, **given)
    return stored, reasons.to_dict()


def test_the_target_time_follows_from_cycle_and_horizon() -> None:
    stored, reasons = judged(predictions({}, {"horizon": 0}, {"horizon": 4}))

    assert not reasons
    assert stored["row_number"].tolist() == [1, 2, 3]
    assert stored["target_time"].tolist() == [CYCLE + 7 * DAY, CYCLE, CYCLE + 28 * DAY]


def test_a_target_time_that_does_not_follow_is_refused() -> None:
    given = predictions({"target_time": CYCLE + 7 * DAY}, {"target_time": CYCLE + 8 * DAY})

    assert judged(given)[1] == {
        2: "target_time is not cycle + horizon x horizon_length; correct it or leave the column out"
    }


def test_without_a_length_of_horizons_files_give_the_target_time() -> None:
    given = predictions({"target_time": CYCLE + 3 * DAY}, {}, {"target_time": CYCLE - DAY})
    stored, reasons = judged(given, contract=contract(horizon_length=None, models={"registration": "closed"}))

    assert stored["target_time"].tolist() == [CYCLE + 3 * DAY]
    assert reasons[2].startswith("target_time is missing; give it, or declare horizon_length")
    assert reasons[3] == "target_time is before its cycle"


@pytest.mark.parametrize("horizon", [-1, 10_000, 2_147_483_647])
def test_a_horizon_before_the_cycle_or_beyond_all_time_is_refused(horizon: int) -> None:
    (reason,) = judged(predictions({"horizon": horizon}))[1].values()

    assert reason == "horizon is below 0" or reason.startswith("horizon is too large")


def test_only_the_registered_take_part_when_registration_is_closed() -> None:
    given = predictions({}, {"model_id": "x'y"}, {"subject": "b"})
    stored, reasons = judged(given, models=frozenset("m"), subjects=frozenset("a"))

    assert stored["row_number"].tolist() == [1]
    assert reasons == {
        2: 'model "x\'y" is not registered; land it first, in a file for models (column model_id)',
        3: "subject 'b' is not registered; land it first, in a file for subjects (column subject)",
    }


@pytest.mark.parametrize(("late_by", "is_late"), [(-1, False), (0, False), (1, True)])
def test_what_arrives_after_the_deadline_is_taken_and_flagged(late_by: int, is_late: bool) -> None:
    arrived = (CYCLE + DAY / 2).to_pydatetime() + timedelta(microseconds=late_by)
    given = predictions({"received_at": pd.Timestamp("2000-01-01")})
    stored, reasons = judged(given, received_at=arrived)

    assert not reasons
    assert stored["is_late"].tolist() == [is_late]
    assert stored["received_at"].tolist() == [pd.Timestamp(arrived)]


def test_a_trusted_file_is_judged_by_its_own_times() -> None:
    trusted = contract(predictions={"source": "inbox", "deadline": "12h", "trusted": True})
    stored, _ = judged(predictions({"received_at": CYCLE + DAY}, {"received_at": CYCLE}, {}), contract=trusted)

    assert stored["is_late"].tolist() == [True, False, False]
    assert stored["received_at"].tolist() == [CYCLE + DAY, CYCLE, CYCLE + DAY / 2]


def test_an_outcome_is_of_a_cycle_and_horizon_or_of_a_time() -> None:
    given = truth(
        {"cycle": CYCLE},
        {"cycle": CYCLE, "horizon": 2},
        {"target_time": CYCLE},
        {"target_time": CYCLE, "horizon": 3},
        {"target_time": CYCLE, "horizon": -1},
    )
    later = NOW + 14 * DAY
    stored, reasons = truth_rows(given, later, contract())

    assert reasons.empty
    assert stored["target_time"].tolist() == [CYCLE + 7 * DAY, CYCLE + 14 * DAY, CYCLE, CYCLE, CYCLE]
    assert stored["horizon"].tolist() == [1, 2, ANY_HORIZON, 3, ANY_HORIZON]
    assert (stored["received_at"] == later).all()


def test_an_outcome_of_the_future_is_refused_give_or_take_a_day() -> None:
    given = truth({"target_time": NOW + DAY}, {"target_time": NOW + DAY + timedelta(seconds=1)})
    stored, reasons = truth_rows(given, NOW, contract())
    assert stored["row_number"].tolist() == [1]
    assert reasons[2] == "it lies in the future, where no outcome is known yet: correct its target_time"
    known = truth({"target_time": NOW, "known_at": NOW + 2 * DAY}, {"target_time": NOW + 9 * DAY, "known_at": NOW})
    by_column = contract(truth={"source": "inbox", "known_at": "column"})
    stored, reasons = truth_rows(known, NOW, by_column)
    assert stored["row_number"].tolist() == [2]
    assert reasons[1] == "it lies in the future, where no outcome is known yet: correct its known_at"


def test_an_outcome_of_no_time_is_refused() -> None:
    given = truth({}, {"cycle": CYCLE, "horizon": 1_000_000}, {"target_time": CYCLE, "horizon": -2})

    reasons = truth_rows(given, NOW, contract())[1]
    assert reasons[1].startswith("target_time is missing")
    assert reasons[2].startswith("horizon is too large")
    assert reasons[3] == "horizon is below 0"


def test_an_outcome_must_say_when_it_was_known_where_the_contract_asks() -> None:
    given = truth({"target_time": CYCLE}, {"target_time": CYCLE, "known_at": CYCLE})
    by_column = contract(truth={"source": "inbox", "known_at": "column"})

    assert truth_rows(given, NOW, by_column)[1].to_dict() == {1: "known_at is missing, and truth.known_at is 'column'"}


def test_factors_are_a_row_each_whether_the_file_is_long_or_wide() -> None:
    wide = pd.DataFrame(
        {"cycle": [CYCLE, CYCLE], "subject": ["a", "b"], "beta": [1.0, None], "size": [2.0, None]}, index=[1, 2]
    )
    long = pd.DataFrame(
        {
            "cycle": [CYCLE] * 3,
            "subject": ["a", "a", "b"],
            "factor": ["beta", "size", "beta"],
            "value": [1.0, 2.0, None],
        },
        index=[1, 2, 3],
    )
    columns = ["subject", "factor", "value"]
    declared = contract(factors={"source": "inbox", "values": ["beta", "size"]})
    from_wide, from_long = factor_rows(wide, NOW, declared)[0], factor_rows(long, NOW, contract())[0]

    assert from_wide[columns].to_numpy().tolist() == [["a", "beta", 1.0], ["a", "size", 2.0]]
    assert from_long[columns].to_numpy().tolist() == from_wide[columns].to_numpy().tolist()
    assert from_wide["row_number"].tolist() == [1, 1]


def test_every_registration_is_taken() -> None:
    stored, reasons = registration_rows(pd.DataFrame({"model_id": ["m"]}, index=[4]), NOW)

    assert stored.to_dict("records") == [{"row_number": 4, "model_id": "m", "received_at": pd.Timestamp(NOW)}]
    assert reasons.empty


VIRTUAL = "model_id begins with __ensemble_, which is kept for ensembles: choose another name"


@pytest.mark.parametrize("models", [None, frozenset({"m", "__ensemble_main__"})])
def test_predictions_of_a_model_called_like_an_ensemble_are_refused(models: frozenset[str] | None) -> None:
    given = predictions({}, {"model_id": "__ensemble_main__"}, {"model_id": "__ensemble_"})
    stored, reasons = judged(given.loc[[1, 2, 3]], models=models)

    assert stored["row_number"].tolist() == [1]
    assert reasons == {2: VIRTUAL, 3: VIRTUAL}


def test_other_names_with_the_word_in_them_are_taken() -> None:
    given = predictions(*({"model_id": name} for name in ("my__ensemble_main__", "_ensemble_x", "ensemble")))

    assert not judged(given)[1]


def test_a_model_called_like_an_ensemble_is_not_registered_but_a_subject_may_be() -> None:
    models = pd.DataFrame({"model_id": ["m", "__ensemble_top5__"]}, index=[1, 2])
    stored, reasons = registration_rows(models, NOW)

    assert stored["model_id"].tolist() == ["m"]
    assert reasons.to_dict() == {2: VIRTUAL}
    assert registration_rows(models.rename(columns={"model_id": "subject"}), NOW)[1].empty
