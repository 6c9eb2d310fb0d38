"""What a player sends, as a file on disk: an upload, or rows in JSON; read piece by piece, as far as allowed."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from pipeline.landing import ENDINGS, suffix_of
from pipeline.reports.submissions.receiving import NotDeliveredError
from pipeline.reports.wrong import TooLargeError, WrongInputError

_MOST_JSON = 10_000_000
"""Bytes of rows in JSON, which take a multiple of it in memory; files are read block by block."""
_LONGEST_UPLOAD = 300
"""Seconds that a body may take to arrive."""
_FORMS = "send multipart/form-data with a part `file`, or application/json with rows"

BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {
                        "type": "string",
                        "format": "binary",
                        "description": f"Its name ends in one of {', '.join(ENDINGS)}, which tells the format.",
                    }
                },
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["rows"],
                "properties": {"rows": {"type": "array", "minItems": 1, "items": {"type": "object"}}},
            },
            "example": {"rows": [{"model_id": "anna", "cycle": "2024-05-31", "subject": "oslo", "value": 0.7}]},
        },
    },
}
"""What OpenAPI says of the body."""


@dataclass(frozen=True)
class Sent:
    """What was sent: where it is for now, and what its sender calls it."""

    path: Path
    name: str


@asynccontextmanager
async def received(request: Request, most_bytes: int) -> AsyncIterator[Sent]:
    """What a request sends as a file, for as long as the block lasts.

    Raises
    ------
    WrongInputError
        If it is neither an upload of a file with an ending that is known, nor rows.
    TooLargeError
        As soon as it is larger than ``most_bytes``; of rows in JSON, than 10 MB.
    NotDeliveredError
        If it cannot be written to disk.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    read = {"multipart/form-data": _upload, "application/json": _rows}.get(kind)
    if read is None:
        raise WrongInputError(f"the body is {kind[:100] or 'of no content type'!r}; {_FORMS}")
    with tempfile.TemporaryDirectory(prefix="podium-") as folder:
        try:
            async with asyncio.timeout(_LONGEST_UPLOAD):
                sent = await read(request, Path(folder), most_bytes)
        except TimeoutError:
            raise WrongInputError(f"the body took longer than {_LONGEST_UPLOAD} s to arrive; send it again") from None
        except OSError as error:
            raise NotDeliveredError(
                f"what was sent cannot be kept ({error.strerror or error}), so nothing was delivered; tell the "
                f"operator, and send it again"
            ) from error
        yield sent


async def _upload(request: Request, folder: Path, most_bytes: int) -> Sent:
    parser = MultiPartParser(request.headers, _counted(request, most_bytes), max_files=1, max_fields=10)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        raise WrongInputError(f"the form cannot be read ({str(error)[:200]}); {_FORMS}") from None
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise WrongInputError(f"the form has no file in its part `file`; {_FORMS}")
        name = file.filename or ""
        ending = suffix_of(Path(name.rpartition("/")[2]))
        if not ending:
            raise WrongInputError(f"{name[-100:]!r} ends in no format that can be read; known: {', '.join(ENDINGS)}")
        path = folder / f"sent{ending}"
        await asyncio.to_thread(_copy, file, path)
        return Sent(path, name)
    finally:
        await form.close()


async def _rows(request: Request, folder: Path, most_bytes: int) -> Sent:
    content = b"".join([piece async for piece in _counted(request, min(most_bytes, _MOST_JSON))])
    lines = await asyncio.to_thread(_as_lines, content)
    path = folder / "sent.jsonl"
    path.write_text(lines, encoding="ascii")
    return Sent(path, "rows.jsonl")


def _as_lines(content: bytes) -> str:
    try:
        body = json.loads(content)
    except RecursionError:
        raise WrongInputError("the body is nested too deeply; rows are objects of plain values") from None
    except ValueError as error:  # neither JSON nor UTF-8
        raise WrongInputError(f"the body is no JSON ({str(error)[:200]}); {_FORMS}") from None
    rows = body.get("rows") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise WrongInputError('the body is not {"rows": [{...}, ...]} with one object a row; write it so')
    return "".join(f"{json.dumps(row)}\n" for row in rows)


async def _counted(request: Request, most_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body piece by piece, until it is too large."""
    said = request.headers.get("content-length", "")
    size = int(said) if said.isascii() and said.isdecimal() else 0
    total = 0
    if size <= most_bytes:
        async for piece in request.stream():
            total += len(piece)
            if total > most_bytes:
                break
            yield piece
        else:
            return
    raise TooLargeError(
        f"the body is larger than {most_bytes / 1e6:,.0f} MB; send a file in place of rows, write Parquet, or send it "
        f"in parts, each of whole cycles (the operator's limit: PODIUM_SUBMISSION_MEGABYTES)"
    )


def _copy(file: UploadFile, path: Path) -> None:
    file.file.seek(0)
    with path.open("wb") as target:
        shutil.copyfileobj(file.file, target, 1 << 20)
