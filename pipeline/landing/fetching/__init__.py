"""Fetching what others publish: one document, all that a source wants, and the archive of what came."""

from pipeline.landing.fetching.errors import (
    BadAddressError,
    DeniedError,
    FetchError,
    GarbledError,
    GoneError,
    NotFoundError,
    RedirectError,
    SecretError,
    ServerError,
    TooLargeError,
    TooManyRequestsError,
    TooSlowError,
    TruncatedError,
    UnexpectedStatusError,
    UnknownHostError,
    UnreachableError,
    WrongContentTypeError,
)
from pipeline.landing.fetching.fetch import USER_AGENT, Document, Fetched, Fetcher, Patience, Validators
from pipeline.landing.fetching.folders import SnapshotError
from pipeline.landing.fetching.gathering import Gathered, gather
from pipeline.landing.fetching.log import FetchLog, Look
from pipeline.landing.fetching.snapshots import A_FILE, Body, KeptBody, Snapshot, Snapshots, Verdict

__all__ = [
    "A_FILE",
    "USER_AGENT",
    "BadAddressError",
    "Body",
    "DeniedError",
    "Document",
    "FetchError",
    "FetchLog",
    "Fetched",
    "Fetcher",
    "GarbledError",
    "Gathered",
    "GoneError",
    "KeptBody",
    "Look",
    "NotFoundError",
    "Patience",
    "RedirectError",
    "SecretError",
    "ServerError",
    "Snapshot",
    "SnapshotError",
    "Snapshots",
    "TooLargeError",
    "TooManyRequestsError",
    "TooSlowError",
    "TruncatedError",
    "UnexpectedStatusError",
    "UnknownHostError",
    "UnreachableError",
    "Validators",
    "Verdict",
    "WrongContentTypeError",
    "gather",
]
