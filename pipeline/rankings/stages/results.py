"""The long table: every published figure, what it is of, and whether scores rest on it."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from pipeline.rankings.benchmarks import Benchmark
from pipeline.rankings.declaration import Rankings
from pipeline.rankings.stages.choosing import INSTEAD, not_chosen, unfit
from pipeline.rankings.stages.frames import frame_of, frame_of_rows
from pipeline.rankings.stages.published import Published
from pipeline.rankings.vocabulary import vocabulary
from pipeline.tables import LLM_BENCHMARKS, LLM_RESULTS

_OF_NAME = ("ranking", "model", "settings", "is_used", "left_out")


def vocabulary_of(published: Iterable[Published]) -> Mapping[str, Benchmark]:
    """The vocabulary with what sources of one's own add. Raises ValueError where two say different things."""
    return vocabulary(one.benchmarks for one in published)


def result_rows(published: Sequence[Published], aliases: pd.DataFrame, declared: Rankings) -> pd.DataFrame:
    """Rows of ``llm.results``: one per published figure.

    Parameters
    ----------
    published : sequence of Published
    aliases : pandas.DataFrame
        Rows of ``llm.aliases``; every name of every source is in it.
    declared : Rankings

    Raises
    ------
    ValueError
        If a figure is of a name without an alias, or of a benchmark or measure that the vocabulary does not have.
    """
    benchmarks = vocabulary_of(published)
    figures = _figures(published, benchmarks)
    named = _named(figures, aliases)
    why = unfit(named, declared.leave_out_flags)
    fit = why.isna()
    why[fit] = not_chosen(named[fit], declared, benchmarks)
    return frame_of(LLM_RESULTS, named.assign(is_used=why.isna(), left_out=why))


def could_be_used(results: pd.DataFrame) -> "pd.Series[bool]":
    """Which figures are used, or would be without those that are used in their place."""
    is_idle = results["left_out"].str.startswith(INSTEAD).fillna(False).astype(bool)
    return is_idle | results["is_used"].astype(bool)


def without_source(
    results: pd.DataFrame, source: str, declared: Rankings, benchmarks: Mapping[str, Benchmark]
) -> pd.DataFrame:
    """Rows of ``llm.results`` as they would be without a source: where its figures were used, others may be now.

    Names mean what they mean with it, and a repeat of one of its own runs goes with it: it is the same evidence. Why a
    figure is not used (``left_out``) stays as it was.
    """
    is_own = results["source"] == source
    rows = results[~is_own].copy()
    lost = set(results.loc[is_own & results["is_used"].astype(bool), "model"])
    fit = rows[could_be_used(rows) & rows["model"].isin(lost)]
    fit = fit.assign(settings=fit["settings"].fillna(""))
    rows.loc[fit.index, "is_used"] = not_chosen(fit, declared, benchmarks).isna()
    return rows


def benchmark_rows(results: pd.DataFrame, benchmarks: Mapping[str, Benchmark]) -> pd.DataFrame:
    """Rows of ``llm.benchmarks``: one per measure that figures are about.

    Parameters
    ----------
    results : pandas.DataFrame
        Rows of ``llm.results``.
    benchmarks : mapping of str to Benchmark
        The vocabulary.
    """
    used = results[results["is_used"].astype(bool)].groupby(["benchmark", "measure"])["model"].nunique()
    rows = []
    for benchmark, measure in sorted(set(zip(results["benchmark"], results["measure"], strict=True))):
        about = benchmarks[benchmark]
        rows.append(
            {
                "benchmark": benchmark,
                "measure": measure,
                "title": about.title,
                "measure_title": about.measures[measure].title,
                "area": about.area.value,
                "unit": about.measures[measure].unit.value,
                "direction": "desc" if about.measures[measure].higher_is_better else "asc",
                "is_headline": measure == about.headline,
                "n_models": int(used.get((benchmark, measure), 0)),
            }
        )
    return frame_of_rows(LLM_BENCHMARKS, rows)


def _figures(published: Sequence[Published], benchmarks: Mapping[str, Benchmark]) -> pd.DataFrame:
    rows = []
    for one in published:
        urls = {name.raw_name: name.url for name in one.parsed.names}
        for result in one.parsed.results:
            rows.append(
                {
                    "source": one.about.name,
                    "raw_name": result.raw_name,
                    "benchmark": result.benchmark,
                    "measure": result.measure,
                    "value": result.value,
                    "reason": result.reason,
                    "unit": _unit(one, result.benchmark, result.measure, benchmarks),
                    "n": result.n,
                    "se": result.se,
                    "config": result.config,
                    "channel": result.channel,
                    "measured_on": result.measured_on,
                    "source_updated_at": one.status.source_updated_at,
                    "fetched_at": one.status.fetched_at,
                    "url": result.url or urls.get(result.raw_name) or one.about.home,
                    "flags": ",".join(result.flags),
                }
            )
    return pd.DataFrame(rows, columns=[name for name in LLM_RESULTS.column_names if name not in _OF_NAME]).astype(
        {"value": "float64", "se": "float64"}
    )


def _unit(source: Published, benchmark: str, measure: str, benchmarks: Mapping[str, Benchmark]) -> str:
    known = benchmarks.get(benchmark)
    if known is None or measure not in known.measures:
        raise ValueError(
            f"{source.about.name}: a figure of {benchmark}.{measure}, which nobody defines; define it in the source's "
            f"attribute `benchmarks`, by its key, with title, area and measures"
        )
    return known.measures[measure].unit.value


def _named(figures: pd.DataFrame, aliases: pd.DataFrame) -> pd.DataFrame:
    """Figures with what their name means, and what it says of the configuration."""
    names = aliases[["source", "raw_name", "model", "status", "is_system"]].assign(
        settings=aliases["config"].fillna("")
    )
    named = figures.merge(names, on=["source", "raw_name"], how="left")
    strangers = named[named["status"].isna()]
    if len(strangers):
        first = strangers.iloc[0]
        raise ValueError(
            f"{first['source']}: {len(strangers):,} figures of names without an alias, such as {first['raw_name']!r}; "
            f"identify the names of all sources first"
        )
    return named
