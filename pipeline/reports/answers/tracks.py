"""What reports answer about judged tracks."""

from pydantic import Field

from pipeline.reports.answers.base import Answer, Page


class TrackBoardAnswer(Answer):
    """One board of a judged track."""

    track: str = Field(examples=["forest"])
    title: str
    judge: str = Field(description="official, or the name of a judge.", examples=["official"])
    measure: str | None = Field(description="What its runs are ranked by; null before it has any.", examples=["map"])
    n_runs: int
    n_topics: int = Field(description="Topics that every run should have.")
    n_files: int
    n_refused: int = Field(description="Files that the board is made without.")


class RunRow(Answer):
    """A run on a board."""

    position: int = Field(description="Place in the order of display.", examples=[1])
    rank: int | None = Field(description="Ties share it; null: unranked.", examples=[1])
    rank_lo: int | None = Field(description="Best rank that it could have.", examples=[1])
    rank_hi: int | None = Field(description="Worst rank that it could have.", examples=[3])
    run_id: str = Field(examples=["aspen"])
    value: float | None = Field(description="What it is ranked by, over all topics.", examples=[0.4654])
    n_topics: int = Field(description="Topics that it has a value of.", examples=[15])
    n_missing: int = Field(description="Topics that it lacks.", examples=[0])
    missing_topics: str | None = Field(description="Which these are.")
    status: str = Field(description="ranked, or unranked and why.", examples=["ranked"])
    measures: dict[str, float | None] = Field(description="Every measure over all topics.")


class RunsAnswer(Page[RunRow]):
    """One board of a track."""

    track: str
    title: str
    judge: str
    rank_by: str = Field(description="The measure that ranks.", examples=["map"])
    direction: str = Field(description="desc where higher is better, asc where lower is.", examples=["desc"])
    is_declared_order: bool = Field(description="False when the request asked for another measure.")


class MeasureRow(Answer):
    """The value of a run on a topic."""

    judge: str
    run_id: str
    topic_id: str = Field(description="The topic, or all.")
    measure: str
    value: float | None = Field(description="Null where the run lacks the topic, or nothing sums up.")


class JudgeCorrelation(Answer):
    """How well a judge predicts the official ranking, by one pair of measures."""

    judge: str
    truth_measure: str = Field(description="Of the official board.")
    judge_measure: str = Field(description="Of the judge's board.")
    method: str = Field(examples=["kendall"])
    topic_id: str = Field(description="The topic, or all.")
    value: float | None
    n_runs: int = Field(description="Runs on both boards.")
    n_topics: int = Field(description="Topics on both boards.")
    se: float | None
    ci_low: float | None = Field(description="Of the 95 % interval over topics.")
    ci_high: float | None
    ci_method: str
    reason: str | None = Field(description="Why there is no value.")


class ComparisonRow(Answer):
    """Two runs beside each other, on the topics that both have."""

    judge: str
    measure: str
    run_id: str
    other_run_id: str
    n_topics: int
    n_left_out: int = Field(description="Topics that one of them has only.")
    difference: float | None = Field(description="Mean of run_id less other_run_id.")
    wins: int
    ties: int
    losses: int
    statistic: float | None
    p: float | None
    p_adjusted: float | None = Field(description="Allowing for all pairs of the measure.")
    better: str | None = Field(description="The run that is significantly better; null where neither is.")
    test: str
    correction: str
    reason: str | None = Field(description="Why there is no p.")


class TrackFile(Answer):
    """A file that a board is made of, or was not because it was refused."""

    judge: str
    name: str
    role: str = Field(description="results, or topics.")
    sha256: str | None
    size_bytes: int | None
    format: str | None
    n_rows: int
    n_runs: int
    n_differences: int = Field(description="Printed aggregates that its topics do not sum up to, beyond rounding.")
    status: str = Field(description="accepted, or refused.", examples=["accepted"])
    reason: str | None = Field(description="Why it was refused.")
