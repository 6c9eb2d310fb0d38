"""Which figures scores rest on: of every model one figure of each measure, and a sentence why not each other one.

Fit for use is a figure of one model, with a value, that nothing declared is said against. Of those:

- Of a benchmark all measures are of one configuration (a name at a source and how it was measured): a source's own
  figures come before those that reached it another way, and these before those that it repeats from others; then the
  source declared first; then the configuration with the best headline, since that is what publishers show. A repeat of
  a run that its own source lists (the same benchmark, value and day) never counts.
- Speeds are those of the very name whose quality is used, so that no model is as clever as its slow configuration and
  as quick as its quick one.
- Prices and contexts are of one offer: one with a price, not withdrawn and no alias if there is another, of the source
  of prices declared first; the maker's own, else the one whose price is the median.
"""

import re
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from pipeline.rankings.benchmarks import Area, Benchmark, Unit
from pipeline.rankings.declaration import Rankings
from pipeline.rankings.identity.names import vendor_key

NO_MODEL = "no model"
"""How the sentence begins for figures that only want a decision on their name."""

INSTEAD = "another "
"""How it begins for figures that another is used in place of."""

FREE_OFFER = "free_offer"
"""The flag of an offer for trying a model: its price of 0 is not the model's."""

_OFFERED = (Area.PRICE.value, Area.LIMITS.value)
_WITHDRAWN = ("deprecated", "alias")
_SIGNED = (Unit.RATING.value, Unit.INDEX.value)

_CONFIGURATION = ["source", "channel", "raw_name", "config"]
_SAID = ["source", "channel", "raw_name", "settings", "config"]


def unfit(figures: pd.DataFrame, leave_out_flags: Collection[str]) -> pd.Series:
    """Why a figure cannot be used whatever others there are; None where it can.

    Parameters
    ----------
    figures : pandas.DataFrame
        ``source``, ``channel``, ``model``, ``benchmark``, ``measure``, ``value``, ``measured_on``, ``reason``,
        ``unit``, ``flags``; ``status`` and ``is_system`` of the name.
    leave_out_flags : collection of str
    """
    flags = _flag(figures["flags"], leave_out_flags)
    is_free = (figures["benchmark"] == Area.PRICE.value) & has_flag(figures["flags"], (FREE_OFFER,))
    value, unit = figures["value"], figures["unit"]
    beyond = ((value < 0) & ~unit.isin(_SIGNED)) | ((value > 100) & (unit == Unit.PERCENT.value))
    return _first_said(
        figures.index,
        (figures["is_system"].astype(bool), "a system, not one model"),
        (flags.notna(), "flag: " + flags.fillna("")),
        (is_free, f"flag: {FREE_OFFER}"),
        (value.isna(), "no value: " + figures["reason"].fillna("")),
        (beyond, "no such value: " + value.map("{:g}".format).astype(object)),
        _repeated(figures),
        (figures["model"].isna(), f"{NO_MODEL}: " + figures["status"].astype(object)),
    )


def _repeated(figures: pd.DataFrame) -> "tuple[pd.Series[bool], pd.Series]":
    """Which figures a source repeats of a run that its own source lists: by another name it would count once more."""
    is_repeat = figures["channel"] == figures["source"]
    runs = _keys(figures, ["benchmark", "measure", "value", "measured_on"])
    dated = figures["measured_on"].notna()
    own = dict(zip(_of(runs, dated & ~is_repeat), figures["source"][dated & ~is_repeat], strict=True))
    publisher = pd.Series([own.get(run) for run in runs], index=figures.index, dtype=object)
    return is_repeat & dated & publisher.notna(), "a repeat: the run is listed by " + publisher.fillna("")


def not_chosen(fit: pd.DataFrame, declared: Rankings, benchmarks: Mapping[str, Benchmark]) -> pd.Series:
    """Which other figure is used in place of one; None for those that are used.

    Parameters
    ----------
    fit : pandas.DataFrame
        Figures that are fit: ``source``, ``raw_name``, ``model``, ``benchmark``, ``measure``, ``value``, ``config``,
        ``channel``, ``flags``, and ``settings``, what the name says of the configuration.
    declared : Rankings
    benchmarks : mapping of str to Benchmark
    """
    area = fit["benchmark"].map({key: one.area.value for key, one in benchmarks.items()})
    is_offered, is_speed = area.isin(_OFFERED), area == Area.SPEED.value
    fit = fit.assign(
        source_order=_orders(fit["source"], tuple(declared.sources)),
        price_order=_orders(fit["source"], declared.prices),
        directness=1 * (fit["channel"] != "") + 1 * (fit["channel"] == fit["source"]),
        is_set=(fit["settings"] != "") | (fit["config"] != ""),
    )
    measured = _of_one_configuration(fit[~is_offered & ~is_speed], benchmarks)
    found = [measured]
    if is_speed.any():
        used = fit.loc[measured.index[measured.isna()]]
        found.append(_of_same_name(fit[is_speed], used[_is_measure(used, declared.quality)]))
    if is_offered.any():
        found.append(_of_one_offer(fit[is_offered], len(declared.prices)))
    why: pd.Series = pd.concat(found).reindex(fit.index)
    return why


def _of_one_configuration(rows: pd.DataFrame, benchmarks: Mapping[str, Benchmark]) -> pd.Series:
    signs = {
        f"{key}.{one.headline}": 1.0 if one.measures[one.headline].higher_is_better else -1.0
        for key, one in benchmarks.items()
    }
    headline = rows["value"] * (rows["benchmark"] + "." + rows["measure"]).map(signs).astype("float64")
    same = rows.assign(headline=headline).groupby(["model", "benchmark", *_CONFIGURATION], sort=False)
    each = rows.assign(headline=same["headline"].transform("max"), n=same["value"].transform("size"))
    order = ["directness", "source_order", "headline", "n", "is_set", "raw_name", "config", "channel"]
    each = each.sort_values(order, ascending=[name not in ("headline", "n") for name in order])
    return _unlike_first(rows, each, ["model", "benchmark"], _CONFIGURATION)


def _of_same_name(rows: pd.DataFrame, quality: pd.DataFrame) -> pd.Series:
    """Speeds of the name whose quality is used; where its source says no quality of a model, of the plainest name."""
    names = dict(zip(zip(quality["model"], quality["source"], strict=True), quality["raw_name"], strict=True))
    wanted = [names.get(pair) for pair in zip(rows["model"], rows["source"], strict=True)]
    meant = pd.Series(wanted, index=rows.index, dtype=object)
    is_other = meant.notna() & (meant != rows["raw_name"])
    rows = rows.assign(is_plain=meant.isna())
    order = ["is_plain", "directness", "source_order", "is_set", "settings", "raw_name", "config", "channel"]
    why = _unlike_first(rows, rows[~is_other].sort_values(order), ["model"], _CONFIGURATION)
    why[is_other] = f"{INSTEAD}configuration: " + meant[is_other]
    return why


def _of_one_offer(rows: pd.DataFrame, n_sources: int) -> pd.Series:
    """Prices and contexts of one offer, and of these the default configuration."""
    offer = ["model", "source", "raw_name"]
    rows = rows.assign(
        price=rows["value"].where(_is_measure(rows, "price.input")),
        is_withdrawn=has_flag(rows["flags"], _WITHDRAWN),
        is_resold=_is_resold(rows),
    )
    same = rows.groupby(offer, sort=False)
    each = rows.assign(price=same["price"].transform("max"), is_withdrawn=same["is_withdrawn"].transform("any"))
    each = each[each["price_order"] < n_sources].drop_duplicates(offer).sort_values(["price", "raw_name"])
    each["is_unpriced"] = each["price"].isna()
    alike = ["is_unpriced", "is_withdrawn", "price_order", "is_resold"]
    group = each.groupby(["model", *alike], sort=False)["source"]
    each["from_median"] = (group.cumcount() - (group.transform("size") - 1) // 2).abs()
    ordered = each.sort_values([*alike, "from_median", "price", "raw_name"])
    why = _unlike_first(rows, ordered, ["model"], ["source", "raw_name"])
    is_unlisted = rows["price_order"] >= n_sources
    why[is_unlisted] = "no source of prices: " + rows["source"][is_unlisted].astype(object)
    chosen = rows[why.isna()].sort_values(["directness", "config", "channel"])
    why.update(_unlike_first(chosen, chosen, ["model", "benchmark"], _CONFIGURATION))
    return why


def _unlike_first(rows: pd.DataFrame, ordered: pd.DataFrame, by: list[str], told_by: list[str]) -> pd.Series:
    """Why rows are not those of the first of their group in an order; None where they are, or there is no first."""
    first = ordered.drop_duplicates(by)
    firsts = dict(zip(_keys(first, by), zip(_keys(first, told_by), _keys(first, _SAID), strict=True), strict=True))
    why: list[str | None] = []
    for group, own, said in zip(_keys(rows, by), _keys(rows, told_by), _keys(rows, _SAID), strict=True):
        key, used = firsts.get(group, (own, said))
        why.append(None if key == own else _sentence(said, used, "config" in told_by))
    return pd.Series(why, index=rows.index, dtype=object)


def _sentence(own: tuple[str, ...], used: tuple[str, ...], is_configured: bool) -> str:
    source, channel, raw_name = used[:3]
    if source != own[0]:
        return f"{INSTEAD}source: {source}"
    if not is_configured:
        return f"{INSTEAD}offer: {raw_name}"
    if channel != own[1]:
        return f"{INSTEAD}channel: {channel or 'its own'}"
    said = [", ".join(dict.fromkeys(filter(None, one[3:]))) for one in (own, used)]
    return f"{INSTEAD}configuration: {said[1] if said[1] not in ('', said[0]) else raw_name}"


def _keys(rows: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(*(rows[name].tolist() for name in names), strict=True))


def _of(rows: list[tuple[str, ...]], where: pd.Series) -> list[tuple[str, ...]]:
    return [row for row, is_wanted in zip(rows, where, strict=True) if is_wanted]


def _orders(names: pd.Series, declared: Sequence[str]) -> pd.Series:
    """The place of each name in what is declared; after all for one that is not."""
    return names.map({name: place for place, name in enumerate(declared)}).fillna(len(declared)).astype(int)


def _is_measure(rows: pd.DataFrame, name: str) -> pd.Series:
    benchmark, _, measure = name.partition(".")
    return (rows["benchmark"] == benchmark) & (rows["measure"] == measure)


def _flag(flags: pd.Series, wanted: Collection[str]) -> pd.Series:
    """The first of the flags that are wanted; None where there is none."""
    found = {text: next((one for one in text.split(",") if one in wanted), None) for text in flags.unique()}
    return flags.map(found).astype(object)


def has_flag(flags: pd.Series, wanted: Collection[str]) -> pd.Series:
    """Whether one of some flags is among those of each figure, which have commas between."""
    return _flag(flags, wanted).notna()


def _is_resold(rows: pd.DataFrame) -> pd.Series:
    """Whether an offer is not the maker's own: it stands under the name of another, ``provider:model``."""
    makers = [vendor_key(model.partition("/")[0]) for model in rows["model"]]
    sellers = [re.split("[:/]", name)[:-1] for name in rows["raw_name"]]
    return pd.Series(
        [bool(seller) and vendor_key(seller[0]) != maker for seller, maker in zip(sellers, makers, strict=True)],
        index=rows.index,
        dtype=bool,
    )


def _first_said(index: pd.Index, *cases: tuple[pd.Series, pd.Series | str]) -> pd.Series:
    """For each row the sentence of the first case that holds; None where none does."""
    why = pd.Series(None, index=index, dtype=object)
    for holds, sentence in reversed(cases):
        why = why.mask(holds, sentence)
    return why
