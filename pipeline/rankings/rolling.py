"""Speeds over several days: the median of what a source published on each, in place of what it says on the newest.

What publishers measure of speed goes up and down from day to day: published medians of one model differed 1.75-fold
within three months (the median over models), 3.6-fold for one in ten. A board by a single day would rank the day.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, timedelta
from statistics import median

from pipeline.rankings.results import Parsed, Result

_Key = tuple[str, str, str, str, str]


def rolling_medians(
    parsed: Parsed, day: date, earlier: Mapping[date, Parsed], benchmarks: Collection[str], days: int
) -> Parsed:
    """The same figures, those of some benchmarks as medians over a window of days that ends with their own.

    Parameters
    ----------
    parsed : Parsed
        What the source says now.
    day : date
        When it said that.
    earlier : mapping of date to Parsed
        What it said on other days.
    benchmarks : collection of str
        Keys of those whose figures are medians; of all of their measures.
    days : int
        Length of the window; of 1 nothing changes.

    Returns
    -------
    Parsed
        A figure that more days of the window have is their median, with the days as ``n`` and in ``config``. One that
        the source does not give now stays without a value.
    """
    within = {one: of for one, of in earlier.items() if day - timedelta(days=days) < one < day} | {day: parsed}
    values: dict[_Key, dict[date, float]] = defaultdict(dict)
    for one, of in within.items():
        for result in of.results:
            if result.benchmark in benchmarks and result.value is not None:
                values[_key(result)][one] = result.value
    return replace(parsed, results=tuple(_median(result, values.get(_key(result), {})) for result in parsed.results))


def _key(result: Result) -> _Key:
    return result.raw_name, result.benchmark, result.measure, result.config, result.channel


def _median(result: Result, by_day: Mapping[date, float]) -> Result:
    if result.value is None or len(by_day) < 2:
        return result
    window = f"median of {len(by_day)} days, {min(by_day)}..{max(by_day)}"
    config = f"{result.config}, {window}" if result.config else window
    return replace(result, value=median(by_day.values()), n=len(by_day), se=None, config=config)
