"""What a file itself says that its measures mean: records that JSON lines have in front, and Parquet in its schema.

The other formats have no place for it that their other readers would pass over, so they leave it out.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from pipeline.leaderboard.board.leaderboard import Leaderboard
from pipeline.leaderboard.board.measures import MeasureName, MeasureSpec
from pipeline.leaderboard.formats.cells import Cells, FormatError
from pipeline.leaderboard.formats.names import FormatName

HOLD_MEANINGS = (FormatName.JSONL, FormatName.PARQUET, FormatName.PARQUET_WIDE)
"""The formats that say what measures mean."""
PARQUET_KEY = b"podium.measures"
"""Where the schema of a Parquet file has the records."""

_NAME = "measure"
_NEEDED = (_NAME, "direction")
_DTYPES: dict[str, type[float] | type[str]] = {"float": float, "str": str}
_MAY_HAVE = ("dtype", "aggregate", "weight", "default", "only_in_all", "of")


def meanings_of(board: Leaderboard, names: Collection[MeasureName]) -> list[dict[str, Any]]:
    """The records of some measures of a board, in its order; what goes without saying is left out."""
    return [_record(measure) for measure in board.spec.measures if measure.name in names]


def _record(measure: MeasureSpec) -> dict[str, Any]:
    said: dict[str, Any] = {_NAME: measure.name, "direction": str(measure.direction)}
    said |= {"aggregate": str(measure.aggregate), "default": measure.default}
    further = {
        "dtype": "str" if measure.dtype is str else None,
        "weight": measure.weight,
        "only_in_all": measure.only_in_all or None,
        "of": measure.of,
    }
    return said | {name: value for name, value in further.items() if value is not None}


def is_meaning(fields: Iterable[str]) -> bool:
    """Whether an object with these fields says what a measure means."""
    names = set(fields)
    return names.issuperset(_NEEDED) and names.issubset((*_NEEDED, *_MAY_HAVE))


def meaning(where: str, said: dict[str, Any]) -> MeasureSpec:
    """The measure of a record.

    Parameters
    ----------
    where : str
        File and line, for messages.
    said : dict
        Its fields; numbers may be texts.

    Raises
    ------
    FormatError
        If a field is missing, unknown or says what is none.
    """
    if not is_meaning(said):
        known = ", ".join((*_NEEDED, *_MAY_HAVE))
        raise FormatError(f"{where}: fields {', '.join(said) or 'none'} declare no measure; it takes {known}")
    dtype = said.get("dtype", "float")
    if dtype not in _DTYPES:
        raise FormatError(
            f"{where}: dtype {dtype!r} of measure {said[_NAME]!r} is unknown; known: {', '.join(_DTYPES)}"
        )
    given = {name: said[name] for name in ("direction", "aggregate", "default", "of") if name in said}
    try:
        if said.get("weight") is not None:
            given["weight"] = float(said["weight"])
        return MeasureSpec(said[_NAME], _DTYPES[dtype], only_in_all=bool(said.get("only_in_all", False)), **given)
    except (ValueError, TypeError) as error:
        raise FormatError(f"{where}: {error}") from None


def meanings_in_schema(path: Path, text: bytes) -> tuple[MeasureSpec, ...]:
    """The measures that the schema of a Parquet file declares.

    Raises
    ------
    FormatError
        If it is no list of records.
    """
    where = f"{path}: {PARQUET_KEY.decode()} in its schema"
    try:
        records = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{where} is no JSON: {error}") from None
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise FormatError(f"{where} is no list of objects")
    return tuple(meaning(where, one) for one in records)


def meanings_together(parts: Sequence[Cells]) -> dict[MeasureName, MeasureSpec]:
    """What files say of their measures, by name.

    Raises
    ------
    FormatError
        If two say different things of one measure, or one does; the message names both files.
    """
    found: dict[MeasureName, tuple[MeasureSpec, Path]] = {}
    for part in parts:
        for measure in part.declared:
            first, where = found.setdefault(measure.name, (measure, part.paths[0]))
            if first != measure:
                raise FormatError(
                    f"{part.paths[0]}: declares measure {measure.name!r} as {_described(measure)}, but {where} as "
                    f"{_described(first)}; make them agree"
                )
    return {name: measure for name, (measure, _) in found.items()}


def _described(measure: MeasureSpec) -> str:
    return json.dumps({name: value for name, value in _record(measure).items() if name != _NAME})
