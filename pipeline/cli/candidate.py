"""What a backtest is of: the rows of a submission file, or a Python function that is asked cycle by cycle."""

import contextlib
import importlib
import importlib.util
import sys
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pandas as pd

from pipeline.cli.errors import InputError
from pipeline.cli.judging import require_file
from pipeline.clock import utc_now
from pipeline.competition import Contract
from pipeline.competition.backtest import BoardRows, Model, predict
from pipeline.competition.declaration import INBOX
from pipeline.intake import PublishedKnown, predictions_intake
from pipeline.landing import Intake, Verdict, check_file
from pipeline.landing.staging import STAGED
from pipeline.tables import MODEL_ROWS
from pipeline.warehouse import compose, connect_in_memory

_SECTION = ["cycle", "horizon"]


@dataclass(frozen=True)
class Candidate:
    """Predictions to test.

    Parameters
    ----------
    predictions : DataFrame
        Of one model.
    verdict : Verdict or None
        What was taken of the file they are from, and why the rest was not.
    notes : tuple of str
        What was left out besides.
    """

    predictions: pd.DataFrame
    verdict: Verdict | None = None
    notes: tuple[str, ...] = ()


def split_callable(text: str) -> tuple[str, str] | None:
    """Module and function of ``module:function``; None for what is the path of a file.

    Raises
    ------
    InputError
        If it is a Python file, without a function.
    """
    module, colon, function = text.rpartition(":")
    if Path(text).suffix == ".py" and not Path(text).is_dir():
        raise InputError(f"{text!r} is Python; name the function in it that predicts: {text}:predict")
    return (module, function) if colon and module and function.isidentifier() and not Path(text).exists() else None


def from_callable(
    module: str, function: str, model_id: str | None, board: BoardRows, contract: Contract, first: Any, last: Any
) -> Candidate:
    """The predictions of a function, walked forward; what it prints goes to standard error.

    Raises
    ------
    InputError
        If there is no such function.
    BacktestError
        If it fails, or gives what is no prediction.
    """
    with contextlib.redirect_stdout(sys.stderr):
        model = _function(module, function)
        called = Path(module).stem if module.endswith(".py") else module.rpartition(".")[2]
        return Candidate(predict(model, model_id or called, board, contract, first, last))


def from_file(
    path: Path,
    model_id: str | None,
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    first: datetime | None,
    last: datetime | None,
) -> Candidate:
    """The rows that the board would take of a file, as if they had come in time.

    Raises
    ------
    InputError
        If there is no such file, nothing in it can be taken, or it is of several models and none is named.
    """
    require_file(path)
    known = PublishedKnown(connection, contract.name)
    with connect_in_memory() as scratch:
        verdict = check_file(scratch, path, _intake(contract, known), utc_now())
        if verdict.unreadable is not None:
            raise InputError(f"{str(path)!r} cannot be read: {verdict.unreadable}")
        rows = scratch.execute(compose("SELECT * FROM {rows} ORDER BY row_number", rows=STAGED)).df()
    if rows.empty:
        reason = f", such as: {verdict.reasons[0][0]}" if verdict.reasons else ""
        raise InputError(f"no row of {str(path)!r} would be taken ({verdict.n_rows:,} rows{reason})")
    rows, late = _in_time(_of_model(rows, model_id, path), contract)
    if rows.empty:
        raise InputError(f"every row of {str(path)!r} came after its deadline by its received_at; none would count")
    rows = _in_range(rows, first, last, path)
    return Candidate(rows, verdict, (*late, *_unregistered(rows, contract, known)))


def _intake(contract: Contract, known: PublishedKnown) -> Intake:
    """How the file is read: as one for the inbox, but that nobody needs to be registered yet."""
    anybody = contract.models.model_copy(update={"registration": "open"})
    opened = contract.model_copy(update={"models": anybody})
    intake = predictions_intake(opened, known)
    if contract.predictions.source == INBOX or contract.horizon_length is not None:
        return intake
    # Of a board that takes no files nobody was told to give target times; its own are known.
    fields = tuple(replace(one, required=one.required and one.name != "target_time") for one in intake.fields)
    return replace(intake, fields=fields, rules=partial(_rows_with_target_times, known.target_times(), intake))


def _rows_with_target_times(
    times: pd.DataFrame, intake: Intake, rows: pd.DataFrame, received_at: datetime
) -> tuple[pd.DataFrame, "pd.Series[str]"]:
    """Judge rows by the intake's own rules, with the board's target times where they have none."""
    of_board = rows[_SECTION].merge(times, on=_SECTION, how="left")["target_time"].set_axis(rows.index)
    return intake.rules(rows.assign(target_time=rows["target_time"].fillna(of_board)), received_at)


def _of_model(rows: pd.DataFrame, model_id: str | None, path: Path) -> pd.DataFrame:
    models = sorted(rows["model_id"].unique())
    if model_id is None and len(models) > 1:
        raise InputError(f"{str(path)!r} has rows of {len(models)} models: {', '.join(models)}; name one: --model")
    if model_id is not None and model_id not in models:
        raise InputError(f"{str(path)!r} has no rows of model {model_id!r}; it has: {', '.join(models)}")
    return rows[rows["model_id"] == (model_id or models[0])].reset_index(drop=True)


def _in_time(rows: pd.DataFrame, contract: Contract) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rows without those that are late by what they say themselves; others are taken to come in time."""
    late = rows["is_late"].astype(bool) & contract.predictions.trusted
    notes = (f"{int(late.sum()):,} of {len(rows):,} rows are late by their received_at and left out.",)
    return rows[~late].reset_index(drop=True), notes if late.any() else ()


def _in_range(rows: pd.DataFrame, first: datetime | None, last: datetime | None, path: Path) -> pd.DataFrame:
    kept = rows
    if first is not None:
        kept = kept[kept["cycle"] >= first]
    if last is not None:
        kept = kept[kept["cycle"] <= last]
    if kept.empty:
        begin, end = rows["cycle"].min(), rows["cycle"].max()
        raise InputError(f"{str(path)!r} has no cycle from --from to --to; it has {begin:%Y-%m-%d} to {end:%Y-%m-%d}")
    return kept.reset_index(drop=True)


def _unregistered(rows: pd.DataFrame, contract: Contract, known: PublishedKnown) -> tuple[str, ...]:
    model_id = str(rows["model_id"].iloc[0])
    if contract.models.registration == "open" or model_id in known.registered(MODEL_ROWS, "model_id"):
        return ()
    return (f"Model {model_id!r} is not registered: the board would refuse its predictions until it is.",)


def _function(module: str, function: str) -> Model:
    """The function of a Python file or of a module, which may import what is beside it.

    Raises
    ------
    InputError
        If there is none, or its module fails.
    """
    loaded = _module(module)
    found = getattr(loaded, function, None)
    if callable(found):
        model: Model = found
        return model
    own = [
        name
        for name, one in vars(loaded).items()
        if callable(one) and getattr(one, "__module__", "") == loaded.__name__
    ]
    what = "has no function" if found is None else "has something that is no function, called"
    raise InputError(f"{module!r} {what} {function!r}; it has: {', '.join(own) or 'none'}")


def _module(module: str) -> ModuleType:
    path = Path(module)
    is_file = path.suffix == ".py"
    if is_file:
        require_file(path)
    sys.path.append(str(path.resolve().parent if is_file else Path.cwd()))  # last: it hides nothing installed
    try:
        return _from_path(path) if is_file else importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise InputError(f"{module!r} cannot be imported: {type(error).__name__}: {error}") from error


def _from_path(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"podium_model_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded  # dataclasses look their module up
    spec.loader.exec_module(loaded)
    return loaded
