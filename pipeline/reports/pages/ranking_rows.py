"""A ranking of language models as its page shows it: columns, rows, medians, and who is best for its price."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pipeline.rankings.benchmarks import BENCHMARKS
from pipeline.reports.pages import drawings
from pipeline.reports.pages.drawings import Axis, Interval
from pipeline.reports.pages.figures import NOTHING, Scale, percent, scale
from pipeline.reports.pages.ranking_figures import SCORES_SAY, score_name, seconds, tokens, usd
from pipeline.reports.queries.ranking_lists import Statistics, blended_price, pareto
from pipeline.reports.queries.rankings import Note, RankedModel, Ranking

Text = Callable[[float | None], str]

_SCORE, _RATE = Scale(1), Scale(0)
_FREE = "free"
_UNPUBLISHED = "no source publishes it"
_CODING, _PRICE = "coding", "price_input"
_BENCHMARKS = 6
"""That have a column unless all are asked for."""
_BEST = 50
"""Models that say which other benchmarks these are."""
_RARE = 0.5
"""Share of models: a score that fewer have is rare."""
_PARTS = {"ttft": "time to the first token", "efficiency": "coding points for the price"}
"""What parts of scores are called, where not by their own names."""


@dataclass(frozen=True)
class Column:
    """A column of figures.

    Parameters
    ----------
    key : str
        What it is sorted by.
    label, title : str
        The heading, and what it means.
    group : str
        What stands over it and its neighbours.
    text : function
        How its values are written.
    is_less_better : bool
    is_wide : bool
        Whether a phone has no room for it.
    """

    key: str
    label: str
    title: str
    group: str
    text: Text
    is_less_better: bool = False
    is_wide: bool = True


@dataclass(frozen=True)
class Cell:
    """A figure of a model; ``note`` is what it rests on, where that is less than all."""

    text: str
    note: str = ""
    title: str = ""


@dataclass(frozen=True)
class Row:
    """A model: its figures as texts, and its ability as a drawing; ``said`` is that in words."""

    model: RankedModel
    cells: tuple[Cell, ...]
    ability: str
    interval: Interval | None
    said: str


@dataclass(frozen=True)
class Table:
    """The models of a page.

    Parameters
    ----------
    columns : tuple of Column
    groups : tuple of pairs
        What stands over columns, and over how many.
    rows : tuple of Row
    abilities : Axis or None
        Of the drawings of ability; None where no model has one.
    ranks : Axis or None
        Of the drawings of ranks; None where models have no ranges of ranks.
    medians, coverage : tuple of str
        By column, of all models that are listed.
    ability_median, ability_coverage : str
    """

    columns: tuple[Column, ...]
    groups: tuple[tuple[str, int], ...]
    rows: tuple[Row, ...]
    abilities: Axis | None
    ranks: Axis | None
    medians: tuple[str, ...]
    coverage: tuple[str, ...]
    ability_median: str
    ability_coverage: str


def table_of(
    of: Ranking, shown: Sequence[RankedModel], counted: Statistics, sort: str = "", *, everything: bool
) -> Table:
    """Some models of a ranking as its page shows them.

    Parameters
    ----------
    of : Ranking
    shown : sequence of RankedModel
        Those of the page.
    counted : Statistics
        Of all that are listed.
    sort : str
        What they are sorted by: it has room on a phone too.
    everything : bool
        Every column, not those alone that most people choose by.
    """
    on_a_phone = _CODING if any(row.coding is not None for row in of.rows) else _PRICE
    narrow = {on_a_phone, of.declared.rank_by, sort.removeprefix("-")}
    columns = tuple(replace(one, is_wide=one.key not in narrow) for one in columns_of(of, sort, everything=everything))
    abilities = ability_axis(of)
    written = ability_scale(of)
    bounded = any(row.rank_lo is not None for row in of.rows)
    n_ranked = sum(row.rank is not None for row in of.rows)
    return Table(
        columns,
        _groups(columns),
        tuple(_row(of, row, columns, abilities, written) for row in shown),
        abilities,
        Axis(1, max(1, n_ranked), drawings.RANKS_WIDTH) if bounded else None,
        tuple(one.text(counted.medians[one.key]) if one.key in counted.medians else "" for one in columns),
        tuple(percent(counted.coverage[one.key]) if one.key in counted.coverage else "" for one in columns),
        written.text(counted.medians.get("ability")),
        percent(counted.coverage.get("ability")),
    )


def ability_scale(of: Ranking) -> Scale:
    """How abilities of a ranking are written: as far as their intervals tell them apart."""
    known = [row for row in of.rows if row.ability is not None]
    widths = [
        (row.ability_high - row.ability_low) / 2
        for row in known
        if row.ability_high is not None and row.ability_low is not None
    ]
    return scale([row.ability for row in known], widths)


def ability_axis(of: Ranking) -> Axis | None:
    """What abilities of a ranking are drawn on, from the lowest end of an interval to the highest; zero means nothing.

    None where no model has one.
    """
    ends = [end for row in of.rows for end in (row.ability_low, row.ability, row.ability_high) if end is not None]
    return Axis(min(ends), max(ends), drawings.INTERVAL_WIDTH) if ends else None


def columns_of(of: Ranking, sort: str = "", *, everything: bool) -> tuple[Column, ...]:
    """The columns of figures, without that of ability.

    Of benchmarks there are those parts of the coding score that any model has a value of, and of others those that most
    of the best have one of, until there are six in all; that which rows are sorted by is among them.
    """
    scores = ("coding", "overall", *(("performance", "value") if everything else ()))
    found = [Column(one, score_name(one), SCORES_SAY[one], "Scores", _SCORE.text) for one in scores]
    parts, others = _shown_benchmarks(of, sort.removeprefix("-"), everything=everything)
    found += [_benchmark(of, name, "Parts of coding") for name in parts]
    found += [_benchmark(of, name, "Other benchmarks") for name in others]
    quality = of.benchmarks.get(of.declared.quality)
    more = "US dollars per million tokens of"
    blended = [Column("price_blended", "3:1", "Three tokens of input to one of output", "Price, USD/M", usd, True)]
    return (
        *found,
        Column("ttft", "First token, s", "Median seconds to the first token", "Speed", seconds, True),
        Column("throughput", "Tokens/s", "Median tokens a second", "Speed", _RATE.text),
        Column("quality", "Quality", quality.label if quality else of.declared.quality, "", _SCORE.text),
        Column("price_input", "In", f"{more} input", "Price, USD/M", usd, True),
        Column("price_output", "Out", f"{more} output", "Price, USD/M", usd, True),
        *(blended if everything else ()),
        Column("context", "Context", "Tokens", "", tokens),
    )


def _shown_benchmarks(of: Ranking, sort: str, *, everything: bool) -> tuple[list[str], list[str]]:
    """Parts of the coding score, and other benchmarks, that have a column."""
    others = [name for name in of.headlines if name not in of.parts and name != of.declared.quality]
    if everything:
        return list(of.parts), others
    parts = [name for name in of.parts if name in of.benchmarks]
    first = [of.values.get(row.model, {}) for row in of.rows[:_BEST]]
    most = sorted(others, key=lambda name: -sum(name in one for one in first))[: max(0, _BENCHMARKS - len(parts))]
    return parts, [name for name in others if name in most or name == sort]


def _benchmark(of: Ranking, name: str, group: str) -> Column:
    known = of.benchmarks.get(name)
    if known is None:
        return Column(name, label_of(of, name), "No model has a value", group, _SCORE.text)
    said = f"{known.title}: {known.measure_title}, {known.unit}; {known.n_models} models"
    is_less_better = known.direction == "asc"
    label = known.label.partition(" (")[0]
    return Column(name, label, said, group, _text_of(known.unit), is_less_better)


def _text_of(unit: str) -> Text:
    return _RATE.text if unit == "rating" else _SCORE.text


def _groups(columns: Sequence[Column]) -> tuple[tuple[str, int], ...]:
    groups: list[tuple[str, int]] = []
    for one in columns:
        if groups and groups[-1][0] == one.group:
            groups[-1] = (one.group, groups[-1][1] + 1)
        else:
            groups.append((one.group, 1))
    return tuple(groups)


def _row(of: Ranking, row: RankedModel, columns: Sequence[Column], on: Axis | None, written: Scale) -> Row:
    said = ability = written.text(row.ability)
    if row.ability is not None and row.ability_low is not None and row.ability_high is not None:
        said = f"{ability}, 95 % interval {written.text(row.ability_low)} to {written.text(row.ability_high)}"
    drawn = drawings.interval(on, row.ability, row.ability_low, row.ability_high)
    return Row(row, tuple(_cell(of, row, column) for column in columns), ability, drawn, said)


def _cell(of: Ranking, row: RankedModel, column: Column) -> Cell:
    if column.key in of.headlines:
        figure = of.values.get(row.model, {}).get(column.key)
        return Cell(column.text(figure), title="" if figure is not None else _UNPUBLISHED)
    value = blended_price(row) if column.key == "price_blended" else getattr(row, column.key)
    if column.key == "price_input" and row.is_free and not row.price_input:
        return Cell(_FREE)
    note = of.notes.get(row.model, {}).get(column.key)
    if note is None or not (note.lacks or note.is_partial):
        return Cell(column.text(value))
    lacks = f"lacks {'; '.join(label_of(of, part) for part in note.lacks)}" if note.lacks else ""
    return Cell(column.text(value), _has(of, column.key, note), lacks)


def _has(of: Ranking, score: str, note: Note) -> str:
    """What a score that lacks parts has: how much it is made of, or how many parts it would need are there."""
    if note.is_partial:
        return f"from {percent(note.coverage)}" if note.lacks else "of partial ones"
    n = len(getattr(of.declared.composite, score))
    there = n - len(note.lacks)
    return f"{there} of {n} parts" if there and note.reason is not None else ""


@dataclass(frozen=True)
class RareScore:
    """A weighted score that few models have.

    Parameters
    ----------
    label : str
    n_models : int
        That have it.
    parts : tuple of pairs
        What it needs, and how many models have that.
    """

    label: str
    n_models: int
    parts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Rare:
    """Weighted scores that few models have, and what to sort by instead: labels by sort key."""

    scores: tuple[RareScore, ...]
    instead: tuple[tuple[str, str], ...]


def rare_scores(of: Ranking) -> Rare | None:
    """The scores of the page that less than half of the models have; None where there is none."""
    rare = tuple(_rare(of, name) for name in (_CODING, "overall"))
    few = tuple(one for one in rare if one.n_models < _RARE * len(of.rows))
    if not few:
        return None
    known = [name for name in of.parts if name in of.benchmarks and of.benchmarks[name].n_models]
    known.sort(key=lambda name: -of.benchmarks[name].n_models)
    instead = [("ability", score_name("ability")), *((name, of.benchmarks[name].label) for name in known)]
    if of.declared.quality in of.benchmarks:
        instead.append(("quality", "Quality"))
    return Rare(few, tuple(instead))


def _rare(of: Ranking, score: str) -> RareScore:
    parts = tuple((label_of(of, part), _n_with(of, part)) for part in getattr(of.declared.composite, score))
    return RareScore(score_name(score), _n_with(of, score), parts)


def _n_with(of: Ranking, name: str) -> int:
    """How many models have a score, or a value of a benchmark."""
    if "." in name:
        return sum(name in of.values.get(row.model, {}) for row in of.rows)
    return sum(getattr(row, name) is not None for row in of.rows)


def label_of(of: Ranking, part: str) -> str:
    """What a part of a score, or a benchmark, is called, whether or not a model has a value of it."""
    known = of.benchmarks.get(part)
    if known is not None:
        return known.label
    benchmark, _, measure = part.partition(".")
    if not measure:
        return next((one.title for one in of.benchmarks.values() if one.benchmark == part), _PARTS.get(part, part))
    means = BENCHMARKS.get(benchmark)
    if means is None or measure not in means.measures:
        return part.replace("_", " ")
    if means.headline == measure:
        return means.title
    return f"{means.title}, {means.measures[measure].title.lower()}"


@dataclass(frozen=True)
class Best:
    """A model that none beats in both price and score.

    Parameters
    ----------
    model : RankedModel
    price, value, could_be : str
    surely : str
        Whether it is surely better than the next cheaper one.
    """

    model: RankedModel
    price: str
    value: str
    could_be: str
    surely: str


def best_of(of: Ranking, rows: Sequence[RankedModel]) -> tuple[Best, ...]:
    """The models that none beats in both, the cheapest first."""
    score = of.declared.rank_by
    front = pareto(rows, score)
    text = ability_scale(of).text if score == "ability" else _SCORE.text
    write = partial(_best, score=score, text=text)
    return tuple(write(row, front[at - 1] if at else None) for at, row in enumerate(front))


def _best(row: RankedModel, cheaper: RankedModel | None, score: str, text: Text) -> Best:
    price = usd(blended_price(row))
    return Best(row, price, text(getattr(row, score)), _could_be(row), _surely(row, cheaper, score))


def _could_be(row: RankedModel) -> str:
    if row.rank_lo is None or row.rank_hi is None:
        return NOTHING
    return f"{row.rank_lo}" if row.rank_lo == row.rank_hi else f"{row.rank_lo}–{row.rank_hi}"


def _surely(row: RankedModel, cheaper: RankedModel | None, score: str) -> str:
    if cheaper is None:
        return NOTHING
    if score != "ability" or row.ability_low is None or cheaper.ability_high is None:
        return "not known"
    return "yes" if row.ability_low > cheaper.ability_high else "not for sure"
