"""EvalPlus: HumanEval, MBPP and their extended tests, by greedy decoding."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pipeline.rankings.results import ModelName, Parsed
from pipeline.rankings.source import About, Wanted, Wanting
from pipeline.rankings.sources.gathering import Gathering, proportion
from pipeline.rankings.sources.pass_at_1 import PublishedModel, published_models
from pipeline.rankings.sources.reading import document_facts, newest

_BENCHMARKS = {"humaneval": "humaneval", "humaneval+": "humaneval_plus", "mbpp": "mbpp", "mbpp+": "mbpp_plus"}
_TASKS = {"humaneval": 164, "humaneval+": 164, "mbpp": 378, "mbpp+": 378}


@dataclass(frozen=True)
class EvalPlus:
    """The leaderboard of EvalPlus; frozen since December 2024.

    Chat and base models are in one list: ``config`` says which. Pass@1 comes without uncertainty; since every problem
    is tried once, its standard error is that of a share of the problems: 164 of HumanEval+ (Chen et al. 2021; Liu et
    al. 2023, https://arxiv.org/abs/2305.01210) and 378 of MBPP+ v0.2.0 (https://github.com/evalplus/evalplus), which
    also the column without extra tests is over. The site's own average is not taken over.
    """

    @property
    def about(self) -> About:
        """What is said of it."""
        return About(
            name="evalplus",
            title="EvalPlus",
            home="https://evalplus.github.io/leaderboard.html",
            licence="Apache-2.0",
            attribution="EvalPlus leaderboard (Liu et al. 2023), https://evalplus.github.io",
            is_frozen=True,
            changed_on=date(2024, 12, 26),  # the last commit of its site
            days=365,
        )

    def wanted(self) -> Wanting:
        """The one file of results."""
        yield Wanted("results.json", "https://evalplus.github.io/results.json", most_bytes=8 * 2**20)

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        """Read the newest version of ``results.json``. Raises :class:`pipeline.rankings.SourceError`."""
        document = newest(documents, "results", "json")
        gathering = Gathering(document)
        for model in published_models(gathering, documents[document]):
            _read(gathering, model)
        return gathering.parsed(facts=document_facts(documents, "json", "results"))


def _read(gathering: Gathering, model: PublishedModel) -> None:
    config = "" if model.is_prompted is None else "chat" if model.is_prompted else "base"
    gathering.add_name(
        ModelName(
            model.raw_name, title=model.raw_name, hugging_face_id=model.hugging_face_id, config=config, url=model.url
        )
    )
    for key, benchmark in _BENCHMARKS.items():
        with gathering.part(model.place(key)):
            share = proportion(model.raw_name, benchmark, "pass_at_1", model.figure(key), _TASKS[key], config=config)
            gathering.results.append(share)
