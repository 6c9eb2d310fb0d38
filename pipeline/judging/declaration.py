"""The declaration of a judged track: everything that its ``defs.yaml`` may say, and what makes it invalid.

Measures are known to the files only: a measure that is on no board is told of when the boards are made.
"""

import re
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from pipeline.declaration import BoardDeclaration, Declaration, some
from pipeline.leaderboard import Aggregate, CorrelationMethod, Direction, MeasureSpec
from pipeline.leaderboard.formats import FormatName
from pipeline.leaderboard.multiplicity import Correction
from pipeline.leaderboard.significance import Comparing, SignificanceTest
from pipeline.tables import JUDGING_TABLES, OFFICIAL, TableSpec

JUDGES = "judges"
"""The folder of the inbox that has one folder for each judge."""


def _listed(paths: object) -> object:
    return (paths,) if isinstance(paths, str) else paths


def _judge(name: object) -> str:
    if not isinstance(name, str) or re.fullmatch(r"[A-Za-z0-9][\w.-]{0,62}", name, re.ASCII) is None:
        raise ValueError(f"{name!r} is no name of a judge; use letters, digits, _, - and dots, no dot first")
    if name == OFFICIAL:
        raise ValueError(f"no judge can be called {OFFICIAL!r}; that is the board that judges are compared with")
    return name


JudgeName = Annotated[str, BeforeValidator(_judge)]
"""A name that is good for a folder."""


class BoardFiles(Declaration):
    """Where the files of one board lie, and what they leave unsaid."""

    files: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        default=(),
        description="Files, folders or patterns such as runs/*.eval, absolute or from the data folder; they are read "
        "where they are. By default the board's folder of the inbox.",
        examples=[["/data/robust03/*.eval"]],
    )
    format: FormatName | None = Field(
        default=None, description="Format of all of them; by default each is told by its content."
    )
    primary: str | None = Field(
        default=None, description="Measure that this board is ranked by; the track's by default."
    )
    topics: Annotated[tuple[str, ...], some("[301, 302]"), BeforeValidator(_listed)] | None = Field(
        default=None, description="The topics that every run should have; by default those that any run has."
    )
    qrels: str | None = Field(
        default=None,
        description="A file of relevance judgements, or of one topic in each line, that names these topics instead.",
        examples=["/data/robust03_qrels.txt.gz"],
    )

    @field_validator("topics", mode="before")
    @classmethod
    def _topics_are_texts(cls, topics: Any) -> Any:
        """Topics are often numbers, which YAML does not take for text."""
        if not isinstance(topics, list | tuple):
            return topics
        return [str(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in topics]

    @model_validator(mode="after")
    def _topics_are_named_once(self) -> "BoardFiles":
        if self.topics is not None and self.qrels is not None:
            raise ValueError("topics are listed and qrels is given; name the topics in one way")
        return self


class MeasureMeaning(Declaration):
    """What a measure means, where what is known or concluded of it is wrong."""

    direction: Direction = Field(
        default=Direction.DESC, description="desc when higher is better, asc when lower is, none when neither."
    )
    aggregate: Aggregate = Field(
        default=Aggregate.MEAN, description="How topics sum up: mean, sum, gmean, first or none."
    )
    default: float | None = Field(
        default=None, description="What counts for a topic that a run lacks; nothing, unless it is given."
    )


class CorrelationsSpec(Declaration):
    """How judges' boards are compared with the official one."""

    methods: Annotated[tuple[str, ...], some("[kendall]")] = Field(
        default=("kendall", "spearman", "tau_ap_b"),
        description="Coefficients, over the best k runs only with @k.",
        examples=[["kendall", "tau_ap_b@10", "rbo(p=0.8)"]],
    )
    measures: tuple[str, ...] | None = Field(
        default=None, description="Official measures that are to be predicted; all that the track has by default."
    )
    per_topic: bool = Field(default=True, description="Whether each topic is correlated too, not only all together.")
    resamples: int = Field(default=1000, ge=0, description="Draws of topics for intervals; 0 for none.")
    seed: int = Field(default=0, description="What their generator starts from.")

    @field_validator("methods")
    @classmethod
    def _methods_are_known(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(CorrelationMethod.parse(one)) for one in methods)


class ComparisonsSpec(Declaration):
    """How the runs of a board are compared with one another."""

    test: SignificanceTest = Field(default=SignificanceTest.T, description="t, wilcoxon, fisher or tukey.")
    correction: Correction | None = Field(
        default=None,
        description="holm, bonferroni, benjamini_hochberg or none; holm by default, none for tukey, which needs none.",
    )
    measures: tuple[str, ...] | None = Field(
        default=None, description="Measures to compare by; by default what the board is ranked by."
    )
    runs: int = Field(
        default=200, ge=2, description="Only so many runs are compared, the best ones: their pairs are n (n - 1) / 2."
    )
    level: float = Field(default=0.05, gt=0, lt=1, description="The level of significance.")
    resamples: int = Field(default=10_000, ge=1, description="Draws of the tests that draw at random.")
    seed: int = Field(default=0, description="What their generator starts from.")

    @model_validator(mode="after")
    def _can_be_done(self) -> "ComparisonsSpec":
        _ = self.how
        return self

    @cached_property
    def how(self) -> Comparing:
        """The same for the kernel.

        Raises
        ------
        ValueError
            If the test takes no correction.
        """
        given = {} if self.correction is None else {"correction": self.correction}
        return Comparing(self.test, level=self.level, resamples=self.resamples, seed=self.seed, **given)


class Track(BoardDeclaration):
    """One judged track: the official board of its runs, and what judges say of the same runs."""

    kind: ClassVar[str] = "judging"
    called: ClassVar[str] = "judged track"

    official: BoardFiles = Field(
        default_factory=BoardFiles, description="The organisers' own board, which counts as the truth."
    )
    judges: dict[JudgeName, BoardFiles] = Field(
        default_factory=dict,
        description="Boards that are to predict it, by the name of the judge; a list of names for the inbox alone.",
        examples=[["umbrela", "crowd"], {"umbrela": {"files": "/data/umbrela/*.tot", "primary": "GRADE"}}],
    )
    primary: str = Field(description="Measure that boards are ranked by.", examples=["map"])
    measures: tuple[str, ...] | None = Field(
        default=None, description="Measures that the tables have; by default all numbers that have a better end."
    )
    meanings: dict[str, MeasureMeaning] = Field(
        default_factory=dict,
        description="What measures mean, where that is neither known nor to be concluded from the files.",
        examples=[{"latency": {"direction": "asc"}}],
    )
    on_missing: Literal["fix_aggregate", "warn", "error"] = Field(
        default="fix_aggregate",
        description="A topic that a run lacks: fix_aggregate counts the measure's default (0 for most), warn sums up "
        "what is there, error refuses the board. Whichever it is, the tables say which topics are missing.",
    )
    correlations: CorrelationsSpec = Field(
        default_factory=CorrelationsSpec, description="Judges and the official board."
    )
    comparisons: ComparisonsSpec = Field(default_factory=ComparisonsSpec, description="Runs of one board.")

    @field_validator("judges", mode="before")
    @classmethod
    def _names_alone(cls, judges: Any) -> Any:
        if not isinstance(judges, list | tuple):
            return judges
        twice = [repr(name) for place, name in enumerate(judges) if name in judges[:place]]
        if twice:
            raise ValueError(f"{', '.join(twice)} is listed more than once; keep one")
        return {name: {} for name in judges}

    @model_validator(mode="after")
    def _primary_measures_are_listed(self) -> "Track":
        asked = [self.primary, *(board.primary for board in self.boards.values() if board.primary is not None)]
        asked += [*(self.correlations.measures or ()), *(self.comparisons.measures or ())]
        missing = [
            repr(name) for name in dict.fromkeys(asked) if self.measures is not None and name not in self.measures
        ]
        if missing:
            raise ValueError(f"{', '.join(missing)} is not among measures ({', '.join(self.measures or ())}); add it")
        return self

    @property
    def tables(self) -> tuple[TableSpec, ...]:
        """The tables that it fills, besides those of the catalog."""
        return JUDGING_TABLES

    @property
    def boards(self) -> dict[str, BoardFiles]:
        """The official board and those of judges, by name."""
        return {OFFICIAL: self.official, **self.judges}

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of its inbox: those of boards whose files are not elsewhere."""
        return tuple(folder_of(judge) for judge, board in self.boards.items() if not board.files)

    def declared_measures(self) -> tuple[MeasureSpec, ...]:
        """The measures whose meaning is declared."""
        return tuple(
            MeasureSpec(name, direction=one.direction, aggregate=one.aggregate, default=one.default)
            for name, one in self.meanings.items()
        )


def folder_of(judge: str) -> str:
    """The folder of the inbox for a board's files."""
    return OFFICIAL if judge == OFFICIAL else f"{JUDGES}/{judge}"
