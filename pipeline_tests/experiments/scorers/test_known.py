"""Scorers by name and by dotted path."""

from typing import ClassVar

import pytest

from pipeline.experiments.scorers import SCORERS, Answer, Scorer, Scoring, Tools, make_scorer
from pipeline.settings import settings


class Shouting(Scorer):
    """A scorer of somebody's own."""

    name: ClassVar[str] = "shouting"
    version: ClassVar[str] = "3"

    least: float = 0.5

    def score(self, answer: Answer, tools: Tools) -> Scoring:
        """Share of capitals."""
        output = answer.output or ""
        return Scoring(sum(one.isupper() for one in output) / max(len(output), 1))


class Unnamed(Scorer):
    """A scorer without a name or a version."""


@pytest.fixture
def own_scorers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PODIUM_DOTTED_PATH_PACKAGES", '["pipeline", "pipeline_tests"]')
    settings.cache_clear()
    yield "pipeline_tests.experiments.scorers.test_known"
    settings.cache_clear()


def test_every_scorer_is_found_under_its_name() -> None:
    assert SCORERS.available() == ["embedding", "exact", "format", "fuzzy", "human", "imported", "judge", "keyword"]
    assert all(SCORERS.get(name).name == name for name in SCORERS.available())


def test_a_scorer_of_ones_own_is_found_by_its_path(own_scorers: str) -> None:
    scorer = make_scorer(f"{own_scorers}.Shouting", {"least": 0.9})
    assert (scorer.score(Answer("AbCd"), Tools()).value, scorer.version) == (0.5, "3")
    assert scorer.identity(Answer("x")) != make_scorer(f"{own_scorers}.Shouting").identity(Answer("x"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("shouting", "unknown scorer 'shouting'; known: embedding, exact"),
        ("os.path.join", "outside the packages that dotted paths may use"),
        ("pipeline_tests.experiments.scorers.test_known.Quiet", "cannot be imported"),
        (
            "pipeline.experiments.Experiment",
            "is no class of scorers; derive it from pipeline.experiments.scorers.Scorer",
        ),
        ("pipeline.experiments.plan", "must name a type|is no class of scorers"),
        ("pipeline_tests.experiments.scorers.test_known.Unnamed", "has no name and no version; give the class both"),
    ],
)
def test_what_is_no_scorer_is_told(own_scorers: str, name: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make_scorer(name)
