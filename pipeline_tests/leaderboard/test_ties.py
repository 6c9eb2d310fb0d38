"""When two numbers tie: 12 significant decimal digits."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.leaderboard import decimal_codes

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TWELVE_DIGITS = Context(prec=12, rounding=ROUND_HALF_EVEN, Emin=-400, Emax=400)


def rounded(value: float) -> Decimal:
    return TWELVE_DIGITS.create_decimal(Decimal(value))


def is_near_half_way(value: float) -> bool:
    """Whether the digits after the twelfth are so near to a half that a double's error may decide."""
    exact = abs(Decimal(value))
    if exact == 0:
        return False
    tail = exact.scaleb(11 - exact.adjusted()) % 1
    return abs(tail - Decimal("0.5")) < Decimal("0.001")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0.1 + 0.2, 0.3),
        (-(0.1 + 0.2), -0.3),
        (0.0, -0.0),
        (1.0, 0.9999999999999),
        (1e12, 999999999999.9),
        (123456789012.3, 123456789012.4),
        (1e300, 1e300 * (1 + 1e-15)),
        (9.99999999999999e-290, 1e-289),
        (5e-310, 5.0000000000001e-310),
    ],
)
def test_values_equal_to_12_digits_have_one_code(one: float, other: float) -> None:
    assert decimal_codes(one) == decimal_codes(other)


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        (1.0, 1.00000000001),
        (0.999999999999, 1.0),
        (-1.00000000001, -1.0),
        (-1e-300, 1e-300),
        (0.0, 5e-324),
        (5e-324, 1e-323),
        (-5e-324, -0.0),
        (9.99999999998e307, 1e308),
        (-1.7976931348623157e308, 1.7976931348623157e308),
    ],
)
def test_values_that_differ_in_12_digits_keep_their_order(smaller: float, larger: float) -> None:
    assert decimal_codes(smaller) < decimal_codes(larger)


def test_nan_and_infinities_have_no_code() -> None:
    assert np.isnan(decimal_codes([np.nan, np.inf, -np.inf])).all()


def test_codes_keep_the_shape() -> None:
    assert decimal_codes(np.ones((2, 3))).shape == (2, 3)
    assert decimal_codes([]).shape == (0,)


@given(st.lists(FINITE, min_size=2, max_size=20))
@example([5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, -0.0])
def test_codes_are_exact_whole_numbers_that_never_fall_as_values_rise(values: list[float]) -> None:
    codes = decimal_codes(np.sort(values))
    assert (np.diff(codes) >= 0).all()
    assert (codes == np.rint(codes)).all()
    assert (np.abs(codes) < 2**53).all()


@given(FINITE, st.integers(-2000, 2000))
def test_codes_are_equal_exactly_where_decimal_rounding_is(value: float, steps: int) -> None:
    other = value + steps * 1e-13 * value
    if not np.isfinite(other) or is_near_half_way(value) or is_near_half_way(other):
        return
    assert (decimal_codes(value) == decimal_codes(other)) == (rounded(value) == rounded(other))


@given(FINITE)
def test_opposite_values_have_opposite_codes(value: float) -> None:
    assert decimal_codes(-value) == -decimal_codes(value)


def test_every_power_of_ten_starts_its_decade() -> None:
    powers = np.array([float(f"1e{exponent}") for exponent in range(-323, 309)])
    assert (np.diff(decimal_codes(powers)) > 0).all()
    normal = powers[powers > 2.3e-308]
    steps = np.diff(decimal_codes(normal))
    assert (steps == 9e11).all()
