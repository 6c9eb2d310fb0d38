"""Why a document could not be fetched: one type for each cause, so that callers need not read messages.

Messages name the document by host and path only: a query or a user's part of a URL may hold a secret.
"""

from typing import ClassVar

import httpx


class FetchError(RuntimeError):
    """A document could not be fetched; the message says which, what happened and what to do.

    Parameters
    ----------
    place : str
        Host and path of the URL.
    what : str
        What happened.
    status : int, optional
        Of the answer, where there was one.
    retry_after : float, optional
        Seconds that the answer asks to wait.

    Attributes
    ----------
    cause : str
        Of all errors of the type: one word for tables.
    may_pass : bool
        Whether the same request may succeed a little later.
    most_tries : int or None
        So many tries at most, where more make little sense; None for as many as patience has.
    """

    cause: ClassVar[str] = "failed"
    remedy: ClassVar[str] = "look at the address with a browser"
    may_pass: ClassVar[bool] = False
    most_tries: ClassVar[int | None] = None

    def __init__(self, place: str, what: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(f"{place}: {what}; {self.remedy}")
        self.place = place
        self.what = what
        self.status = status
        self.retry_after = retry_after


class NotFoundError(FetchError):
    """404."""

    cause = "not_found"
    remedy = "the publisher has moved it: look for its new address"


class GoneError(FetchError):
    """410."""

    cause = "gone"
    remedy = "the publisher has withdrawn it for good: take the source out of the schedule"


class DeniedError(FetchError):
    """401 or 403."""

    cause = "denied"
    remedy = "check the key of this source, and what it may read"


class UnexpectedStatusError(FetchError):
    """Any other status that brings no document."""

    cause = "unexpected_status"


class TooManyRequestsError(FetchError):
    """429, or an answer that asks to come back later than is waited for."""

    cause = "too_many_requests"
    remedy = "fetch this source less often"
    may_pass = True


class ServerError(FetchError):
    """5xx or 408."""

    cause = "server_error"
    remedy = "try again later"
    may_pass = True


class UnreachableError(FetchError):
    """No connection, or one that broke."""

    cause = "unreachable"
    remedy = "check the network and its proxy (HTTPS_PROXY), or try again later"
    may_pass = True


class UnknownHostError(UnreachableError):
    """The name of the host could not be looked up: of every publisher's, where a machine has no network."""

    cause = "unknown_host"
    most_tries = 2


class TooSlowError(FetchError):
    """A time limit passed."""

    cause = "too_slow"
    remedy = "try again later, or allow more time with PODIUM_FETCH_READ_SECONDS and PODIUM_FETCH_TOTAL_SECONDS"
    may_pass = True


class TruncatedError(FetchError):
    """The body ended early, or is empty."""

    cause = "truncated"
    remedy = "try again later"
    may_pass = True


class GarbledError(FetchError):
    """The body is not what its headers say: broken compression, or text that is no UTF-8."""

    cause = "garbled"
    remedy = "look at the document: the publisher may have changed its form"


class TooLargeError(FetchError):
    """More bytes than the document may have, compressed or not."""

    cause = "too_large"
    remedy = "look at the document: raise the limit of the source if it has really grown"


class WrongContentTypeError(FetchError):
    """A page in place of data, or data of another kind."""

    cause = "wrong_content_type"
    remedy = "look at the address with a browser: it may have moved, or want a login"


class RedirectError(FetchError):
    """Too many redirects, or one to where nothing is fetched from."""

    cause = "redirect"
    remedy = "look for the new address of the document"


class BadAddressError(FetchError):
    """A URL that cannot be fetched at all."""

    cause = "bad_address"
    remedy = "write a URL that begins with https:// or http://"


class SecretError(FetchError):
    """A secret that a document needs is not set, or cannot be sent as a header."""

    cause = "no_secret"
    remedy = "set the key of this source as its publisher gave it to you"


def place_of(url: str | httpx.URL) -> str:
    """Host, port and path of a URL: what may be shown of it."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        return "a URL that cannot be read"
    return f"{parsed.netloc.decode('ascii', 'replace')}{parsed.path}" if parsed.host else "a URL without a host"
