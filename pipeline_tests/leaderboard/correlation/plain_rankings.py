"""Correlations of rankings as their papers define them: loops over runs, and means over all orders of tied runs."""

import itertools
import math
from collections.abc import Iterator, Sequence
from statistics import fmean

Values = Sequence[float]


def orders(values: Values) -> Iterator[list[float]]:
    """All rankings without ties that agree with the values: places, the best being the highest number."""
    runs = range(len(values))
    for order in itertools.permutations(runs):
        if all(values[a] <= values[b] for a, b in itertools.pairwise(order)):
            yield [float(order.index(run)) for run in runs]


def tau_ap(truth: Values, judge: Values) -> float:
    """Yilmaz, Aslam & Robertson (2008), without ties."""
    ranked = sorted(range(len(judge)), key=lambda run: -judge[run])
    shares = []
    for place in range(1, len(ranked)):
        pivot = ranked[place]
        shares.append(sum(truth[run] > truth[pivot] for run in ranked[:place]) / place)
    return 2 * fmean(shares) - 1


def tau_ap_a(truth: Values, judge: Values) -> float:
    return fmean(tau_ap(truth, order) for order in orders(judge))


def tau_ap_b(truth: Values, judge: Values) -> float:
    def one_way(x: Values, y: Values) -> float:
        shares = []
        for pivot in range(len(y)):
            above = [run for run in range(len(y)) if y[run] > y[pivot]]
            if above:
                shares.append(sum(x[run] > x[pivot] for run in above) / len(above))
        return 2 * fmean(shares) - 1

    return (one_way(truth, judge) + one_way(judge, truth)) / 2


def tau_gap(truth: Values, judge: Values) -> float:
    shares = []
    for pivot in range(len(judge)):
        above = [run for run in range(len(judge)) if judge[run] > judge[pivot]]
        gaps = [abs(truth[run] - truth[pivot]) for run in above]
        if sum(gaps) > 0:
            right = [gap for run, gap in zip(above, gaps, strict=True) if truth[run] > truth[pivot]]
            shares.append(sum(right) / sum(gaps))
    return 2 * fmean(shares) - 1


def rbo_untied(truth: Values, judge: Values, p: float) -> float:
    """Webber, Moffat & Zobel (2010), extrapolated, of two rankings of the same runs."""
    n = len(truth)
    tops = [
        [set(sorted(range(n), key=lambda run: -z[run])[:depth]) for depth in range(1, n + 1)] for z in (truth, judge)
    ]
    agreement = [len(x & y) / depth for depth, (x, y) in enumerate(zip(*tops, strict=True), start=1)]
    return (1 - p) * sum(p**place * a for place, a in enumerate(agreement)) + agreement[-1] * p**n


def rbo_a(truth: Values, judge: Values, p: float) -> float:
    return fmean(rbo_untied(x, y, p) for x in orders(truth) for y in orders(judge))


def rbo_b(truth: Values, judge: Values, p: float) -> float:
    """The cosine of how often each run is within a depth, over all orders of tied runs."""
    n = len(truth)

    def within(values: Values, depth: int) -> list[float]:
        return [fmean(order[run] >= n - depth for order in orders(values)) for run in range(n)]

    total = 0.0
    for depth in range(1, n + 1):
        x, y = within(truth, depth), within(judge, depth)
        total += (
            (1 - p) * p ** (depth - 1) * sum(a * b for a, b in zip(x, y, strict=True)) / math.hypot(*x) / math.hypot(*y)
        )
    return total + p**n
