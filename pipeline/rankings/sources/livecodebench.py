"""LiveCodeBench: contest problems by date, so that a score is over those after a day."""

import math
import statistics
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pipeline.rankings.results import ModelName, Parsed, Result
from pipeline.rankings.source import About, SourceError, Wanted, Wanting
from pipeline.rankings.sources.gathering import Gathering
from pipeline.rankings.sources.reading import (
    UnusableError,
    document_facts,
    hugging_face_id,
    list_of,
    newest,
    number,
    object_of,
    percentage,
    read_json,
    shown,
    text,
    text_or_none,
    web_link,
)

_STEM = "performances_generation"
_SITE = "https://livecodebench.github.io"
_FIRST_MARK = 0.3
_YEAR_2100 = 4_102_444_800_000


@dataclass(frozen=True)
class LiveCodeBench:
    """The leaderboard of LiveCodeBench for code generation; nothing was added since August 2025.

    It publishes each model's share of solutions that pass for each question, and no score: that is the mean over the
    questions within a window of dates, both ends included, which ``config`` and the facts tell. By default the window
    is the one that the site opens with: from ``date_marks[floor(0.3 n)]`` to the last of its ``n`` marks. Standard
    errors are those of the mean over the questions: ``sd / sqrt(n)``.

    A model's ``release_date`` in the document is the estimated end of what it was trained on. Where that is not before
    the window, the site ranks the model nowhere: flag ``contaminated``; where it is missing: ``cutoff_unknown``.
    ``fewer_questions`` flags a model that was not asked as many questions of the window as others were.

    Parameters
    ----------
    since, until : date or None
        The window, in days of UTC; None for the site's default.

    Raises
    ------
    ValueError
        If the window ends before it begins.
    """

    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"the window {self.since}..{self.until} ends before it begins")

    @property
    def about(self) -> About:
        """What is said of it."""
        return About(
            name="livecodebench",
            title="LiveCodeBench",
            home=f"{_SITE}/leaderboard.html",
            attribution=f"LiveCodeBench leaderboard (Jain et al. 2024), {_SITE}",
            is_frozen=True,
            changed_on=date(2025, 8, 1),  # the last commit of its site
            days=365,
        )

    def wanted(self) -> Wanting:
        """The one file of every model's result of every question."""
        yield Wanted(f"{_STEM}.json", f"{_SITE}/{_STEM}.json", most_bytes=64 * 2**20)

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        """Read the newest version of ``performances_generation.json``.

        Raises
        ------
        pipeline.rankings.SourceError
            If it is not what it should be, or has no marks to choose a window by.
        """
        gathering = Gathering(newest(documents, _STEM, "json"))
        content = object_of(gathering.document, read_json(gathering.document, documents[gathering.document]))
        since, until = self._window(gathering.document, content)
        models = _models(gathering, list_of(gathering.document, content, "models"))
        asked = _asked(gathering, list_of(gathering.document, content, "performances"), models.keys())
        within = {name: [share for day, share in asked.get(name, ()) if since <= day <= until] for name in models}
        most = max(map(len, within.values()), default=0)
        for name, model in models.items():
            flags = (*model.flags(since), *("fewer_questions",) * (len(within[name]) < most))
            gathering.add_name(model.name)
            gathering.results.append(_score(name, within[name], f"{since}..{until}", flags))
        window = {"window": f"{since}..{until}", "questions": str(most)}
        return gathering.parsed(facts=document_facts(documents, "json", _STEM) | window)

    def _window(self, document: str, content: Mapping[str, object]) -> tuple[date, date]:
        if self.since and self.until:
            return self.since, self.until
        try:
            marks = [_day(mark) for mark in list_of(document, content, "date_marks")]
        except UnusableError as error:
            raise SourceError(f"{document}: date_marks cannot be read: {error}") from None
        if not marks:
            raise SourceError(f"{document}: date_marks is empty; give the window's first and last day as options")
        since, until = self.since or marks[math.floor(_FIRST_MARK * len(marks))], self.until or marks[-1]
        if since > until:
            raise SourceError(f"{document}: the window {since}..{until} ends before it begins")
        return since, until


@dataclass(frozen=True)
class _Model:
    name: ModelName
    cutoff: date | None

    def flags(self, since: date) -> tuple[str, ...]:
        """What a window from ``since`` says against its score."""
        if self.cutoff is None:
            return ("cutoff_unknown",)
        return ("contaminated",) if self.cutoff >= since else ()


def _day(value: object) -> date:
    """The day in UTC of milliseconds since 1970."""
    milliseconds = number(value)
    if milliseconds is None or not 0 <= milliseconds < _YEAR_2100:
        raise UnusableError(f"{shown(value)} is no time in milliseconds since 1970")
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date()


def _models(gathering: Gathering, listed: Sequence[object]) -> dict[str, _Model]:
    """By ``model_repr``, which results refer to."""
    models: dict[str, _Model] = {}
    for place, fields in enumerate(listed, start=1):
        with gathering.part(f"models, row {place}"):
            model = _model(fields)
            if models.setdefault(model.name.raw_name, model) is not model:
                raise UnusableError(f"{shown(model.name.raw_name)} is listed already; the first counts")
    return models


def _model(fields: object) -> _Model:
    if not isinstance(fields, dict):
        raise UnusableError(f"should be an object; it is {shown(fields)}")
    raw_name, link = text(fields.get("model_repr")), fields.get("link")
    run_as = text_or_none(fields.get("model_name"))
    released_as, _, effort = run_as.partition("__")
    name = ModelName(
        raw_name,
        title=raw_name,
        hugging_face_id=hugging_face_id(link),
        others=(released_as,) if released_as else (),
        config=effort,
        family=released_as if effort else "",
        url=web_link(link),
    )
    cutoff = fields.get("release_date")
    return _Model(name, None if cutoff is None else _day(cutoff))


def _asked(
    gathering: Gathering, performances: Sequence[object], models: Collection[str]
) -> dict[str, list[tuple[date, float]]]:
    """By model, the day and the share of each question."""
    asked: dict[str, dict[tuple[str, str], tuple[date, float]]] = defaultdict(dict)
    faults: dict[str, list[int]] = defaultdict(list)
    for place, fields in enumerate(performances, start=1):
        try:
            model, question, answer = _performance(fields)
            if model not in models:
                raise UnusableError(f"{shown(model)} is not among the models")
            if asked[model].setdefault(question, answer) is not answer:
                raise UnusableError(f"a question that {shown(model)} has already; the first counts")
        except UnusableError as error:
            faults[str(error)].append(place)
    for fault, places in faults.items():
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        gathering.leave_out(f"performances, row {places[0]}{more}", fault)
    return {model: list(answers.values()) for model, answers in asked.items()}


def _performance(fields: object) -> tuple[str, tuple[str, str], tuple[date, float]]:
    """Model, question by platform and id, day and share of one result."""
    if not isinstance(fields, dict):
        raise UnusableError(f"should be an object; it is {shown(fields)}")
    share = percentage(fields.get("pass@1"))
    if share is None:
        raise UnusableError("pass@1 is empty")
    question = str(fields.get("platform")), text(fields.get("question_id"))
    return text(fields.get("model")), question, (_day(fields.get("date")), share)


def _score(raw_name: str, shares: Sequence[float], window: str, flags: tuple[str, ...]) -> Result:
    n = len(shares)
    error = statistics.stdev(shares) / math.sqrt(n) if n > 1 else 0.0
    return Result(
        raw_name,
        "livecodebench",
        "pass_at_1",
        statistics.fmean(shares) if shares else None,
        reason=None if shares else "no_questions",
        n=n or None,
        se=error or None,
        config=window,
        flags=flags,
    )
