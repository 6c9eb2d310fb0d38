"""What a competition's inbox holds: which folders it has, and how the files in each are read."""

from collections.abc import Callable
from functools import partial

from pipeline.competition import Contract
from pipeline.competition.intake import (
    FIRST_HORIZON,
    FORECAST,
    factor_rows,
    prediction_rows,
    registration_rows,
    truth_rows,
    whole_forecasts,
)
from pipeline.intake.known import Known
from pipeline.landing import RENAME, Agreement, FileField, Intake, Together
from pipeline.tables import (
    FACTOR_ROWS,
    MODEL_ROWS,
    PREDICTION_ROWS,
    SUBJECT_ROWS,
    TRUTH_ROWS,
)

_LISTED = "`factors.values` lists columns that every file has: correct their names there or in the file, or unlist them"
_LONG = f"list the columns that are one factor each under `factors.values`; or {RENAME}"

IntakeOf = Callable[[Contract, Known], Intake]


def folders(contract: Contract) -> dict[str, tuple[IntakeOf, ...]]:
    """The folders of a competition's inbox, registrations first, and what is read from the files in each."""
    intakes: dict[str, IntakeOf] = {
        "models": _models,
        "subjects": _subjects,
        "factors": _factors,
        "predictions": predictions_intake,
        "truth": _truth,
    }
    return {folder: tuple(intakes[kind] for kind in kinds) for folder, kinds in contract.folders.items()}


def predictions_intake(contract: Contract, known: Known) -> Intake:
    """How files of predictions are read, also where a board takes none."""
    called = partial(_field, contract.predictions.columns)
    models = known.registered(MODEL_ROWS, "model_id") if contract.models.registration == "closed" else None
    subjects = known.registered(SUBJECT_ROWS, "subject") if contract.subjects.registration == "closed" else None
    agreement = None
    if contract.horizon_length is None:
        agreement = Agreement(("cycle", "horizon"), "target_time", known.target_times())
    output = contract.output
    of_distributions = (
        called("output_type_id", "LABEL"),
        called("output_type", "VARCHAR", required=False, nullable=True),
    )
    return Intake(
        kind="predictions",
        table=PREDICTION_ROWS,
        fields=(
            called("model_id", "VARCHAR"),
            called("cycle", "TIMESTAMP"),
            called("horizon", "INTEGER", required=False, default=FIRST_HORIZON),
            called("subject", "VARCHAR"),
            called("target_time", "TIMESTAMP", required=contract.horizon_length is None, nullable=True),
            called("value", "DOUBLE"),
            called("received_at", "TIMESTAMP", required=False, nullable=True),
            *(of_distributions if output.is_distribution else ()),
        ),
        rules=partial(prediction_rows, contract=contract, models=models, subjects=subjects),
        unique=(*FORECAST, "output_type_id") if output.is_distribution else tuple(FORECAST),
        replaces=("model_id", "cycle"),
        agreement=agreement,
        together=Together(tuple(FORECAST), partial(whole_forecasts, output=output)) if output.ids else None,
        constant={} if output.is_distribution else {"output_type_id": ""},
    )


def _truth(contract: Contract, known: Known) -> Intake:  # noqa: ARG001  (the signature of all)
    called = partial(_field, contract.truth.columns)
    return Intake(
        kind="truth",
        table=TRUTH_ROWS,
        fields=(
            called("subject", "VARCHAR"),
            called("target_time", "TIMESTAMP", required=contract.horizon_length is None, nullable=True),
            called("cycle", "TIMESTAMP", required=False, nullable=True),
            called("horizon", "INTEGER", required=False, nullable=True),
            called("known_at", "TIMESTAMP", required=contract.truth.known_at == "column", nullable=True),
            called("value", "DOUBLE", nullable=True),
        ),
        rules=partial(truth_rows, contract=contract),
        unique=("subject", "target_time", "horizon", "known_at"),
        replaces=() if contract.truth.known_at == "column" else ("subject", "target_time", "horizon"),
        once=True,
    )


def _factors(contract: Contract, known: Known) -> Intake:  # noqa: ARG001  (the signature of all)
    declared = contract.factors
    called = partial(_field, declared.columns if declared else {})
    wide = declared.values if declared else ()
    values = tuple(called(name, "DOUBLE", nullable=True, remedy=_LISTED) for name in wide)
    values = values or (
        called("factor", "VARCHAR", remedy=_LONG),
        called("value", "DOUBLE", nullable=True, remedy=_LONG),
    )
    return Intake(
        kind="factors",
        table=FACTOR_ROWS,
        fields=(
            called("cycle", "TIMESTAMP"),
            called("subject", "VARCHAR"),
            *values,
        ),
        rules=partial(factor_rows, contract=contract),
        unique=("cycle", "subject", "factor"),
        replaces=("cycle", "subject", "factor"),
        once=True,
    )


def _models(contract: Contract, known: Known) -> Intake:  # noqa: ARG001  (the signature of all)
    called = partial(_field, contract.models.columns, required=False, nullable=True)
    return Intake(
        kind="models",
        table=MODEL_ROWS,
        fields=(
            called("model_id", "VARCHAR", required=True, nullable=False),
            called("designated", "BOOLEAN"),
            *(called(name, "VARCHAR") for name in ("title", "player", "version", "licence", "description")),
        ),
        rules=registration_rows,
        unique=("model_id",),
        replaces=("model_id",),
        once=True,
    )


def _subjects(contract: Contract, known: Known) -> Intake:  # noqa: ARG001  (the signature of all)
    called = partial(_field, contract.subjects.columns)
    return Intake(
        kind="subjects",
        table=SUBJECT_ROWS,
        fields=(called("subject", "VARCHAR"), called("title", "VARCHAR", required=False, nullable=True)),
        rules=registration_rows,
        unique=("subject",),
        replaces=("subject",),
        once=True,
    )


def _field(
    columns: dict[str, str],
    name: str,
    type: str,
    *,
    required: bool = True,
    nullable: bool = False,
    default: object = None,
    remedy: str = RENAME,
) -> FileField:
    return FileField(name, type, columns.get(name, name), required, nullable, default, remedy)
