"""What players are answered about what they submit."""

from pydantic import Field

from pipeline.reports.answers.base import Answer, Moment


class RefusedReason(Answer):
    """Why rows are refused: an example, and of how many rows it is the kind."""

    example: str = Field(examples=["value is missing"])
    rows: int


class RefusedRow(Answer):
    """A row that is refused."""

    row: int = Field(description="Place in the file, from 1.", examples=[17])
    reason: str
    original: str = Field(description="What it says.")


class KindJudged(Answer):
    """What is taken of a file."""

    kind: str = Field(examples=["predictions"])
    rows: int = Field(examples=[384])
    accepted: int = Field(examples=[384])
    rejected: int = Field(examples=[0])
    late: int = Field(description="Of those accepted: kept and not scored.", examples=[0])
    unreadable: str | None = Field(description="Why no row can be read.")
    reasons: list[RefusedReason] = Field(description="Most frequent first.")
    refused: list[RefusedRow] = Field(description="The first refused rows.")


class LateRows(Answer):
    """Predictions that come after their deadlines."""

    n_rows: int
    first_deadline: Moment
    last_deadline: Moment


class UnreadColumn(Answer):
    """A column that nothing is read from, and which may have been meant."""

    column: str
    meant: str | None


class Judged(Answer):
    """What would become of a file, as `podium check --json` says it."""

    file: str = Field(examples=["week12.csv"])
    board: str = Field(examples=["league"])
    folder: str = Field(examples=["predictions"])
    received_at: Moment
    accepted: bool = Field(description="Whether nothing of it would be refused.")
    kinds: list[KindJudged]
    late: LateRows | None
    unread: list[UnreadColumn]
    notes: list[str] = Field(description="What could not be checked, and what else to know.")


class SubmissionRefused(Judged):
    """A file that was not delivered, and why."""

    detail: str = Field(examples=["nothing of it would be taken; correct what is listed"])


class SubmissionDelivered(Judged):
    """A file that was delivered, or that was there already."""

    sha256: str = Field(description="Of what was sent; it names the submission.")
    player: str
    key_id: str
    is_new: bool = Field(description="False for what waits already or was taken whole: nothing was delivered.")
    claimed: list[str] = Field(description="Models that are the player's from now on.", examples=[["anna"]])


class OwnSubmission(Answer):
    """A file that a player submitted, and what became of it; null where it is not known yet."""

    sha256: str
    key_id: str
    received_at: Moment = Field(description="When it was received: what deadlines are held against.")
    size_bytes: int
    state: str = Field(description="waiting in the inbox, landing, or landed and published.", examples=["landed"])
    file_number: int | None
    landed_at: Moment | None
    status: str | None = Field(description="accepted, partly, rejected, or unreadable and why.", examples=["accepted"])
    n_rows: int | None
    n_accepted: int | None
    n_rejected: int | None
    n_late: int | None
    n_counting: int | None = Field(description="Models and cycles of which this file counts, those published.")
    n_superseded: int | None = Field(description="Models and cycles of which a later file counts, those published.")
