"""Any OpenAI-compatible endpoint, over HTTP: one call, within limits, and never a key where others can read it."""

import asyncio
import functools
import re
import ssl
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from pipeline.clock import utc_now
from pipeline.experiments.running.provider import Call, ProviderError, Reply, StoppedError, Vectors
from pipeline.experiments.running.replies import Events, is_out_of_money, object_in, reply_of, vectors_of, words_of
from pipeline.retry_after import seconds_to_wait

T = TypeVar("T")
Read = Callable[[httpx.Response], Awaitable[T]]

_CONNECT_SECONDS = 10.0
_LOOK_SECONDS = 0.05
_MOST_BYTES = 16 * 2**20
_MOST_ERROR_BYTES = 2**16
_MOST_REDIRECTS = 3
_USER_AGENT = f"Podium/{version('podium')}"
_KEYS = re.compile(r"\bsk-[\w*-]{4,}|(?i:bearer)\s+[^\s\"']+")
_HIDDEN = "[key]"
_REFUSED: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "see what it says, and mend prompt or parameters"),
    401: ("denied", "check its key"),
    402: ("no_money", "see to the account"),
    403: ("denied", "check its key, and what that may use"),
    404: ("not_found", "check its address, and the name of the model"),
    413: ("too_long", "shorten the prompt"),
    422: ("bad_request", "see what it says, and mend prompt or parameters"),
}
"""Statuses that another try does not change."""
_PASSING = (408, 409, 425, 429)
_MAY_HAVE_COST = (408, 502, 504, 524)
"""Statuses of those between here and a model that may be at work all the same."""


class OpenAIClient:
    """A provider behind an address.

    Parameters
    ----------
    address : str
        Such as ``https://api.openai.com/v1``: ``/chat/completions`` and ``/embeddings`` are below it.
    key : SecretStr, optional
        Sent as a bearer token, to this host only.
    timeout : float
        Seconds that a call may take, from its beginning to the last byte.
    most_bytes : int
        A longer answer is refused.
    now : callable
        The time (UTC, without a zone), for dates in ``Retry-After``.
    """

    def __init__(
        self,
        address: str,
        key: SecretStr | None = None,
        timeout: float = 120.0,
        *,
        most_bytes: int = _MOST_BYTES,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._address = address.rstrip("/")
        self._key = key.get_secret_value().strip() if key is not None else ""
        self._timeout = timeout
        self._most_bytes = most_bytes
        self._now = now

    def complete(self, call: Call, stop: threading.Event) -> Reply:
        """Ask once; errors as of :class:`~pipeline.experiments.running.provider.Provider`."""
        body = {**call.params, "model": call.model, "messages": [dict(one) for one in call.messages]}
        if body.setdefault("stream", call.stream):
            body["stream_options"] = {"include_usage": True}
        reply = self._ask("/chat/completions", body, stop, self._reply)
        return Reply(self._without_key(reply.text), reply.usage, reply.finish_reason)

    def embed(self, model: str, texts: Sequence[str], stop: threading.Event) -> Vectors:
        """Ask for vectors once; errors as of :class:`~pipeline.experiments.running.provider.Provider`."""

        async def read(response: httpx.Response) -> Vectors:
            return vectors_of(await self._document(response), len(texts))

        return self._ask("/embeddings", {"model": model, "input": list(texts)}, stop, read)

    def _ask(self, path: str, body: Mapping[str, Any], stop: threading.Event, read: Read[T]) -> T:
        headers = self._headers()
        try:
            return asyncio.run(self._until_stopped(self._within_total(path, body, headers, read), stop))
        except ProviderError as error:
            error.detail = None if error.detail is None else self._scrubbed(error.detail)
            raise

    async def _until_stopped(self, work: Awaitable[T], stop: threading.Event) -> T:
        task = asyncio.ensure_future(work)
        while not task.done():
            await asyncio.wait({task}, timeout=_LOOK_SECONDS)
            if stop.is_set() and not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                raise StoppedError("the call was broken off")
        return task.result()

    async def _within_total(self, path: str, body: Mapping[str, Any], headers: dict[str, str], read: Read[T]) -> T:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._post(f"{self._address}{path}", body, headers, read)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            said = "no connection; check the address and the network"
            raise ProviderError("unreachable", said, detail=str(error), may_pass=True, is_free=True) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise ProviderError("too_slow", f"no whole answer within {self._timeout:g} s", may_pass=True) from error
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise ProviderError("bad_address", "its address cannot be used", is_free=True) from error
        except httpx.RequestError as error:
            said = "the connection broke before the answer was whole"
            raise ProviderError("truncated", said, detail=str(error), may_pass=True) from error

    async def _post(self, url: str, body: Mapping[str, Any], headers: dict[str, str], read: Read[T]) -> T:
        timeout = httpx.Timeout(self._timeout, connect=min(_CONNECT_SECONDS, self._timeout))
        target = httpx.URL(url)
        async with httpx.AsyncClient(verify=_tls(), timeout=timeout) as client:
            for _ in range(_MOST_REDIRECTS + 1):
                async with client.stream("POST", target, json=body, headers=headers) as response:
                    if not response.has_redirect_location:
                        return await read(await self._accepted(response))
                    target = _moved(response)
        raise ProviderError("redirected", f"it sends one on more than {_MOST_REDIRECTS} times", is_free=True)

    async def _accepted(self, response: httpx.Response) -> httpx.Response:
        if response.status_code != 200:
            raise self._refusal(response, await _beginning(response))
        return response

    def _refusal(self, response: httpx.Response, body: str) -> ProviderError:
        status = response.status_code
        try:
            document: object = object_in(body)
        except ProviderError:
            document = body or None
        if status == 429 and is_out_of_money(document):
            error, remedy, may_pass = "no_money", "see to the account", False
        elif status in _PASSING or 500 <= status < 600:
            error = "too_many_requests" if status == 429 else "server_error"
            remedy, may_pass = "try again later", True
        else:
            error, remedy = _REFUSED.get(status, ("unexpected_status", "check the address"))
            may_pass = False
        return ProviderError(
            error,
            f"it answered with status {status}; {remedy}",
            detail=words_of(document),
            may_pass=may_pass,
            retry_after=seconds_to_wait(response.headers.get("retry-after", ""), self._now()) if may_pass else None,
            is_free=status not in _MAY_HAVE_COST,
        )

    async def _reply(self, response: httpx.Response) -> Reply:
        if not _media_type(response).endswith("event-stream"):
            return reply_of(await self._document(response))
        events, n_bytes = Events(), 0
        async for piece in response.aiter_bytes():
            n_bytes += len(piece)
            self._check_size(n_bytes)
            events.feed(piece)
            if events.is_done:
                break
        return events.reply()

    async def _document(self, response: httpx.Response) -> dict[str, Any]:
        media_type = _media_type(response)
        if media_type and not media_type.endswith("json"):
            said = f"its answer came as {media_type[:100]}, not as JSON; check its address"
            raise ProviderError("wrong_content_type", said, detail=await _beginning(response))
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            self._check_size(len(body))
        return object_in(body.decode(errors="replace"))

    def _check_size(self, n_bytes: int) -> None:
        if n_bytes > self._most_bytes:
            raise ProviderError("too_large", f"its answer has more than {self._most_bytes:,} bytes")

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"}
        if self._key:
            if not (self._key.isascii() and self._key.isprintable()):
                raise ProviderError("bad_key", "its key has characters that no header can carry", is_free=True)
            headers["Authorization"] = f"Bearer {self._key}"
        return headers

    def _without_key(self, text: str) -> str:
        if not self._key:
            return text
        return text.replace(self._key, _HIDDEN).replace(quote(self._key, safe=""), _HIDDEN)

    def _scrubbed(self, text: str) -> str:
        """What a provider says, without this key and whatever looks like one."""
        return _KEYS.sub(_HIDDEN, self._without_key(text))


def _media_type(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


async def _beginning(response: httpx.Response) -> str:
    """What a body begins with; nothing where it breaks off before."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) >= _MOST_ERROR_BYTES:
            break
    return body[:_MOST_ERROR_BYTES].decode(errors="replace")


def _moved(response: httpx.Response) -> httpx.URL:
    """Where an endpoint has moved to, on its own host: nowhere else is a key, or a prompt, sent to."""
    try:
        target = response.url.join(response.headers["location"])
    except httpx.InvalidURL:
        raise ProviderError("redirected", "it sends one on to what is no address", is_free=True) from None
    said = f"it sends one on to {target.host}; if that is right, set the new address"
    if (target.scheme, target.host, target.port) != (response.url.scheme, response.url.host, response.url.port):
        raise ProviderError("redirected", said, is_free=True)
    if response.status_code not in (307, 308):
        raise ProviderError(
            "redirected", f"it sends one on with status {response.status_code}, without the question", is_free=True
        )
    return target


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()
