"""The whole vocabulary: what all figures are about, with the benchmarks that single sources add."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from pipeline.rankings.benchmarks import BENCHMARKS, Benchmark
from pipeline.rankings.sources import epoch_tables, modelsdev

SAME_ANSWERS: Mapping[str, str] = MappingProxyType(
    {
        "humaneval": "humaneval_plus",
        "mbpp": "mbpp_plus",
        "bigcodebench_full": "bigcodebench_hard",
        "epoch_aider_polyglot": "aider_polyglot",
    }
)
"""Benchmarks that score the same answers as another: of a model that has both only the other is evidence."""


def vocabulary(own: Iterable[Mapping[str, Benchmark]] = ()) -> Mapping[str, Benchmark]:
    """Every benchmark and group of facts by its key: the common ones, those that Podium's own sources add, and further.

    Parameters
    ----------
    own : iterable of mapping of str to Benchmark
        What other sources add: their attribute ``benchmarks``.

    Raises
    ------
    ValueError
        If one adds a key that is there already and means something else.
    """
    every: dict[str, Benchmark] = {}
    for added in (BENCHMARKS, modelsdev.COLLECTED, epoch_tables.COLLECTED, *own):
        taken = [key for key, benchmark in added.items() if every.get(key, benchmark) != benchmark]
        if taken:
            raise ValueError(f"benchmarks {taken} are defined twice; give a source's own keys that begin with its name")
        every.update(added)
    return MappingProxyType(every)
