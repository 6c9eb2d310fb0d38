"""Scoring runs: every scorer of an experiment on every answer, but for what is already scored."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.experiments.declaration import Experiment
from pipeline.experiments.identity import canonical_json
from pipeline.experiments.scorers import Answer, Human, Imported, Kind, Scorer, Scoring, Tools
from pipeline.experiments.scorers.judge import NO_JUDGE
from pipeline.experiments.scorers.matching import NO_EMBEDDER

SCORER_FAILED = "scorer_failed"
_PASSING = (SCORER_FAILED, NO_JUDGE, NO_EMBEDDER)
_MOST_SAID = 500


@dataclass(frozen=True)
class RunScore:
    """A score of a run, as for a row of experiments.scores.

    Parameters
    ----------
    run_id, scorer, version : str
    kind : Kind
    scoring : Scoring
    identity : str or None
        What it is known by when it is to be given again; None where it is to be tried again.
    """

    run_id: str
    scorer: str
    version: str
    kind: Kind
    scoring: Scoring
    identity: str | None


def score_runs(
    experiment: Experiment,
    answers: Iterable[tuple[str, Answer]],
    known: Collection[tuple[str, str, str]] = (),
    tools: Tools | None = None,
    names: Collection[str] | None = None,
) -> Iterator[RunScore]:
    """Scores of runs by every scorer that needs nobody: not by people, and not those that are imported.

    What a scorer raises is the reason of an undefined score, and it is tried again the next time; so is a judge that
    nobody could ask. A reply that could not be read is final: asking again and again would cost without end.

    Parameters
    ----------
    experiment : Experiment
    answers : iterable of (run_id, Answer)
        Completed runs.
    known : collection of (run_id, scorer, identity)
        Scores that are there.
    tools : Tools, optional
        What calls models.
    names : collection of str, optional
        Only these scorers; all of them by default.
    """
    tools = tools or Tools()
    scorers = {
        name: one
        for name, one in experiment.made_scorers.items()
        if not isinstance(one, Human | Imported) and (names is None or name in names)
    }
    for run_id, name, answer, identity in lacking_scores(scorers, answers, known):
        scorer = scorers[name]
        scoring, is_final = _scored(scorer, answer, tools)
        yield RunScore(run_id, name, scorer.version, scorer.kind, scoring, identity if is_final else None)


def lacking_scores(
    scorers: Mapping[str, Scorer], answers: Iterable[tuple[str, Answer]], known: Collection[tuple[str, str, str]]
) -> Iterator[tuple[str, str, Answer, str]]:
    """Scores that runs lack: the run, the scorer, the answer, and the identity that the score would have.

    Parameters
    ----------
    scorers : mapping of str to Scorer
        By name.
    answers : iterable of (run_id, Answer)
    known : collection of (run_id, scorer, identity)
        Scores that there are.
    """
    there = frozenset(known)
    for run_id, answer in answers:
        for name, scorer in scorers.items():
            identity = scorer.identity(answer)
            if (run_id, name, identity) not in there:
                yield run_id, name, answer, identity


def _scored(scorer: Scorer, answer: Answer, tools: Tools) -> tuple[Scoring, bool]:
    """What a scorer says, and whether it would say the same again."""
    try:
        scoring = scorer.score(answer, tools)
        canonical_json(dict(scoring.details))  # as rows have them
    except Exception as error:  # a scorer of one's own, or what it calls, may fail in any way
        said = f"{type(error).__name__}: {error}"[:_MOST_SAID]
        return Scoring.undefined(SCORER_FAILED, error=said), False
    return scoring, scoring.reason not in _PASSING
