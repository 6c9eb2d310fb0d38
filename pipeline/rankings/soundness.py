"""Whether what a source's own code made of its documents is what tables can hold."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from pipeline.rankings.benchmarks import Benchmark
from pipeline.rankings.results import Parsed
from pipeline.rankings.source import SourceError


def require_sound(parsed: Parsed, benchmarks: Mapping[str, Benchmark]) -> None:
    """Refuse figures that are there twice, of a name that is not listed, or of what nobody defines.

    Parameters
    ----------
    parsed : Parsed
    benchmarks : mapping of str to Benchmark
        The vocabulary, with what the source adds.

    Raises
    ------
    SourceError
        If there are any; the message names the first and what to do about it.
    """
    names = [one.raw_name for one in parsed.names]
    figures = [(one.raw_name, one.benchmark, one.measure, one.config, one.channel) for one in parsed.results]
    _refuse_twice("name", names)
    _refuse_twice("figure", figures)
    listed = set(names)
    for raw_name, benchmark, measure, *_ in figures:
        if raw_name not in listed:
            raise SourceError(f"{raw_name!r} has a figure and is not among the names; list it as a ModelName, too")
        if benchmark not in benchmarks or measure not in benchmarks[benchmark].measures:
            raise SourceError(
                f"{raw_name!r} has a figure of {benchmark}.{measure}, which nobody defines; define it in the source's "
                f"attribute `benchmarks`, by its key, with title, area and measures"
            )


def _refuse_twice(what: str, keys: Sequence[Hashable]) -> None:
    twice = next(((key, n) for key, n in Counter(keys).items() if n > 1), None)
    if twice is not None:
        raise SourceError(f"the {what} {twice[0]!r} is there {twice[1]} times; a source gives each once")
