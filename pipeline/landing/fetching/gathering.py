"""Everything that a source wants, fetched one document after another and kept as a snapshot."""

import hashlib
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from pipeline.landing.fetching.errors import FetchError, place_of
from pipeline.landing.fetching.fetch import Document, Fetched, Fetcher, Validators
from pipeline.landing.fetching.folders import SnapshotError
from pipeline.landing.fetching.snapshots import Body, KeptBody, Snapshot, Snapshots, Verdict

_MOST_DOCUMENTS = 1000


@dataclass(frozen=True)
class Gathered:
    """What one fetch of a source brought.

    Parameters
    ----------
    snapshot : Snapshot
        As it is kept.
    documents : dict of str to bytes
        By name.
    is_unchanged : bool
        Whether it is byte for byte the last good snapshot; then ``snapshot`` is that one.
    """

    snapshot: Snapshot
    documents: dict[str, bytes] = field(repr=False)
    is_unchanged: bool


def gather(source: str, wanting: Generator[Document, bytes, None], fetcher: Fetcher, snapshots: Snapshots) -> Gathered:
    """Fetch what a source wants and keep it; of a document that has not changed, the content kept before is taken.

    Parameters
    ----------
    source : str
        The name that it is kept under.
    wanting : generator
        Yields documents, is sent the content of each; closed in any case.
    fetcher : Fetcher
    snapshots : Snapshots

    Raises
    ------
    FetchError
        If a document cannot be fetched; then nothing is kept.
    ValueError
        If two documents have one name, and whatever else the generator raises about what it was sent: what was fetched
        until then is kept first, as a refused snapshot.
    OSError
        If nothing can be written.
    """
    last = _Last(snapshots, source)
    bodies: list[Body] = []
    try:
        for body in _fetched(wanting, fetcher, last):
            bodies.append(body)
    except FetchError:
        raise
    except Exception as error:
        if bodies:
            snapshots.judge(snapshots.keep(source, bodies), Verdict.REFUSED, [str(error) or type(error).__name__])
        raise
    finally:
        wanting.close()
    snapshot = snapshots.keep(source, bodies)
    return Gathered(snapshot, {one.name: one.content for one in bodies}, snapshot.name == last.name)


def _fetched(wanting: Generator[Document, bytes, None], fetcher: Fetcher, last: "_Last") -> Iterator[Body]:
    """Each document that is wanted, sent back before the next one is asked for."""
    names: set[str] = set()
    try:
        document = next(wanting)
        while True:
            if document.name in names:
                raise ValueError(f"it wants two documents that are called {document.name!r}; give each its own name")
            if len(names) == _MOST_DOCUMENTS:
                raise ValueError(f"it wants more than {_MOST_DOCUMENTS:,} documents; look whether its pages ever end")
            names.add(document.name)
            body = last.body(document, fetcher.fetch(document, last.validators(document)))
            yield body
            document = wanting.send(body.content)
    except StopIteration:
        return


class _Last:
    """The last good snapshot of a source, as far as it can still be read."""

    def __init__(self, snapshots: Snapshots, source: str) -> None:
        snapshot = snapshots.last_good(source)
        self._bodies: dict[str, KeptBody] = {}
        self._contents: dict[str, bytes] = {}
        self.name = snapshot.name if snapshot else None
        if snapshot:
            with suppress(SnapshotError):  # then everything is fetched anew
                self._contents = snapshots.read(snapshot)
                self._bodies = {one.name: one for one in snapshot.bodies}

    def validators(self, document: Document) -> Validators:
        """What to ask with; nothing where the document is new, or at another address."""
        kept = self._bodies.get(document.name)
        return kept.validators if kept and kept.url_hash == _url_hash(document) else Validators()

    def body(self, document: Document, fetched: Fetched) -> Body:
        """What was fetched, with the content kept before where there is no other."""
        return Body(
            document.name,
            place_of(document.url),
            _url_hash(document),
            self._contents[document.name] if fetched.content is None else fetched.content,
            fetched.status,
            fetched.content_type or self._content_type(document, fetched),
            fetched.validators,
            fetched.fetched_at,
        )

    def _content_type(self, document: Document, fetched: Fetched) -> str:
        """That of a document kept before: an answer that it has not changed says none."""
        return self._bodies[document.name].content_type if fetched.content is None else ""


def _url_hash(document: Document) -> str:
    return hashlib.sha256(document.url.encode()).hexdigest()
