"""BigCodeBench: programming with many libraries, all tasks (Full) and the hardest of them (Hard)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pipeline.rankings.results import ModelName, Parsed
from pipeline.rankings.source import About, Wanted, Wanting
from pipeline.rankings.sources.gathering import Gathering, proportion
from pipeline.rankings.sources.pass_at_1 import PublishedModel, published_models
from pipeline.rankings.sources.reading import day_or_none, document_facts, newest, versions

_SITE = "https://bigcode-bench.github.io"
_STEMS = {"bigcodebench_full": "results", "bigcodebench_hard": "results-hard"}
_TASKS = {"bigcodebench_full": 1140, "bigcodebench_hard": 148}
_SETTINGS = re.compile(r"\(((?:w/|[^()]*=)[^()]*)\)\s*$")


@dataclass(frozen=True)
class BigCodeBench:
    """The leaderboard of BigCodeBench; nothing was added since April 2025.

    ``config`` of a result is what models were given: ``instruct`` (words) or ``complete`` (a docstring); base models
    have the second only. Many models without a figure in Full have one in Hard, so that averages over each are over
    different models. The date of a row is the model's. Settings within a name, such as ``(temperature=1,
    reasoning=high)``, are also told as the name's config.

    A task is tried once: the standard error is that of a share of the 1,140 tasks of Full and the 148 of Hard (Zhuo et
    al. 2024, https://arxiv.org/abs/2406.15877).
    """

    @property
    def about(self) -> About:
        """What is said of it."""
        return About(
            name="bigcodebench",
            title="BigCodeBench",
            home=f"{_SITE}/",
            attribution=f"BigCodeBench leaderboard (Zhuo et al. 2024), {_SITE}",
            is_frozen=True,
            changed_on=date(2025, 4, 17),  # the last commit of its site
            days=365,
        )

    def wanted(self) -> Wanting:
        """The files of Full and of Hard."""
        for stem in _STEMS.values():
            yield Wanted(f"{stem}.json", f"{_SITE}/{stem}.json", most_bytes=8 * 2**20)

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        """Read the newest versions of ``results.json`` and ``results-hard.json``; one of the two may be missing.

        Raises
        ------
        pipeline.rankings.SourceError
            If neither is there, or one that is there cannot be read.
        """
        if not versions(documents, "results-hard", "json"):
            newest(documents, "results", "json")
        gathering = Gathering("")
        for benchmark, stem in _STEMS.items():
            gathering.document = f"{stem}.json"
            if not versions(documents, stem, "json"):
                gathering.leave_out("all of it", "not among the documents")
                continue
            gathering.document = newest(documents, stem, "json")
            for model in published_models(gathering, documents[gathering.document]):
                _read(gathering, benchmark, model)
        return gathering.parsed(facts=document_facts(documents, "json", *_STEMS.values()))


def _read(gathering: Gathering, benchmark: str, model: PublishedModel) -> None:
    gathering.names.setdefault(model.raw_name, _name(model))
    for config in ("instruct", "complete"):
        with gathering.part(model.place(config)):
            figure = model.figure(config)
            share = proportion(model.raw_name, benchmark, "pass_at_1", figure, _TASKS[benchmark], config=config)
            gathering.results.append(share)


def _name(model: PublishedModel) -> ModelName:
    settings = _SETTINGS.search(model.raw_name)
    return ModelName(
        model.raw_name,
        title=model.raw_name,
        hugging_face_id=model.hugging_face_id,
        openrouter_id=model.openrouter_id,
        config=settings[1] if settings else "",
        released_on=day_or_none(model.row.get("date")),
        url=model.url,
    )
