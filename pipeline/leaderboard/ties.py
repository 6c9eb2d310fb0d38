"""When two numbers tie: equality to 12 significant decimal digits, as exact whole numbers."""

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.arrays import FloatArray

SIGNIFICANT_DIGITS = 12
_SMALLEST_EXPONENT = -324
_POWERS_OF_TEN = np.array([float(f"1e{exponent}") for exponent in range(_SMALLEST_EXPONENT, 309)])
_SHIFTS = SIGNIFICANT_DIGITS - 1 - np.arange(_SMALLEST_EXPONENT, 309)
# A shift can exceed 10^308, so it is taken in two steps; the second is 1 except for the very smallest decades.
_SCALE = np.array([float(f"1e{min(shift, 308)}") for shift in _SHIFTS])
_SCALE_REST = np.array([float(f"1e{max(shift - 308, 0)}") for shift in _SHIFTS])
_FIRST_MANTISSA = 10.0 ** (SIGNIFICANT_DIGITS - 1)
_MANTISSAS_PER_DECADE = 9 * _FIRST_MANTISSA


def decimal_codes(values: npt.ArrayLike) -> FloatArray:
    """Integers that order as the values and are equal where these agree to 12 significant decimal digits.

    A value is rounded half to even to a mantissa of 12 digits, and its code counts the mantissas from there
    down to zero. Equality is that of the rounded value, so it is transitive; the code never decreases with the
    value, over the whole range of doubles with subnormals; 0 and -0 have code 0 and opposite values opposite
    codes. Half-way cases are decided on the double, which is rarely the decimal that was written.

    Parameters
    ----------
    values : array-like of float
        Any shape. NaN is undefined.

    Returns
    -------
    float array
        Whole numbers below 2^53, of the same shape; NaN where the value is NaN or infinite.

    Examples
    --------
    >>> bool(decimal_codes(0.1 + 0.2) == decimal_codes(0.3))
    True
    """
    value = np.asarray(values, dtype=np.float64)
    value = np.where(np.isfinite(value), value, np.nan)
    magnitude = np.abs(value)
    decade = np.searchsorted(_POWERS_OF_TEN, magnitude, side="right") - 1
    mantissa = np.rint(magnitude * _SCALE[decade] * _SCALE_REST[decade])
    # A mantissa rounded up to 10^12 is the first of the next decade: both have the same code.
    code = decade * _MANTISSAS_PER_DECADE + (mantissa - _FIRST_MANTISSA) + 1.0
    return np.asarray(np.sign(value) * code, dtype=np.float64)
