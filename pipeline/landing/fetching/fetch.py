"""Fetching one document: patient, polite, within limits, and with one type of error for each cause.

Nothing of a secret is ever shown: neither the headers that carry it nor queries of URLs get into errors or logs.
"""

import asyncio
import functools
import logging
import secrets as randomness
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Protocol

import httpx
from pydantic import SecretStr

from pipeline.clock import utc_now
from pipeline.landing.fetching.addresses import refuse_inside
from pipeline.landing.fetching.body import check_content, check_content_type, read_body
from pipeline.landing.fetching.errors import (
    BadAddressError,
    DeniedError,
    FetchError,
    GoneError,
    NotFoundError,
    RedirectError,
    SecretError,
    ServerError,
    TooManyRequestsError,
    TooSlowError,
    UnexpectedStatusError,
    UnknownHostError,
    UnreachableError,
    place_of,
)
from pipeline.retry_after import seconds_to_wait
from pipeline.settings import Settings

USER_AGENT = f"Podium/{version('podium')} (reads published leaderboards)"

_log = logging.getLogger(__name__)
_chance = randomness.SystemRandom()
_MOST_REDIRECTS = 5
_LONGEST_VALIDATOR = 1000
_STATUS_ERRORS: Mapping[int, type[FetchError]] = {
    401: DeniedError,
    403: DeniedError,
    404: NotFoundError,
    408: ServerError,
    410: GoneError,
    429: TooManyRequestsError,
}


class Document(Protocol):
    """What to fetch; whoever has these attributes can be fetched."""

    @property
    def name(self) -> str:
        """The name that it is kept under."""

    @property
    def url(self) -> str:
        """Where it is."""

    @property
    def content_types(self) -> tuple[str, ...]:
        """Beginnings of the media types that it may come as."""

    @property
    def most_bytes(self) -> int:
        """A larger one is refused, packed or unpacked."""

    @property
    def header_settings(self) -> Mapping[str, str]:
        """By header, the name of the secret that it carries."""


@dataclass(frozen=True)
class Validators:
    """What a publisher knows a version of a document by; empty where it gives none."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True)
class Fetched:
    """An answer.

    Parameters
    ----------
    content : bytes or None
        Unpacked; None where the document is still the one that the validators sent along are of.
    status : int
        200 or 304.
    content_type : str
        As the publisher says; empty where it does not.
    validators : Validators
        To ask with the next time.
    fetched_at : datetime
        UTC, without a zone.
    """

    content: bytes | None
    status: int
    content_type: str
    validators: Validators
    fetched_at: datetime


@dataclass(frozen=True)
class Patience:
    """How long is waited, in seconds.

    Parameters
    ----------
    connect, read : float
        For a connection, and for the next bytes.
    total : float
        For one try, from its beginning to the last byte.
    tries : int
        Of one document, when what went wrong may pass.
    first_wait : float
        After the first try, about; each further wait is twice as long, and up to half of each is left to chance, so
        that many who failed together do not come back together.
    longest_wait : float
        Between two tries. A publisher that asks to wait longer (``Retry-After``) is not asked again.
    """

    connect: float = 10.0
    read: float = 30.0
    total: float = 120.0
    tries: int = 4
    first_wait: float = 1.0
    longest_wait: float = 60.0

    @classmethod
    def of(cls, chosen: Settings) -> "Patience":
        """What the settings say."""
        return cls(
            chosen.fetch_connect_seconds, chosen.fetch_read_seconds, chosen.fetch_total_seconds, chosen.fetch_tries
        )


class Fetcher:
    """Fetches documents.

    Parameters
    ----------
    patience : Patience
    secrets : mapping of str to SecretStr
        By the names that documents know them by.
    sleep, now, jitter : callable
        Waiting (seconds), the time (UTC, without a zone) and chance (from 0 to 1), for tests to replace.
    """

    def __init__(
        self,
        patience: Patience | None = None,
        secrets: Mapping[str, SecretStr] | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = utc_now,
        jitter: Callable[[], float] = _chance.random,
    ) -> None:
        self._patience = patience or Patience()
        self._secrets = secrets or {}
        self._sleep = sleep
        self._jitter = jitter
        self._now = now

    def fetch(self, document: Document, known: Validators | None = None) -> Fetched:
        """Fetch one document; not to be called inside an event loop.

        Parameters
        ----------
        document : Document
        known : Validators, optional
            Of the version that one has: if it is still that, its content is not sent again.

        Raises
        ------
        FetchError
            Of the type of its cause, after as many tries as make sense.
        """
        headers = _headers(known or Validators())
        secret_headers = self._secret_headers(document)
        number = 1
        while True:
            try:
                return asyncio.run(self._within_total(document, headers, secret_headers))
            except FetchError as error:
                wait = self._wait_after(error, number)
                if wait is None:
                    raise
                _log.info("%s: %s; again in %.1f s", error.place, error.what, wait)
            self._sleep(wait)
            number += 1

    def _wait_after(self, error: FetchError, number: int) -> float | None:
        """Seconds to wait after a try that failed; None when there is no point in another."""
        tries = min(self._patience.tries, error.most_tries or self._patience.tries)
        if not error.may_pass or number >= tries:
            return None
        asked = error.retry_after or 0.0
        if asked > self._patience.longest_wait:
            return None
        usual = min(self._patience.longest_wait, self._patience.first_wait * 2 ** (number - 1))
        return float(max(asked, usual * (1 + self._jitter()) / 2))

    def _secret_headers(self, document: Document) -> dict[str, str]:
        found = {}
        for header, name in document.header_settings.items():
            secret = self._secrets.get(name)
            value = secret.get_secret_value().strip() if secret else ""
            place = place_of(document.url)
            if not value:
                raise SecretError(place, f"it needs the secret {name!r}, which is not set")
            if not _is_plain(value):
                raise SecretError(place, f"the secret {name!r} has characters that no header can carry")
            found[header] = value
        return found

    async def _within_total(self, document: Document, headers: dict[str, str], secret: dict[str, str]) -> Fetched:
        place = place_of(document.url)
        try:
            async with asyncio.timeout(self._patience.total):
                return await self._get(document, headers, secret)
        except TimeoutError as error:
            raise TooSlowError(place, f"it was not there whole after {self._patience.total:g} s") from error
        except httpx.TimeoutException as error:
            raise TooSlowError(place, f"no answer in time ({type(error).__name__})") from error
        except httpx.UnsupportedProtocol:
            raise BadAddressError(place, "it is neither https nor http") from None
        except httpx.TransportError as error:
            kind = UnknownHostError if _is_about_name(error) else UnreachableError
            raise kind(place, f"no answer ({str(error)[:200] or type(error).__name__})") from error

    async def _get(self, document: Document, headers: dict[str, str], secret: dict[str, str]) -> Fetched:
        first = url = _address(document.url)
        timeout = httpx.Timeout(self._patience.read, connect=self._patience.connect)
        _hide_queries_in_logs()
        # The hook is asked first: the client itself reads where it is sent on to, even if it does not go there.
        hooks = {"response": [_check_redirect]}
        async with httpx.AsyncClient(verify=_tls(), timeout=timeout, event_hooks=hooks) as client:
            for _ in range(_MOST_REDIRECTS + 1):
                sent = headers | secret if _origin(url) == _origin(first) else headers
                async with client.stream("GET", url, headers=sent) as response:
                    if not response.has_redirect_location:
                        return await self._taken(document, response)
                    url = await refuse_inside(first, _next_address(response))
        raise RedirectError(place_of(first), f"it sends one on more than {_MOST_REDIRECTS} times")

    async def _taken(self, document: Document, response: httpx.Response) -> Fetched:
        """An answer that is a document, or that says it has not changed."""
        place = place_of(response.url)
        content_type = response.headers.get("content-type", "")
        is_unchanged = response.status_code == 304 and _asks_for_changes(response.request)
        if is_unchanged:
            content = None
        elif response.status_code == 200:
            check_content_type(content_type, document.content_types, place)
            content = await read_body(response, place, document.most_bytes)
            check_content(content, content_type, document.content_types, place)
        else:
            raise self._status_error(place, response)
        return Fetched(content, response.status_code, content_type, _validators(response), self._now())

    def _status_error(self, place: str, response: httpx.Response) -> FetchError:
        status = response.status_code
        kind = _STATUS_ERRORS.get(status, ServerError if 500 <= status < 600 else UnexpectedStatusError)
        waiting = seconds_to_wait(response.headers.get("retry-after", ""), self._now()) if kind.may_pass else None
        asks = f", and asks to wait {waiting:,.0f} s" if waiting else ""
        return kind(place, f"it was answered with status {status}{asks}", status, waiting)


def _is_about_name(error: BaseException) -> bool:
    """Whether what is behind an error is that the name of a host could not be looked up."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, socket.gaierror):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _headers(known: Validators) -> dict[str, str]:
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"}
    if _is_plain(known.etag):
        headers["If-None-Match"] = known.etag
    if _is_plain(known.last_modified):
        headers["If-Modified-Since"] = known.last_modified
    return headers


def _asks_for_changes(request: httpx.Request) -> bool:
    return "if-none-match" in request.headers or "if-modified-since" in request.headers


def _validators(response: httpx.Response) -> Validators:
    """Those of an answer; an answer that nothing has changed may leave out what was sent along."""
    sent = response.request.headers if response.status_code == 304 else httpx.Headers()
    etag = response.headers.get("etag", sent.get("if-none-match", ""))
    last_modified = response.headers.get("last-modified", sent.get("if-modified-since", ""))
    return Validators(etag if _is_plain(etag) else "", last_modified if _is_plain(last_modified) else "")


def _is_plain(value: str) -> bool:
    """Whether a header can carry it."""
    return 0 < len(value) <= _LONGEST_VALIDATOR and value.isascii() and value.isprintable()


def _address(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise BadAddressError(place_of(text), "it cannot be read as a URL") from None
    if url.scheme not in ("https", "http") or not url.host:
        raise BadAddressError(place_of(url), "it is neither https nor http")
    return url


async def _check_redirect(response: httpx.Response) -> None:
    if response.has_redirect_location:
        _next_address(response)


def _next_address(response: httpx.Response) -> httpx.URL:
    url = response.url
    try:
        target = url.join(response.headers["location"])
    except httpx.InvalidURL:
        raise RedirectError(place_of(url), "it sends one on to what is no URL") from None
    if target.scheme not in ("https", "http") or not target.host:
        raise RedirectError(place_of(url), f"it sends one on to {target.scheme[:20]!r}, which is not fetched from")
    if (url.scheme, target.scheme) == ("https", "http"):
        raise RedirectError(place_of(url), f"it sends one on from https to http, at {place_of(target)}")
    return target


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


class _HiddenQueries(logging.Filter):
    """Takes queries and users out of the URLs that httpx writes into its log."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(place_of(one) if isinstance(one, httpx.URL) else one for one in record.args)
        return True


_hidden_queries = _HiddenQueries()


def _hide_queries_in_logs() -> None:
    logging.getLogger("httpx").addFilter(_hidden_queries)
