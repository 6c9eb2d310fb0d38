"""``/submissions``: what players write, and what became of it. Every request needs a key."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request, Response

from pipeline.intake import as_record
from pipeline.reports.access import SUBMISSIONS
from pipeline.reports.access.keys import Key
from pipeline.reports.answers import Answer, Page, Problem
from pipeline.reports.answers import submissions as answers
from pipeline.reports.formats import FILES
from pipeline.reports.inputs import Competition, Connection, Wanted, competition_meant
from pipeline.reports.queries.page import Page as RowsPage
from pipeline.reports.routes.keyed import REFUSALS, Player
from pipeline.reports.routes.paged import as_json, as_page
from pipeline.reports.submissions.bodies import BODY, received
from pipeline.reports.submissions.pending import submissions
from pipeline.reports.submissions.receiving import RefusedError, Submission, contract_of, receive

_AT_ONCE = 2
"""Files that are judged at once; more wait, so that reports go on being answered."""


router = APIRouter(prefix=SUBMISSIONS, tags=["submissions"], responses=REFUSALS)


@router.post(
    "",
    status_code=201,
    response_model=answers.SubmissionDelivered,
    responses={
        200: {"model": answers.SubmissionDelivered, "description": "The same again: nothing changes."},
        403: {"model": Problem, "description": "A model of another player, or no competition for submissions."},
        413: {"model": Problem, "description": "Larger, or with more rows, than one submission may be."},
        422: {
            "model": answers.SubmissionRefused | Problem,
            "description": "Rows would be refused, or the question cannot be meant: nothing was delivered.",
        },
    },
    openapi_extra={"requestBody": BODY},
)
async def submit(
    request: Request,
    key: Player,
    competition: Annotated[
        str | None,
        Query(description="Name of the competition; the only one there is when left out.", examples=["league"]),
    ] = None,
    force: Annotated[bool, Query(description="Land the good rows, quarantine the others.")] = False,
) -> Any:
    """Submit predictions: a file, or rows. They are judged at once, and land with the competition's next run.

    Nothing is delivered if any row would be refused, unless `force=true`. Models must be the player's own; a new one
    becomes so by its first submission where registration is open.
    """
    state = request.app.state
    async with received(request, state.settings.submission_megabytes * 1_000_000) as sent:

        def take() -> Response:
            with state.reader.reading() as reading:
                name = competition_meant(reading.connection, reading.memory, competition)
                try:
                    done = receive(reading.connection, sent.path, name, key, state.settings, force=force)
                except RefusedError as error:
                    refused = {**_record(error.judged, sent.name), "detail": str(error)}
                    return _answer(answers.SubmissionRefused.model_validate(refused), 422)
                return _answer(_delivered(done, sent.name, key), 201 if done.delivery else 200)

        return await to_thread.run_sync(take, limiter=_limiter(state))


@router.get("", response_model=Page[answers.OwnSubmission], responses=FILES)
def own_submissions(
    request: Request, key: Player, connection: Connection, competition: Competition, wanted: Wanted
) -> Any:
    """What the key's player submitted, the newest first: what waits in the inbox, and what became of the rest."""
    contract = contract_of(connection, competition)
    found, total = submissions(
        connection, contract, key.player, request.app.state.settings, wanted.limit, wanted.offset
    )
    rows = pa.Table.from_pylist(found, schema=_SCHEMA)
    return as_page(RowsPage(rows, total, wanted.limit, wanted.offset), answers.OwnSubmission, wanted, "submissions")


_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("sha256", "key_id")),
        ("received_at", pa.timestamp("us")),
        ("size_bytes", pa.int64()),
        ("state", pa.string()),
        ("file_number", pa.int64()),
        ("landed_at", pa.timestamp("us")),
        ("status", pa.string()),
        *(
            (name, pa.int64())
            for name in ("n_rows", "n_accepted", "n_rejected", "n_late", "n_counting", "n_superseded")
        ),
    ]
)


def _limiter(state: Any) -> CapacityLimiter:
    """What keeps so many files at once from being judged; made in the server's own loop."""
    if not hasattr(state, "judging"):
        state.judging = CapacityLimiter(_AT_ONCE)
    limiter: CapacityLimiter = state.judging
    return limiter


def _delivered(done: Submission, name: str, key: Key) -> answers.SubmissionDelivered:
    judged = done.judged
    if done.delivery is not None:  # the file system's own time, which landing goes by
        judged = replace(judged, received_at=done.delivery.received_at)
    said = {
        "sha256": done.sha256,
        "player": key.player,
        "key_id": key.key_id,
        "is_new": done.delivery is not None,
        "claimed": done.claimed,
    }
    return answers.SubmissionDelivered.model_validate({**_record(judged, name), **said})


def _record(judged: Any, name: str) -> dict[str, Any]:
    """A judgement by the name that the sender gave; where the server keeps the file is nobody's business."""
    return as_record(replace(judged, file=Path(name)))


def _answer(answer: Answer, status: int) -> Response:
    response = as_json(answer)
    response.status_code = status
    return response
