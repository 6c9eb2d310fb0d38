"""Aider polyglot: exercises in six languages, solved by editing files in at most two tries."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import yaml

from pipeline.rankings.results import ModelName, Parsed
from pipeline.rankings.source import About, SourceError, Wanted, Wanting
from pipeline.rankings.sources.gathering import Gathering, cost, proportion
from pipeline.rankings.sources.reading import (
    UnusableError,
    count,
    day,
    document_facts,
    midnight,
    newest,
    read_text,
    shown,
    text,
    text_or_none,
)

_BENCHMARK = "aider_polyglot"
_SHARES = {"pass_rate_2": "pass_rate_2", "pass_rate_1": "pass_rate_1", "well_formed": "percent_cases_well_formed"}  # nosec B105 # no password
_MOST_TEXT = 2**20
_MODEL = re.compile(r"(?:^|\s)--model[ =](\S+)")
_SETTINGS = ("reasoning_effort", "thinking_tokens")


@dataclass(frozen=True)
class AiderPolyglot:
    """The polyglot leaderboard of Aider, a list of runs.

    Runs are told apart by their ``dirname``, since one model may have several; ``config`` is the format in which it
    edits. Two models together (``A + B``, an architect and an editor) are a system. What the command calls a model is
    a further name of it, unless other models were run by that name or it moves with time (``-latest``, ``sonnet``).

    A cost of 0, or none, is unknown. Standard errors are those of shares of the run's ``test_cases``: 225, or a few
    less where cases did not finish; some of those runs publish shares of the cases, others of all 225.
    """

    @property
    def about(self) -> About:
        """What is said of it."""
        return About(
            name="aider",
            title="Aider polyglot",
            home="https://aider.chat/docs/leaderboards/",
            licence="Apache-2.0",
            attribution="Aider LLM leaderboards, https://aider.chat/docs/leaderboards/",
            days=180,
        )

    def wanted(self) -> Wanting:
        """The one file of runs."""
        repository = "https://raw.githubusercontent.com/Aider-AI/aider/main"
        file = "polyglot_leaderboard.yml"
        yield Wanted(file, f"{repository}/aider/website/_data/{file}", most_bytes=_MOST_TEXT)

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        """Read the newest version of ``polyglot_leaderboard.yml``. Raises :class:`pipeline.rankings.SourceError`."""
        gathering = Gathering(newest(documents, "polyglot_leaderboard", "yml"))
        runs = _runs(gathering, documents[gathering.document])
        titles = {(run.command_model, run.title) for run in runs}
        times = Counter(name for name, _ in titles)
        for run in runs:
            with gathering.part(f"run {shown(run.raw_name)}"):
                _read(gathering, run, is_known_by_command=times[run.command_model] == 1)
        days = [result.measured_on for result in gathering.results if result.measured_on]
        facts = document_facts(documents, "yml", "polyglot_leaderboard")
        return gathering.parsed(facts=facts, updated_at=midnight(max(days, default=None)))


@dataclass(frozen=True)
class _Run:
    raw_name: str
    title: str
    measured_on: date | None
    n: int | None
    fields: Mapping[str, object]

    @property
    def is_system(self) -> bool:
        """Two models together."""
        return " + " in self.title or bool(text_or_none(self.fields.get("editor_model")))

    @property
    def command_model(self) -> str:
        """The model as the command names it; empty where it does not."""
        found = _MODEL.search(text_or_none(self.fields.get("command")))
        return found[1] if found else ""

    @property
    def names_one_model(self) -> bool:
        """Whether the command means the same model today."""
        moves = self.command_model.endswith("-latest") or not re.search(r"\d", self.command_model)
        return not moves and not self.is_system

    @property
    def settings(self) -> str:
        """Effort and budget, where the run has fields for them."""
        said = {name: text_or_none(self.fields.get(name)) for name in _SETTINGS}
        return ", ".join(f"{name}={value}" for name, value in said.items() if value)


def _runs(gathering: Gathering, body: bytes) -> list[_Run]:
    runs = []
    for place, fields in enumerate(_listed(gathering.document, body), start=1):
        with gathering.part(f"run {place}"):
            runs.append(_run(fields))
    return runs


def _listed(document: str, body: bytes) -> list[object]:
    content = read_text(document, body)
    if len(content) > _MOST_TEXT:
        raise SourceError(f"{document}: {len(content):,} characters are no list of runs; {_MOST_TEXT:,} are the most")
    try:
        # Everything stays text: no tag or form of a value that YAML knows can make anything else of it.
        listed = yaml.load(content, yaml.BaseLoader)  # noqa: S506  # nosec B506 # the loader that makes texts alone
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SourceError(f"{document}: not YAML ({shown(str(error))}); it begins with {shown(content[:80])}") from None
    if not isinstance(listed, list):
        raise SourceError(f"{document}: should be a list of runs; it is {shown(listed)}")
    return listed


def _run(fields: object) -> _Run:
    if not isinstance(fields, dict):
        raise UnusableError(f"should be a mapping; it is {shown(fields)}")
    raw_name, title = text(fields.get("dirname")), text(fields.get("model"))
    return _Run(raw_name, title, day(fields.get("date")), count(fields.get("test_cases")), fields)


def _read(gathering: Gathering, run: _Run, *, is_known_by_command: bool) -> None:
    command_model = run.command_model if is_known_by_command and run.names_one_model else ""
    provider, _, id_at_provider = command_model.partition("/")
    gathering.add_name(
        ModelName(
            run.raw_name,
            title=run.title,
            openrouter_id=id_at_provider if provider == "openrouter" else "",
            others=(command_model,) if command_model else (),
            config=run.settings,
            is_system=run.is_system,
        )
    )
    config = text_or_none(run.fields.get("edit_format"))
    for measure, key in _SHARES.items():
        with gathering.part(f"run {shown(run.raw_name)}, {key}"):
            figure = run.fields.get(key)
            share = proportion(
                run.raw_name, _BENCHMARK, measure, figure, run.n, config=config, measured_on=run.measured_on
            )
            gathering.results.append(share)
    with gathering.part(f"run {shown(run.raw_name)}, total_cost"):
        figure = run.fields.get("total_cost")
        amount = cost(run.raw_name, _BENCHMARK, "total_cost", figure, config=config, measured_on=run.measured_on)
        gathering.results.append(amount)
