"""Ranking: the one function that orders the contestants of every board, of every kind.

Ties, places, the order of display and changes of rank live here. How a key's value comes about does not, and
neither does its uncertainty: see ``influence`` and ``intervals``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.arrays import BoolArray, FloatArray, IntArray, Reasons, TextArray, refuse_duplicates, sized
from pipeline.leaderboard.keys import RankBy, RankingKey, WeightedKey
from pipeline.leaderboard.ties import decimal_codes

RANKED = "ranked"
UNDEFINED_KEY = "undefined_key"


@dataclass(frozen=True, eq=False)
class Ranking:
    """A ranked board, as arrays of shape (contestants,) in the order of the input.

    Parameters
    ----------
    position : int array
        Place in the order of display, 1 to n, each once: ranked contestants by rank, those that tie by id, then
        the unranked by id, virtual or not.
    rank : int array
        Competition rank (1, 1, 3) among real contestants; virtual ones take no place. 0 is none: unranked or virtual.
    rank_with_ensembles : int array
        Competition rank among all; 0 is none: unranked.
    status : object array of str
        ``ranked`` or ``unranked: <reason>``.
    key : float array
        The primary key's value, the sum when it is weighted; NaN where undefined.
    """

    position: IntArray
    rank: IntArray
    rank_with_ensembles: IntArray
    status: TextArray
    key: FloatArray

    @property
    def order(self) -> IntArray:
        """Indices of the input in the order of display, so that ``contestants[order]`` is the board from the top."""
        return np.argsort(self.position)


def rank_contestants(
    contestants: Sequence[str] | TextArray,
    columns: Mapping[str, npt.ArrayLike],
    by: RankBy,
    *,
    virtual: npt.ArrayLike | None = None,
    ineligible: Reasons | None = None,
    undefined: Mapping[str, Reasons] | None = None,
) -> Ranking:
    """Rank contestants by a primary key and tie-breakers.

    Two values tie when they are equal to 12 significant digits (:func:`pipeline.leaderboard.ties.decimal_codes`);
    contestants that tie on every key share a rank, and the next rank counts them all: 1, 1, 3. NaN and infinities
    are undefined: last within a tie-breaker, whichever its direction, and unranked within the primary key. Who is
    not ranked takes no place, so leaving such contestants out changes no rank.

    Parameters
    ----------
    contestants : sequence of str
        Their ids, each once.
    columns : mapping of str to array-like
        For each key its values, shape (contestants,), NaN for NULL. Further columns are ignored.
    by : RankBy
        What to rank by.
    virtual : array-like of bool, optional
        Which contestants are virtual (ensembles), shape (contestants,); by default none.
    ineligible : sequence of str or None, optional
        Why a contestant is not eligible, such as ``low_coverage``; None where it is.
        :func:`pipeline.leaderboard.eligibility.eligibility` gives them.
    undefined : mapping of str to sequence of str or None, optional
        Per column, why its value is undefined, such as ``constant_input``; used for the primary key, where the
        first part with a reason gives it. Without one the reason is ``undefined_key``.

    Returns
    -------
    Ranking
        Arrays in the order of ``contestants``.

    Raises
    ------
    ValueError
        If an id occurs twice, a key has no column, or a length differs from the number of contestants.

    Examples
    --------
    >>> from pipeline.leaderboard import Direction
    >>> by = RankBy(RankingKey("ic"), (RankingKey("loss", Direction.ASC),))
    >>> ranking = rank_contestants(["a", "b", "c"], {"ic": [0.1, 0.2, 0.1], "loss": [3.0, 1.0, 2.0]}, by)
    >>> ranking.rank.tolist()
    [3, 1, 2]
    """
    ids = list(contestants)
    refuse_duplicates(ids, "contestant", "rank each once per board")
    n = len(ids)
    values = _key_values(columns, by, n)
    is_virtual = np.zeros(n, dtype=bool) if virtual is None else sized("virtual", np.asarray(virtual, dtype=bool), n)
    is_ranked = ~np.isnan(values[0])
    if ineligible is not None:
        is_ranked &= np.array([reason is None for reason in sized("ineligible", ineligible, n)], dtype=bool)

    codes = decimal_codes(values) * by.signs
    codes[np.isnan(codes)] = np.inf
    codes[:, ~is_ranked] = np.inf
    alphabetical = np.empty(n)
    alphabetical[sorted(range(n), key=ids.__getitem__)] = np.arange(n)
    order = np.lexsort((alphabetical, *codes[::-1]))

    position = np.empty(n, dtype=np.int64)
    position[order] = np.arange(1, n + 1)
    rank, rank_with_ensembles = _places(codes, is_virtual, order[: np.count_nonzero(is_ranked)])
    status = np.full(n, RANKED, dtype=object)
    if not is_ranked.all():
        reasons = _reasons(columns, by.primary, n, ineligible, undefined)
        status[~is_ranked] = [f"unranked: {reason}" for reason in reasons[~is_ranked]]
    return Ranking(position, rank, rank_with_ensembles, status, values[0])


def rank_change(rank_now: npt.ArrayLike, rank_before: npt.ArrayLike) -> FloatArray:
    """Places gained (+) or lost (-) since an earlier board.

    Parameters
    ----------
    rank_now, rank_before : array-like of int
        Ranks of the same contestants, shape (contestants,); 0 (or NaN) is none.

    Returns
    -------
    float array
        ``rank_before - rank_now``; NaN where either is none. 0 is a rank held, so none cannot be 0 here.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> rank_change([1, 2, 3, 4], [2, 1, 3, 0]).tolist()
    [1.0, -1.0, 0.0, nan]
    """
    now = np.asarray(rank_now, dtype=np.float64)
    before = np.asarray(rank_before, dtype=np.float64)
    if now.shape != before.shape:
        raise ValueError(
            f"ranks of shape {now.shape} now and {before.shape} before; "
            f"align both on the same contestants, with 0 for one that has no rank"
        )
    return np.where((now > 0) & (before > 0), before - now, np.nan)


def _key_values(columns: Mapping[str, npt.ArrayLike], by: RankBy, n: int) -> FloatArray:
    """Values of every key, primary first, shape (keys, contestants); NaN where undefined or not finite."""
    values = np.empty((len(by.keys), n))
    for row, key in enumerate(by.keys):
        if isinstance(key, WeightedKey):
            values[row] = _weighted_sum(columns, key, n)
        else:
            values[row] = _column(columns, key.name, n)
    return np.where(np.isfinite(values), values, np.nan)


def _weighted_sum(columns: Mapping[str, npt.ArrayLike], key: WeightedKey, n: int) -> FloatArray:
    total = np.zeros(n)
    # An overflow or an infinite part is undefined like any other, and no cause for a warning.
    with np.errstate(over="ignore", invalid="ignore"):
        for part, weight in zip(key.parts, key.weights, strict=True):
            total += weight * _column(columns, part.name, n)
    return total


def _column(columns: Mapping[str, npt.ArrayLike], name: str, n: int) -> FloatArray:
    if name not in columns:
        raise ValueError(f"no column {name!r} to rank by; given: {', '.join(sorted(columns)) or 'none'}")
    return sized(f"column {name!r}", np.asarray(columns[name], dtype=np.float64), n)


def _places(codes: FloatArray, is_virtual: BoolArray, order: IntArray) -> tuple[IntArray, IntArray]:
    """Competition ranks among real and among all contestants; ``order`` lists the ranked ones, best first."""
    rank, rank_with_ensembles = np.zeros((2, codes.shape[1]), dtype=np.int64)
    if order.size == 0:
        return rank, rank_with_ensembles
    best_first = codes[:, order]
    starts_group = np.empty(order.size, dtype=bool)
    starts_group[0] = True
    starts_group[1:] = (best_first[:, 1:] != best_first[:, :-1]).any(axis=0)
    group_start = np.maximum.accumulate(np.where(starts_group, np.arange(order.size), 0))
    real = ~is_virtual[order]
    real_before: IntArray = np.cumsum(real) - real
    rank[order] = np.where(real, real_before[group_start] + 1, 0)
    rank_with_ensembles[order] = group_start + 1
    return rank, rank_with_ensembles


def _reasons(
    columns: Mapping[str, npt.ArrayLike],
    primary: RankingKey | WeightedKey,
    n: int,
    ineligible: Reasons | None,
    undefined: Mapping[str, Reasons] | None,
) -> TextArray:
    """Per contestant the reason for which it would be unranked: not eligible, else that of the first undefined part."""
    reasons = np.full(n, UNDEFINED_KEY, dtype=object)
    # From the least to the most telling: a later one replaces an earlier.
    for part in reversed(primary.parts):
        if undefined is not None and part.name in undefined:
            is_undefined = ~np.isfinite(_column(columns, part.name, n))
            _replace(reasons, sized(f"undefined[{part.name!r}]", undefined[part.name], n), is_undefined)
    if ineligible is not None:
        _replace(reasons, ineligible, np.ones(n, dtype=bool))
    return reasons


def _replace(reasons: TextArray, new: Reasons, where: BoolArray) -> None:
    given = np.array(new, dtype=object)
    where = where & np.array([reason is not None for reason in new], dtype=bool)
    reasons[where] = given[where]
