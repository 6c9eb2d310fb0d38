"""A published ranking of language models that nobody made: its tables are filled directly.

Eight models that each show something, and as many ordinary ones as a test wants. Values are made up, and have no
meaning but the order that they give.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.clock import utc_now
from pipeline.rankings.benchmarks import BENCHMARKS
from pipeline.rankings.composite import CODING
from pipeline.rankings.declaration import SCORES, Rankings
from pipeline.tables import (
    BOARDS,
    LLM_ALIASES,
    LLM_BENCHMARKS,
    LLM_BREAKS,
    LLM_FETCH_STATUS,
    LLM_LEADERBOARD,
    LLM_MODELS,
    LLM_RESULTS,
    LLM_SCORES,
    LLM_SNAPSHOTS,
    LLM_UNMATCHED,
    LLM_UNREAD,
    WHOLE,
    TableSpec,
)
from pipeline.warehouse import Dirty, Store
from pipeline_tests.reports.served import files_in

NAME, TITLE = "made_up", "A <ranking>"
HOSTILE = '<b>Best & "first"</b>'
BEST, CHEAP, FREE, SLOW, TWIN, PARTIAL, FEW, BARE = (
    "acme/best",
    "acme/cheap",
    "open/free",
    "slowly/deep",
    "slowly/deep-two",
    "open/partial",
    "acme/few",
    "nobody/bare+name",
)
"""The models that show something, in order; the last two are not ranked."""
GONE = "slowly/gone"
"""A model that was on the board of the first day alone."""
FACTS_OF_PRICES = ("price.input", "price.output", "context.context_length")
SPEEDS = ("speed.ttft_median", "speed.throughput_median")
QUALITY = "artificial_analysis.intelligence_index"
RATING = "lmarena_text.rating"
SAYS_DAY, SAYS_CLOSED = "openrouter; but <epoch> 2026-05-13", "lmarena"
"""Who states when models came out, and that weights are closed; of open ones nobody is named."""
N_OFFERS = 20
"""Of the slow model, whose prices are not used."""
BREAK = "intelligence index 4.0 is 4.1: median change -6.2 points"

_SOURCES = {
    "evalplus": ("EvalPlus", "Apache-2.0", "frozen", 365, 400),
    "artificialanalysis": ("Artificial Analysis", None, "live", 7, 0.2),
    "openrouter": ("OpenRouter", None, "kept", 1, 2.5),
    "modelsdev": ("models.dev", "MIT", "bundled", 1, 40),
    "lmarena": ("LMArena", "CC-BY-4.0", "unchanged", 7, 3),
    "livebench": ("LiveBench", None, "missing", 30, None),
    "aider": ("Aider", "Apache-2.0", "files", 30, 50),
}
"""By name: title, licence, status, how often it changes (days), and how old its figures are (days)."""
_OF = dict.fromkeys(CODING, "evalplus") | {QUALITY: "artificialanalysis", RATING: "lmarena"}
_OF |= dict.fromkeys(FACTS_OF_PRICES, "openrouter") | dict.fromkeys(SPEEDS, "artificialanalysis")
_WHY = {
    "files": "taken from files in aider",
    "kept": "fetching failed: 503; shown is the last good snapshot",
    "bundled": "not fetched: PODIUM_FETCH is off; there is no good snapshot, shown are bundled facts",
    "missing": "fetching failed: timed out; there is no good snapshot",
}


@dataclass(frozen=True)
class Made:
    """A model: what is published of it. ``values`` are by benchmark.measure; ``status`` is that of the leaderboard."""

    model: str
    title: str
    organisation: str | None
    values: Mapping[str, float]
    open_weights: bool | None = None
    released_on: date | None = None
    status: str = "ranked"
    half_width: float = 4.0

    @property
    def coding(self) -> float | None:
        """The weighted mean of those parts of the coding score that are there; None without half of them."""
        has = {name: weight for name, weight in CODING.items() if name in self.values}
        if sum(has.values()) < 0.5:
            return None
        return sum(weight * self.values[name] for name, weight in has.items()) / sum(has.values())

    @property
    def missing(self) -> list[str]:
        """Parts of the coding score that it lacks."""
        return [name for name in CODING if name not in self.values]

    @property
    def ability(self) -> float | None:
        """Its ability; None where it is not ranked."""
        return None if self.status != "ranked" else round(100 + (self.coding or 0.0) / 2, 3)

    @property
    def performance(self) -> float | None:
        """A score of speed; None without one."""
        speed = self.values.get(SPEEDS[1])
        return None if speed is None else min(100.0, speed / 1.5)

    @property
    def worth(self) -> float | None:
        """A score of price; None without one."""
        price = self.values.get("price.input")
        return None if price is None else 100 / (1 + price)

    @property
    def overall(self) -> float | None:
        """The mean of the three; None where one is missing."""
        parts = (self.coding, self.performance, self.worth)
        return None if None in parts else sum(part or 0.0 for part in parts) / len(parts)


def coded(level: float, **others: float) -> dict[str, float]:
    """Values of all parts of the coding score about a level, and others by benchmark__measure."""
    parts = {name: round(min(99.0, level + 3 * at), 1) for at, name in enumerate(CODING)}
    return parts | {name.replace("__", "."): value for name, value in others.items()}


def told() -> list[Made]:
    """The models that show something."""
    facts = {"price__input": 2.0, "price__output": 8.0, "context__context_length": 200_000.0}
    quick = {"speed__ttft_median": 0.6, "speed__throughput_median": 90.0}
    index = {"artificial_analysis__intelligence_index": 60.0, "lmarena_text__rating": 1450.0}
    best = coded(84, **facts | {"price__input": 10.0, "price__output": 40.0}, **quick, **index)
    cheap = coded(78, **facts | {"price__input": 0.25, "price__output": 1.0}, **quick)
    free = coded(70, **facts | {"price__input": 0.0, "price__output": 0.0}, speed__ttft_median=1.4)
    slow = coded(66, **facts, speed__ttft_median=20.0, speed__throughput_median=30.0)
    partial = {name: value for name, value in coded(50).items() if name != "mbpp_plus.pass_at_1"}
    return [
        Made(BEST, HOSTILE, "Acme", best, False, date(2026, 9, 1)),
        Made(CHEAP, "Cheap", "Acme", cheap, False, date(2026, 8, 1)),
        Made(FREE, "Free", "Open & Co", free, True, date(2026, 7, 1)),
        Made(SLOW, "Deep", "Slowly", slow, None, date(2026, 6, 1)),
        Made(TWIN, "Deep Two", "Slowly", slow, None),
        Made(PARTIAL, "Partial", "Open & Co", partial, True, half_width=9.0),
        Made(FEW, "Few", "Acme", {"humaneval_plus.pass_at_1": 71.0}, status="unranked: min_benchmarks"),
        Made(BARE, "Bare", None, coded(0, **facts) and {"price.input": 1.0}, status="unranked: no_benchmarks"),
    ]


def ordinary(n: int) -> list[Made]:
    """So many models of several makers; of a fourth of them something is not known."""
    rng = np.random.default_rng(7)
    made = []
    for number in range(n):
        values = coded(float(rng.uniform(20, 75)))
        values |= {"price.input": float(rng.lognormal(0, 1.2)), "price.output": float(rng.lognormal(1.2, 1.2))}
        values |= {"context.context_length": float(rng.choice([32_768, 131_072, 1_000_000]))}
        values |= {SPEEDS[0]: float(rng.lognormal(0.3, 0.9)), SPEEDS[1]: float(rng.uniform(20, 250))}
        values |= {QUALITY: float(rng.uniform(10, 55)), RATING: float(rng.uniform(1000, 1400))}
        unknown = rng.choice(list(values), size=3 if number % 4 == 0 else 0, replace=False)
        known = {name: round(value, 3) for name, value in values.items() if name not in unknown}
        maker = f"maker{number % 17}"
        made.append(
            Made(f"{maker}/model-{number}", f"Model {number}", maker.capitalize(), known, bool(number % 3), None)
        )
    return made


def declared(name: str = NAME, title: str = TITLE) -> Rankings:
    """The declaration of the ranking."""
    return Rankings(
        name=name,
        title=title,
        description="Made up for tests.",
        sources={one: {} for one in _SOURCES},
        renormalise=True,
    )


def publish_ranking(folder: Path, n: int = 0, *, models: bool = True) -> None:
    """Fill the ranking in the warehouse of a folder, and publish it; see :func:`fill`. It may be declared alone."""
    files = files_in(folder)
    with files.write("a test") as store:
        if models:
            fill(store, n)
        else:
            _declare(store, NAME, TITLE)
    files.publish()


def fill(store: Store, n: int = 0, name: str = NAME, title: str = TITLE, at: datetime | None = None) -> None:
    """Fill the tables of the ranking; ``n`` ordinary models besides those that show something."""
    moment = at or utc_now()
    models = sorted([*told(), *ordinary(n)], key=lambda one: (one.status != "ranked", -(one.ability or 0), one.model))
    board = _board(models, moment)
    _declare(store, name, title)
    rows = {
        LLM_FETCH_STATUS: _status(models, moment),
        LLM_UNREAD: [{"source": "openrouter", "number": 1, "document": "models.json", "place": "7", "reason": "no id"}],
        LLM_BREAKS: _breaks(moment),
        LLM_MODELS: _models(models),
        LLM_ALIASES: _aliases(models),
        LLM_RESULTS: _results(models, moment),
        LLM_UNMATCHED: [
            {
                "source": "evalplus",
                "raw_name": "Zephyr β-7B",
                "status": "unmatched",
                "why": "no release",
                "n_results": 2,
            }
        ],
        LLM_BENCHMARKS: _benchmarks(models),
        LLM_SCORES: [row for one in models for row in _scores(one)],
        LLM_LEADERBOARD: board,
    }
    for spec, listed in rows.items():
        _replace(store, spec, name, listed)
    days = [moment.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=ago) for ago in (3, 2, 0)]
    snapshots = [row for at_day, day in enumerate(days) for row in _snapshots(board, day, at_day)]
    _replace(store, LLM_SNAPSHOTS, name, snapshots, days)


def _declare(store: Store, name: str, title: str) -> None:
    contract = declared(name, title).model_dump_json()
    _replace(store, BOARDS, name, [{"kind": "llm", "title": title, "contract": contract}])


def _age(source: str) -> float:
    return _SOURCES[source][4] or 0.0


def _fetched(source: str, moment: datetime) -> datetime:
    return moment - timedelta(days=_age(source))


def _status(models: Sequence[Made], moment: datetime) -> list[dict[str, Any]]:
    rows = []
    for source, (title, licence, status, days, age) in _SOURCES.items():
        n_models = sum(any(_OF.get(name) == source for name in one.values) for one in models)
        rows.append(
            {
                **{"source": source, "title": title, "home": f"https://example.org/{source}", "licence": licence},
                **{"attribution": f"Figures: {title}", "status": status, "checked_at": moment, "days": days},
                "is_frozen": status == "frozen",
                "fetched_at": None if age is None else _fetched(source, moment),
                "source_updated_at": moment - timedelta(days=500) if source == "evalplus" else None,
                **{"n_results": 5 * n_models, "n_models": n_models, "n_unread": int(source == "openrouter")},
                **{"why": _WHY.get(status), "version": "4.1" if source == "artificialanalysis" else None},
            }
        )
    return rows


def _breaks(moment: datetime) -> list[dict[str, Any]]:
    benchmark, measure = QUALITY.split(".")
    at = moment - timedelta(days=1)
    return [
        {
            **{"source": "artificialanalysis", "at": at, "benchmark": benchmark, "measure": measure},
            "sentence": BREAK,
        }
    ]


def _models(models: Sequence[Made]) -> list[dict[str, Any]]:
    return [
        {
            **{"model": one.model, "title": one.title, "organisation": one.organisation, "family": one.model},
            **{"released_on": one.released_on, "open_weights": one.open_weights, "openrouter_id": one.model},
            "released_evidence": SAYS_DAY if one.released_on else "",
            "weights_evidence": SAYS_CLOSED if one.open_weights is False else None,
            **{"hugging_face_id": one.model if one.open_weights else None, "is_made": one.model == BARE},
            "models_dev_id": f"dev/{one.model.partition('/')[2]}",
        }
        for one in models
    ]


def _aliases(models: Sequence[Made]) -> list[dict[str, Any]]:
    sources = {
        source: [one for one in models if any(_OF[name] == source for name in one.values)] for source in _OF.values()
    }
    unmatched = {"source": "evalplus", "raw_name": "Zephyr β-7B", "title": "<Zephyr>", "method": "none"}
    return [
        {**unmatched, "status": "unmatched", "is_system": False},
        *(
            {
                **{
                    "source": source,
                    "raw_name": _raw(one),
                    "title": one.title,
                    "model": one.model,
                    "family": one.model,
                },
                **{"method": "openrouter_id", "status": "accepted", "evidence": "a link", "is_system": False},
            }
            for source, listed in sources.items()
            for one in listed
        ),
    ]


def _raw(one: Made) -> str:
    return one.title


def _results(models: Sequence[Made], moment: datetime) -> list[dict[str, Any]]:
    rows = []
    for one in models:
        rows += [_result(one, name, value, moment) for name, value in one.values.items()]
    best = next(one for one in models if one.model == BEST)
    quick = _result(best, QUALITY, 41.0, moment) | {"config": "effort=low", "url": "javascript:alert(1)"}
    other = _result(best, "price.input", 12.5, moment) | {
        "source": "modelsdev",
        "fetched_at": _fetched("modelsdev", moment),
    }
    zero = _result(best, "livebench.coding", 0.0, moment) | {"value": None, "reason": "zero_means_missing"}
    flagged = _result(best, "humaneval.pass_at_1", 97.0, moment) | {"flags": "contaminated"}
    rows += [
        quick | {"is_used": False, "left_out": "another configuration: effort=high"},
        other | {"is_used": False, "left_out": "another source: openrouter"},
        zero | {"source": "livebench", "is_used": False, "left_out": "no value: zero_means_missing"},
        flagged | {"is_used": False, "left_out": "flag: contaminated"},
    ]
    dear = next(one for one in models if one.model == SLOW)
    offer = _result(dear, "price.input", 2.01, moment) | {
        "source": "modelsdev",
        "left_out": "another source: openrouter",
    }
    rows += [offer | {"config": f"offer {number}", "is_used": False} for number in range(N_OFFERS)]
    return rows


def _result(one: Made, name: str, value: float, moment: datetime) -> dict[str, Any]:
    benchmark, measure = name.split(".")
    source = _OF.get(name, "evalplus")
    return {
        **{"source": source, "raw_name": _raw(one), "model": one.model, "benchmark": benchmark, "measure": measure},
        **{"value": value, "unit": str(BENCHMARKS[benchmark].measures[measure].unit)},
        "n": 164 if benchmark == "humaneval_plus" else None,
        "se": 2.7 if benchmark == "humaneval_plus" else None,
        **{"config": "effort=high" if name == QUALITY else "", "channel": "", "flags": ""},
        **{"fetched_at": _fetched(source, moment), "url": f"https://example.org/{source}/{benchmark}"},
        **{"is_used": True, "left_out": None},
    }


def _benchmarks(models: Sequence[Made]) -> list[dict[str, Any]]:
    counts = pd.Series([name for one in models for name in one.values]).value_counts()
    rows = []
    for name, n_models in counts.items():
        benchmark, measure = str(name).split(".")
        of = BENCHMARKS[benchmark]
        means = of.measures[measure]
        rows.append(
            {
                **{"benchmark": benchmark, "measure": measure, "title": of.title, "measure_title": means.title},
                **{"area": str(of.area), "unit": str(means.unit), "is_headline": of.headline == measure},
                **{"direction": "desc" if means.higher_is_better else "asc", "n_models": int(n_models)},
            }
        )
    return rows


def _scores(one: Made) -> list[dict[str, Any]]:
    values = dict(zip(SCORES, (one.ability, one.coding, one.performance, one.worth, one.overall), strict=True))
    return [
        {
            **{"model": one.model, "score": score, "value": value},
            "ci_low": value - one.half_width if score == "ability" and value is not None else None,
            "ci_high": value + one.half_width if score == "ability" and value is not None else None,
            "coverage": 1 - sum(CODING[name] for name in one.missing)
            if score == "coding"
            else float(value is not None),
            "is_partial": score == "coding" and value is not None and bool(one.missing),
            "missing": ",".join(one.missing) or None if score == "coding" else None,
            **{"n_benchmarks": len(CODING) - len(one.missing), "n_sources": len(_sources(one))},
            "reason": "missing_parts" if value is None else None,
            "is_converged": None if score != "ability" else True,
        }
        for score, value in values.items()
    ]


def _sources(one: Made) -> set[str]:
    return {_OF[name] for name in one.values if name in CODING or name in (QUALITY, RATING)}


def _board(models: Sequence[Made], moment: datetime) -> list[dict[str, Any]]:
    abilities = [one.ability for one in models if one.ability is not None]
    return [_board_row(one, at, abilities, moment) for at, one in enumerate(models, start=1)]


def _board_row(one: Made, position: int, abilities: Sequence[float], moment: datetime) -> dict[str, Any]:
    ability, ranks = one.ability, (None, None, None)
    if ability is not None:
        width = one.half_width
        above = [sum(other > ability + by for other in abilities) for by in (0.0, width, -width)]
        ranks = (above[0] + 1, above[1] + 1, above[2])
    rank, best, worst = ranks
    price = one.values.get("price.input")
    return {
        **{"model": one.model, "position": position, "rank_by": "ability", "rank": rank, "rank_lo": best},
        **{"rank_hi": worst, "loo_rank_lo": best, "loo_rank_hi": worst, "tie_group": best, "status": one.status},
        "coverage": (len(CODING) - len(one.missing)) / len(CODING),
        **{"n_benchmarks": len(CODING) - len(one.missing), "n_sources": len(_sources(one))},
        **{"is_partial": one.model == PARTIAL, "ability": ability, "coding": one.coding, "value": one.worth},
        **{"performance": one.performance, "overall": one.overall, "title": one.title},
        "ability_low": None if ability is None else ability - one.half_width,
        "ability_high": None if ability is None else ability + one.half_width,
        **{"organisation": one.organisation, "released_on": one.released_on, "open_weights": one.open_weights},
        "is_free": None if price is None else price == 0,
        **{"price_input": price, "price_output": one.values.get("price.output")},
        **{"context": one.values.get("context.context_length"), "quality": one.values.get(QUALITY)},
        **{"ttft": one.values.get(SPEEDS[0]), "throughput": one.values.get(SPEEDS[1])},
        "benchmarks_at": _fetched("evalplus", moment) if one.coding is not None else None,
        "performance_at": _fetched("artificialanalysis", moment) if one.performance is not None else None,
        "prices_at": _fetched("openrouter", moment) if price is not None else None,
    }


def _snapshots(board: Sequence[Mapping[str, Any]], day: datetime, number: int) -> list[dict[str, Any]]:
    """The board of a day; on the first there was another model in the place of one that is there now."""
    columns = [name for name in LLM_SNAPSHOTS.column_names if name not in ("ranking", "day")]
    there = [row if number or row["model"] != TWIN else {**row, "model": GONE} for row in board]
    return [{"day": day} | {name: row[name] for name in columns} for row in there]


def _replace(
    store: Store, spec: TableSpec, name: str, rows: Sequence[Mapping[str, Any]], cycles: Sequence[datetime] = (WHOLE,)
) -> None:
    columns = [column for column in spec.columns if column.name != spec.board]
    frame = pd.DataFrame(rows, columns=[column.name for column in columns])
    for column in columns:
        if column.type in ("INTEGER", "BIGINT"):
            frame[column.name] = frame[column.name].astype("Int64")
    store.replace(spec, name, [Dirty(cycle, 0) for cycle in cycles], frame, "by hand")
