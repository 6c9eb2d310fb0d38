"""Rank intervals term by term: the definitions as loops over pairs and cycles, slow and easy to read."""

import math
from collections.abc import Sequence
from statistics import fmean

import numpy as np
from scipy import special, stats

from pipeline.leaderboard import Influence

Rows = list[list[float | None]]
"""A series of every contestant, None where absent."""


def rows_of(part: Influence) -> Rows:
    """Influence by contestant and cycle."""
    cycles, contestants = part.psi.shape
    return [[float(part.psi[t, i]) if part.present[t, i] else None for t in range(cycles)] for i in range(contestants)]


def without_cycle_means(rows: Rows) -> Rows:
    demeaned: Rows = [[None] * len(row) for row in rows]
    for t in range(len(rows[0])):
        there = [i for i, row in enumerate(rows) if row[t] is not None]
        for i in there:
            demeaned[i][t] = rows[i][t] - fmean(rows[j][t] for j in there)  # type: ignore[operator,misc]
    return demeaned


def long_run_variance(x: Sequence[float]) -> tuple[float, int]:
    """By equal-weighted cosines, and how many."""
    T = len(x)
    nu = max(2, math.floor(round(0.4 * T ** (2 / 3), 9)))
    loads = [
        math.sqrt(2 / T) * sum(x[t - 1] * math.cos(math.pi * j * (t - 0.5) / T) for t in range(1, T + 1))
        for j in range(1, nu + 1)
    ]
    return fmean(load**2 for load in loads), nu


def inflation(rows: Rows) -> tuple[list[float], list[float], list[float], float]:
    """Inflation, variance and own uncertainty of every contestant; the uncertainty of what is pooled."""
    demeaned = without_cycle_means([row[-520:] for row in rows])
    M = len(rows)
    closed = [[x for x in row if x is not None] for row in demeaned]
    told = [i for i in range(M) if len(closed[i]) >= 8 and np.var(closed[i]) > 0]
    if not told:
        return [1.0] * M, [0.0] * M, [0.0] * M, 0.0
    lrv, nu, variance = {}, {}, {}
    for i in told:
        lrv[i], nu[i] = long_run_variance(closed[i])
        variance[i] = float(np.var(closed[i])) + lrv[i] / len(closed[i])
    pooled = sum(nu[i] * lrv[i] for i in told) / sum(nu[i] * variance[i] for i in told)
    logs = {i: math.log(lrv[i] / variance[i]) - (special.digamma(nu[i] / 2) - math.log(nu[i] / 2)) for i in told}
    chance = {i: float(special.polygamma(1, nu[i] / 2)) for i in told}
    total = sum(1 / chance[i] for i in told)
    centre = sum(logs[i] / chance[i] for i in told) / total
    excess = sum((logs[i] - centre) ** 2 / chance[i] for i in told) - (len(told) - 1)
    scale = total - sum(1 / chance[i] ** 2 for i in told) / total
    differs = max(0.0, excess / scale) if scale > 1e-9 else 0.0
    inflated, own = [max(1.0, pooled)] * M, [0.0] * M
    for i in told:
        share = differs / (differs + chance[i])
        inflated[i] = max(1.0, math.exp((1 - share) * math.log(pooled) + share * logs[i]))
        own[i] = share**2 / nu[i]
    filled = np.array([[0.0 if x is None else x for x in row] for row in demeaned])
    eigenvalues = np.linalg.eigvalsh(filled @ filled.T)
    independent = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    variances = [variance.get(i, float(np.var(closed[i])) if len(closed[i]) >= 8 else 0.0) for i in range(M)]
    return inflated, variances, own, 1 / (independent * fmean(nu.values()))


def p_values(
    parts: Sequence[Influence], weights: Sequence[float], windows: Sequence[int], dependent: bool = True
) -> dict[tuple[int, int], tuple[float, float]]:
    """Mean difference and p value of every two contestants that are compared."""
    series = [rows_of(part) for part in parts]
    M, T = len(series[0]), len(series[0][0])
    key: Rows = [[None] * T for _ in range(M)]
    everything = [[t for t in range(T) if all(rows[i][t] is not None for rows in series)] for i in range(M)]
    for i in range(M):
        for t in everything[i]:
            key[i][t] = sum(w / n * rows[i][t] for w, n, rows in zip(weights, windows, series, strict=True))  # type: ignore[operator,misc]
    inflated, variance, own, pooled = inflation(key) if dependent else ([1.0] * M, [0.0] * M, [0.0] * M, 0.0)
    found = {}
    for i in range(M):
        for j in range(i + 1, M):
            compared = _compare(series, parts, weights, windows, everything, i, j)
            if compared is None:
                continue
            mean, variance_of_key, n = compared
            total = variance[i] + variance[j]
            share = variance[i] / total if total else 0.5
            inflation_ij = share * inflated[i] + (1 - share) * inflated[j]
            effective = n / inflation_ij
            if effective < 2:
                continue
            uncertainty = pooled
            uncertainty += (share * inflated[i] / inflation_ij) ** 2 * own[i]
            uncertainty += ((1 - share) * inflated[j] / inflation_ij) ** 2 * own[j]
            t = mean / math.sqrt(variance_of_key / (effective - 1))
            df = 1 / (1 / (effective - 1) + uncertainty)
            found[i, j] = mean, float(2 * stats.t.sf(abs(t), df))
    return found


def _compare(
    series: Sequence[Rows],
    parts: Sequence[Influence],
    weights: Sequence[float],
    windows: Sequence[int],
    everything: list[list[int]],
    i: int,
    j: int,
) -> tuple[float, float, int] | None:
    T = len(series[0][0])
    cycles = []
    mean = 0.0
    for rows, part, weight, window in zip(series, parts, weights, windows, strict=True):
        common = [t for t in range(T - window, T) if rows[i][t] is not None and rows[j][t] is not None]
        if len(common) < 8:
            return None
        d = [part.value[i] + rows[i][t] - part.value[j] - rows[j][t] for t in common]  # type: ignore[operator]
        mean += weight * fmean(d)
        cycles.append(set(common))
    both = [t for t in everything[i] if t in everything[j]]
    d_of = [[rows[i][t] - rows[j][t] for t in both] for rows in series]  # type: ignore[operator]
    variance = 0.0
    for k in range(len(parts)):
        for m in range(len(parts)):
            products = sum((a - fmean(d_of[k])) * (b - fmean(d_of[m])) for a, b in zip(d_of[k], d_of[m], strict=True))
            share = len(cycles[k] & cycles[m]) / (len(cycles[k]) * len(cycles[m]))
            variance += weights[k] * weights[m] * share * products
    return mean, variance, len(both)


def rank_intervals(
    key: Sequence[float],
    parts: Sequence[Influence],
    sign: int,
    weights: Sequence[float],
    windows: Sequence[int],
    dependent: bool = True,
) -> list[tuple[int, int]]:
    """The best and the worst rank of every contestant."""
    found = p_values(parts, weights, windows, dependent)
    better = set()
    left = len(found)
    for (i, j), (mean, p) in sorted(found.items(), key=lambda pair: pair[1][1]):
        if p > 0.05 / left:
            break
        left -= 1
        above, below = (i, j) if sign * mean > 0 else (j, i)
        if sign * float(f"{key[above]:.11e}") > sign * float(f"{key[below]:.11e}"):
            better.add((above, below))
    M = len(key)
    return [
        (1 + sum((j, i) in better for j in range(M)), M - sum((i, j) in better for j in range(M))) for i in range(M)
    ]
