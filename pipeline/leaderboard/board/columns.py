"""One measure's values over the rows of a board, with the text that they were read as where that says more."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.arrays import BoolArray, FloatArray, IntArray, TextArray
from pipeline.leaderboard.board.measures import MeasureSpec, Value

_NO_TEXTS = np.empty(0, dtype=object)
_UNPRINTED = -1
_DECIMAL = re.compile(r"[+-]?\d*(?:\.(\d*))?", re.ASCII)

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Coded:
    """Texts of rows, each distinct one kept once.

    Parameters
    ----------
    codes : int array
        Place in ``texts``, shape (rows,); -1 is none.
    texts : object array of str
        Shape (distinct,).
    """

    codes: Codes
    texts: TextArray

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> "Coded":
        """Texts by row, coded in the order of their first appearance."""
        places: dict[str, int] = {text: at for at, text in enumerate(dict.fromkeys(t for t in texts if t is not None))}
        codes = np.fromiter((-1 if t is None else places[t] for t in texts), dtype=np.int32, count=len(texts))
        return cls(codes, _objects([*places]))

    def take(self, rows: IntArray | BoolArray) -> "Coded":
        """Some of the rows."""
        return Coded(self.codes[rows], self.texts)

    def compacted(self) -> "Coded":
        """The same with only the texts that a row has, in their order."""
        found, codes = np.unique(self.codes, return_inverse=True)
        n_none = int(len(found) > 0 and found[0] == _UNPRINTED)
        return Coded((codes - n_none).astype(np.int32), self.texts[found[n_none:]])

    def decoded(self) -> TextArray:
        """The text of every row, None where there is none."""
        return _objects([*self.texts, None])[self.codes]


@dataclass(frozen=True, eq=False)
class Column:
    """The values of one measure.

    Parameters
    ----------
    values : array
        Shape (rows,): floats with NaN, or texts with None, where absent.
    printed : Coded, optional
        How numbers were written where they were read: ``0.1000``. None for texts, and if all of them are written as
        Python writes them and not to a fixed number of decimals; a code of -1 marks a number that was computed.
    """

    values: FloatArray | TextArray
    printed: Coded | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def is_text(self) -> bool:
        """Whether the values are texts."""
        return self.values.dtype == object

    @property
    def numbers(self) -> FloatArray:
        """The values of a measure that is a number."""
        return np.asarray(self.values, dtype=np.float64)

    @property
    def strings(self) -> TextArray:
        """The values of a measure that is text."""
        return np.asarray(self.values, dtype=object)

    @property
    def present(self) -> BoolArray:
        """Where there is a value, shape (rows,)."""
        if self.is_text:
            return np.array([value is not None for value in self.values], dtype=bool)
        return ~np.isnan(self.values)

    def take(self, rows: IntArray | BoolArray) -> "Column":
        """Some of the rows."""
        return Column(self.values[rows], None if self.printed is None else self.printed.take(rows))

    def value(self, row: int) -> Value | None:
        """One value; None where absent."""
        value = self.values[row]
        if self.is_text:
            return None if value is None else str(value)
        return None if np.isnan(value) else float(value)

    def texts(self) -> TextArray:
        """Every value as text, None where absent: as it was read, and what was computed as Python writes it."""
        if self.is_text:
            return self.strings
        texts = np.full(len(self), None, dtype=object)
        was_read = np.zeros(len(self), dtype=bool)
        if self.printed is not None:
            was_read = self.printed.codes != _UNPRINTED
            texts[was_read] = self.printed.texts[self.printed.codes[was_read]]
        others = self.present & ~was_read
        texts[others] = [repr(value) for value in self.values[others].tolist()]
        return texts

    def texts_alike(self) -> TextArray:
        """The same, with what was computed rounded to the decimals of what was read, where these are all alike.

        One decimal is what Python writes of whole numbers, so it rounds nothing; and neither do whole numbers.
        """
        texts = self.texts()
        places = None if self.printed is None else fixed_decimals(self.printed.texts)
        if self.printed is None or places is None or places == 1:
            return texts
        computed = self.present & (self.printed.codes == _UNPRINTED)
        numbers = self.numbers[computed].tolist()
        if places or all(number.is_integer() for number in numbers):
            texts[computed] = [f"{number:.{places}f}" for number in numbers]
        return texts


def cast_column(measure: MeasureSpec, given: Coded | npt.ArrayLike) -> Column:
    """Cast the values of a measure, all at once, as :meth:`MeasureSpec.cast` does one by one.

    Raises
    ------
    ValueError
        If one of them cannot be cast.
    """
    if isinstance(given, Coded):
        return _cast_texts(measure, given)
    values = np.asarray(given)
    if measure.dtype is float and values.dtype.kind in "fiub":
        numbers = values.astype(np.float64)
        if np.isinf(numbers).any():
            measure.cast(numbers[np.isinf(numbers)][0])
        return Column(numbers)
    objects = list(given) if isinstance(given, (list, tuple)) else values.tolist()
    if measure.dtype is float and any(isinstance(value, str) for value in objects):
        return _cast_texts(measure, Coded.of([_as_text(value) for value in objects]))
    return Column(_array(measure, [measure.cast(value) for value in objects]))


def recast(measure: MeasureSpec, column: Column | None, n: int) -> Column:
    """A column of another board in the dtype of this one's measure; absent where that board has none."""
    if column is None:
        return absent(measure, n)
    if column.is_text == (measure.dtype is str):
        return column
    return cast_column(measure, Coded.of(column.texts().tolist()))


def joined(columns: Sequence[Column]) -> Column:
    """Columns of one measure, one below the other."""
    values = (
        np.concatenate([one.strings for one in columns])
        if columns[0].is_text
        else np.concatenate([one.numbers for one in columns])
    )
    if all(column.printed is None for column in columns):
        return Column(values)
    texts: list[TextArray] = []
    codes: list[Codes] = []
    before = 0
    for column in columns:
        printed = column.printed or Coded(np.full(len(column), _UNPRINTED, dtype=np.int32), _NO_TEXTS)
        codes.append(np.where(printed.codes == _UNPRINTED, _UNPRINTED, printed.codes + before).astype(np.int32))
        texts.append(printed.texts)
        before += len(printed.texts)
    return Column(values, Coded(np.concatenate(codes), np.concatenate(texts)))


def absent(measure: MeasureSpec, n: int) -> Column:
    """A column without a value."""
    return Column(_array(measure, [None] * n) if measure.dtype is str else np.full(n, np.nan))


def constant(measure: MeasureSpec, value: Value | None, n: int) -> Column:
    """A column of one value."""
    return Column(_array(measure, [value] * n))


def fixed_decimals(texts: Iterable[str]) -> int | None:
    """To how many decimals numbers are written, if all are written to as many."""
    found = {decimals(text) for text in texts}
    return found.pop() if len(found) == 1 else None


def decimals(text: str) -> int | None:
    """The digits after the point; None if it is no plain decimal number."""
    match = _DECIMAL.fullmatch(text)
    return None if match is None else len(match[1] or "")


def _cast_texts(measure: MeasureSpec, given: Coded) -> Column:
    cast = [measure.cast(text) for text in given.texts]
    values = _array(measure, [*cast, None])[given.codes]
    if measure.dtype is str:
        return Column(values)
    as_python = all(value is not None and text == repr(value) for text, value in zip(given.texts, cast, strict=True))
    # Four decimals that happen to be what Python writes are still four decimals.
    return Column(values, None if as_python and fixed_decimals(given.texts) is None else given)


def _as_text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else repr(float(value))  # type: ignore[arg-type]


def _array(measure: MeasureSpec, values: Sequence[Value | None]) -> FloatArray | TextArray:
    """Values as an array of the measure's kind, absent ones as it has them."""
    if measure.dtype is str:
        return _objects(values)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _objects(values: Sequence[object]) -> TextArray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
