"""LiveBench: questions renewed from release to release, in categories of several subtasks."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.rankings.results import ModelName, Parsed, Result
from pipeline.rankings.source import About, SourceError, Wanted, Wanting, edition_of
from pipeline.rankings.sources.gathering import NOT_PUBLISHED, ZERO_MEANS_MISSING, Gathering
from pipeline.rankings.sources.livebench_models import LinkedModel, linked_models
from pipeline.rankings.sources.reading import (
    UnusableError,
    count,
    day_in,
    list_of,
    midnight,
    number,
    object_of,
    percentage,
    read_csv,
    read_json,
    shown,
    text,
    versions,
)

_BENCHMARK = "livebench"
_MEASURES = {
    "Coding": "coding",
    "Agentic Coding": "agentic_coding",
    "Reasoning": "reasoning",
    "Mathematics": "mathematics",
    "Data Analysis": "data_analysis",
    "Language": "language",
    "IF": "instruction_following",
    "Instruction Following": "instruction_following",
}
_SUFFIXES = {"table": "csv", "categories": "json", "cost": "csv"}
_MODELS = "modelLinks.js"


@dataclass(frozen=True)
class LiveBench:
    """One release of LiveBench, the newest unless another is asked for: it is ``config`` and ``version``.

    Releases have other questions and other subtasks: no figure of one is comparable with one of another, and those of
    published releases are corrected afterwards. Scores are published per subtask only. As on the site, a category is
    the mean of those of its subtasks that have a score, and ``overall`` the mean of the categories; it has none where
    a category has none. (The site writes 72 and 58 for two models of early 2025 in place of theirs; this does not.)

    A zero is ambiguous: some are earned, some are failures of the grading. One is taken as missing where it cannot
    well be earned: where both the median of the subtask over models and the model's mean over its other subtasks are at
    least ``implausible_zero``. Others count, and flag the figure ``zero_subtask``. ``subtasks_missing`` flags figures
    over a part of the subtasks, ``unseen_bias`` models that the site marks for it.

    ``question_cost`` is the cost of the run divided by its questions, over subtasks with a cost: weighted by questions,
    as the publisher does it, not the mean of categories. A cost of 0 is unknown. No uncertainty is published; ``n`` is
    the questions, where the costs tell them.

    Parameters
    ----------
    release : date or None
        None for the newest of which there are scores and categories.
    repository : str
        On GitHub: where the site's source is, whose ``public`` folder is looked through for releases.
    implausible_zero : float
        In percent; above 100 takes every zero as earned.
    """

    release: date | None = None
    repository: str = "LiveBench/new-livebench"
    implausible_zero: float = 50.0

    @property
    def about(self) -> About:
        """What is said of it."""
        return About(
            name="livebench",
            title="LiveBench",
            home="https://livebench.ai/",
            attribution="LiveBench (White et al. 2024), https://livebench.ai",
            days=30,
            edition=edition_of(self, "release", "repository"),
        )

    def wanted(self) -> Wanting:
        """The list of files, then those of the release, and what the site says of models.

        Raises
        ------
        pipeline.rankings.SourceError
            If the list is none, or has no release, or not the one that is asked for.
        """
        tree = f"https://api.github.com/repos/{self.repository}/git/trees/HEAD?recursive=1"
        paths = _paths("tree.json", (yield Wanted("tree.json", tree)))
        files = self._files({path: b"" for path in paths if path.startswith("public/")})
        chosen = [*files.values(), *[path for path in paths if path.endswith(f"/{_MODELS}")][:1]]
        for path in chosen:
            url = f"https://raw.githubusercontent.com/{self.repository}/HEAD/{path}"
            yield Wanted(path.rsplit("/", 1)[-1], url, most_bytes=8 * 2**20)

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        """Read ``table_*.csv`` and ``categories_*.json`` of a release; ``cost_*.csv`` and ``modelLinks.js`` if there.

        Raises
        ------
        pipeline.rankings.SourceError
            If a release's scores or categories are missing or cannot be read.
        """
        files = self._files(documents)
        release = str(day_in(files["table"]))
        gathering = Gathering(files["categories"])
        categories = _categories(gathering, documents[files["categories"]])
        gathering.document = files["table"]
        scores = _scores(gathering, documents[files["table"]], categories, self.implausible_zero)
        linked = _linked(gathering, documents)
        gathering.document = files.get("cost", "")
        costs = _costs(gathering, documents[files["cost"]], scores, categories) if "cost" in files else None
        for model, row in scores.items():
            known = linked.get(model, LinkedModel(ModelName(model, title=model), has_unseen_bias=False))
            flags = ("unseen_bias",) * known.has_unseen_bias
            gathering.add_name(known.name)
            gathering.results += _Model(model, release, row, (costs or {}).get(model, {}), flags).results(categories)
            if costs is not None:
                gathering.results.append(_question_cost(model, release, costs.get(model, {}), categories, flags))
        gathering.document = files["table"]
        updated_at = midnight(day_in(files["table"]))
        return gathering.parsed(updated_at=updated_at, version=release, facts=self._facts(documents, files))

    def _files(self, documents: Mapping[str, bytes]) -> dict[str, str]:
        """The documents of the release, by what they hold."""
        releases: dict[date, dict[str, str]] = defaultdict(dict)
        for stem, suffix in _SUFFIXES.items():
            for name in versions(documents, stem, suffix):
                released = day_in(name)
                if released:
                    releases[released][stem] = name
        complete = {released for released, files in releases.items() if {"table", "categories"} <= files.keys()}
        release = self.release or max(complete, default=None)
        if release not in complete:
            wanted = f"the release {self.release}" if self.release else "any release"
            among = ", ".join(sorted(documents)[:20]) or "nothing"
            has = ", ".join(map(str, sorted(complete))) or f"none, among: {among}"
            raise SourceError(f"LiveBench: no table_*.csv with its categories_*.json of {wanted}; there are {has}")
        return releases[release]

    def _facts(self, documents: Mapping[str, bytes], files: Mapping[str, str]) -> dict[str, str]:
        every = [name for stem, suffix in _SUFFIXES.items() for name in versions(documents, stem, suffix)]
        aside = [name for name in every if name not in files.values()]
        facts = {"documents": ", ".join(files.values()), "release": str(day_in(files["table"]))}
        return facts | ({"other releases": ", ".join(aside)} if aside else {})


_Row = Mapping[str, float | None]
_Check = Callable[[object], float | None]


def _paths(document: str, body: bytes) -> list[str]:
    """The paths of the files in a repository, out of GitHub's list of its tree."""
    tree = list_of(document, object_of(document, read_json(document, body)), "tree")
    paths = [entry.get("path") for entry in tree if isinstance(entry, dict)]
    return [path for path in paths if isinstance(path, str)]


@dataclass(frozen=True)
class _Categories:
    """Subtasks by category, and the category of each measure."""

    subtasks: Mapping[str, tuple[str, ...]]
    by_measure: Mapping[str, str]

    @property
    def all_subtasks(self) -> tuple[str, ...]:
        """Each subtask once."""
        return tuple(dict.fromkeys(subtask for listed in self.subtasks.values() for subtask in listed))


def _categories(gathering: Gathering, body: bytes) -> _Categories:
    document = gathering.document
    listed = object_of(document, read_json(document, body))
    subtasks, by_measure = {}, {}
    for category in listed:
        names = list_of(document, listed, category)
        if not names or not all(isinstance(name, str) and name for name in names):
            raise SourceError(f"{document}: {shown(category)} should be a list of subtasks; it is {shown(names)}")
        subtasks[category] = tuple(dict.fromkeys(map(str, names)))
        measure = _MEASURES.get(category)
        if measure is None or measure in by_measure:
            gathering.leave_out(shown(category), "no measure is known for it; it counts in overall")
        else:
            by_measure[measure] = category
    if not subtasks:
        raise SourceError(f"{document}: has no category")
    return _Categories(subtasks, by_measure)


def _scores(gathering: Gathering, body: bytes, categories: _Categories, implausible_zero: float) -> dict[str, _Row]:
    """Scores by model and subtask, None where there is none."""
    header, lines = read_csv(gathering.document, body)
    for column in header:
        if column not in categories.all_subtasks and column != "model":
            gathering.leave_out(f"column {shown(column)}", "in no category")
    scores = _rows(gathering, header, lines, dict.fromkeys(categories.all_subtasks, percentage))
    medians = {}
    for subtask in categories.all_subtasks:
        present = [score for row in scores.values() if (score := row[subtask]) is not None]
        medians[subtask] = statistics.median(present) if present else 0.0
    return {
        model: _without_implausible_zeros(gathering, model, row, medians, implausible_zero)
        for model, row in scores.items()
    }


def _rows(
    gathering: Gathering, header: Sequence[str], lines: Iterable[Sequence[str]], checks: Mapping[str, _Check]
) -> dict[str, _Row]:
    """Checked values by model and column, None for those that are not there; lines may be shorter than the header."""
    if "model" not in header:
        raise SourceError(f"{gathering.document}: should have a column 'model'; it has {shown(list(header))}")
    for column in checks:
        if column not in header:
            gathering.leave_out(f"column {shown(column)}", "not there")
    rows: dict[str, _Row] = {}
    for place, line in enumerate(lines, start=1):
        with gathering.part(f"row {place}"):
            cells = dict(zip(header, line, strict=False))
            model = text(cells.get("model"))
            if model in rows:
                raise UnusableError(f"{shown(model)} is listed already; the first counts")
            if len(line) != len(header):
                gathering.leave_out(f"row {place}, {shown(model)}", f"has {len(line)} cells of {len(header)}")
            rows[model] = {column: _cell(gathering, model, cells, column, check) for column, check in checks.items()}
    return rows


def _cell(gathering: Gathering, model: str, cells: Mapping[str, str], column: str, check: _Check) -> float | None:
    try:
        return check(cells.get(column))
    except UnusableError as error:
        gathering.leave_out(f"{shown(model)}, {column}", str(error))
        return None


def _without_implausible_zeros(
    gathering: Gathering, model: str, row: _Row, medians: Mapping[str, float], least: float
) -> _Row:
    kept = dict(row)
    for subtask, value in row.items():
        elsewhere = [other for name, other in row.items() if name != subtask and other is not None]
        if value == 0 and elsewhere and medians[subtask] >= least and statistics.fmean(elsewhere) >= least:
            kept[subtask] = None
            said = f"the median is {medians[subtask]:.1f} and the model has {statistics.fmean(elsewhere):.1f} elsewhere"
            gathering.leave_out(f"{shown(model)}, {subtask}", f"0 taken as missing: {said}")
    return kept


def _linked(gathering: Gathering, documents: Mapping[str, bytes]) -> dict[str, LinkedModel]:
    """What the site says of models; without it, or where it cannot be read, they go by their raw names."""
    found = versions(documents, *_MODELS.split("."))
    gathering.document = found[-1] if found else _MODELS
    try:
        return linked_models(found[-1], documents[found[-1]]) if found else {}
    except SourceError as error:
        gathering.leave_out("all of it", str(error))
        return {}


def _costs(gathering: Gathering, body: bytes, scores: Mapping[str, _Row], categories: _Categories) -> dict[str, _Row]:
    """Dollars of each subtask and, as ``nq_`` and its name, its questions, by model."""
    header, lines = read_csv(gathering.document, body)
    checks: dict[str, _Check] = {subtask: _dollars for subtask in categories.all_subtasks}
    checks |= {f"nq_{subtask}": count for subtask in categories.all_subtasks}
    costs = _rows(gathering, header, lines, checks)
    if not costs:
        raise gathering.nothing_read()
    for model in sorted(costs.keys() - scores.keys()):
        gathering.leave_out(shown(model), "has costs and no scores")
    return costs


def _dollars(value: object) -> float | None:
    amount = number(value)
    if amount is not None and amount < 0:
        raise UnusableError(f"{shown(value)} is no cost")
    return amount


@dataclass(frozen=True)
class _Model:
    raw_name: str
    release: str
    scores: _Row
    costs: _Row
    flags: tuple[str, ...]

    def results(self, categories: _Categories) -> list[Result]:
        """``overall`` and the categories that the vocabulary has a measure of."""
        means = [self._mean(subtasks) for subtasks in categories.subtasks.values()]
        present = [mean for mean in means if mean is not None]
        overall = statistics.fmean(present) if len(present) == len(means) else None
        results = [self._result("overall", overall, "category_missing", categories.all_subtasks)]
        for measure, category in categories.by_measure.items():
            subtasks = categories.subtasks[category]
            results.append(self._result(measure, self._mean(subtasks), "no_subtask", subtasks))
        return results

    def _present(self, subtasks: Sequence[str]) -> dict[str, float]:
        found = {subtask: self.scores[subtask] for subtask in subtasks}
        return {subtask: score for subtask, score in found.items() if score is not None}

    def _mean(self, subtasks: Sequence[str]) -> float | None:
        present = self._present(subtasks)
        return statistics.fmean(present.values()) if present else None

    def _result(self, measure: str, value: float | None, reason: str, subtasks: Sequence[str]) -> Result:
        present = self._present(subtasks)
        questions = [self.costs.get(f"nq_{subtask}") for subtask in present]
        asked = [n for n in questions if n is not None]
        flags = {"subtasks_missing": len(present) < len(subtasks), "zero_subtask": 0 in present.values()}
        return Result(
            self.raw_name,
            _BENCHMARK,
            measure,
            value,
            reason=reason if value is None else None,
            n=int(sum(asked)) if asked and len(asked) == len(present) and value is not None else None,
            config=self.release,
            flags=self.flags + tuple(flag for flag, is_so in flags.items() if is_so),
        )


def _question_cost(raw_name: str, release: str, costs: _Row, categories: _Categories, flags: tuple[str, ...]) -> Result:
    pairs = [(costs.get(subtask), costs.get(f"nq_{subtask}")) for subtask in categories.all_subtasks]
    told = [(amount, questions) for amount, questions in pairs if amount and questions]
    missing = ZERO_MEANS_MISSING if any(amount == 0 for amount, _ in pairs) else NOT_PUBLISHED
    questions = int(sum(questions for _, questions in told))
    return Result(
        raw_name,
        _BENCHMARK,
        "question_cost",
        sum(amount for amount, _ in told) / questions if told else None,
        reason=None if told else missing,
        n=questions or None,
        config=release,
        flags=flags + ("subtasks_missing",) * (0 < len(told) < len(pairs)),
    )
