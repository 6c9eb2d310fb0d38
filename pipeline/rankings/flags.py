"""What can be said against a published figure, in a word each: one vocabulary for all sources.

Add a flag here with what it means when a source comes to set it; what is in no vocabulary nobody can leave out.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from pipeline.rankings.source import Source

FLAGS: Mapping[str, str] = MappingProxyType(
    {
        "agent_system": "of an agent that uses the model, not of the model alone",
        "alias": "an offer that only leads to another",
        "alpha": "an offer before its first release",
        "beta": "an offer before its release",
        "contaminated": "the model was trained later than the problems are",
        "cutoff_unknown": "nobody says until when the model was trained",
        "deprecated": "an offer that ends or has ended",
        "details_disagree": "what the source says of single instances makes another figure",
        "estimated": "the source estimated it",
        "fewer_questions": "of fewer questions than other models were asked",
        "free_offer": "an offer for trying the model",
        "in_bash_only": "a run that another board of the source lists, too",
        "legacy": "of an interface that its publisher has replaced",
        "not_checked": "the source did not run it again",
        "self_reported": "the maker of the model says so itself",
        "subtasks_missing": "over a part of the subtasks",
        "third_party": "of somebody's copy of the source",
        "tiered": "the price is another one for long inputs",
        "unseen_bias": "the source marks the model for what it may have seen",
        "warned": "the source warns of it",
        "zero_subtask": "a subtask is 0, which may be a failure of the grading",
    }
)
"""By the word."""


def known_flags(sources: Iterable[Source] = ()) -> Mapping[str, str]:
    """All flags, with those that sources of one's own add: their attribute ``flags``."""
    own = {flag: what for source in sources for flag, what in getattr(source, "flags", {}).items()}
    return MappingProxyType({**own, **FLAGS})
