"""One document from a publisher that does everything that publishers do."""

import asyncio
import gzip
import logging
import threading
import traceback
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from pipeline.landing.fetching import (
    USER_AGENT,
    BadAddressError,
    DeniedError,
    Fetcher,
    FetchError,
    GarbledError,
    GoneError,
    NotFoundError,
    Patience,
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
    Validators,
    WrongContentTypeError,
)
from pipeline.landing.fetching.addresses import refuse_inside
from pipeline.landing.fetching.fetch import _next_address
from pipeline.rankings import Wanted
from pipeline.settings import Settings
from pipeline_tests.landing.publisher import Answer, Publisher
from pipeline_tests.patience import PATIENCE

NOW = datetime(2026, 4, 2, 6, 3, 43)
JSON = {"Content-Type": "application/json"}
SECRET = "sk-0123456789"


@dataclass(frozen=True)
class Paper:
    """A document, with fewer words than a source needs."""

    url: str
    name: str = "paper.json"
    content_types: tuple[str, ...] = ("application/json", "text/plain")
    most_bytes: int = 1000
    header_settings: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    now: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="module")
def publisher() -> Iterator[Publisher]:
    with Publisher() as one:
        yield one


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fetcher(clock: Clock, patience: Patience | None = None, jitter: float = 1.0, **secrets: str) -> Fetcher:
    hidden = {name: SecretStr(value) for name, value in secrets.items()}
    return Fetcher(patience, hidden, sleep=clock.sleep, now=lambda: clock.now, jitter=lambda: jitter)


def test_a_document_comes_with_what_its_publisher_says_of_it(publisher: Publisher, clock: Clock) -> None:
    headers = JSON | {"ETag": '"v1"', "Last-Modified": "Thu, 02 Apr 2026 05:00:00 GMT"}
    url = publisher.says("/whole", Answer(b'{"a": 1}', headers=headers))

    found = fetcher(clock).fetch(Paper(url))

    assert found.content == b'{"a": 1}'
    assert (found.status, found.content_type, found.fetched_at) == (200, "application/json", NOW)
    assert found.validators == Validators('"v1"', "Thu, 02 Apr 2026 05:00:00 GMT")
    assert clock.slept == []


def test_a_source_s_document_can_be_fetched_as_it_is(publisher: Publisher, clock: Clock) -> None:
    url = publisher.says("/wanted", Answer(b"[]"))
    assert fetcher(clock).fetch(Wanted("results.json", url)).content == b"[]"


def test_the_request_says_who_asks(publisher: Publisher, clock: Clock) -> None:
    fetcher(clock).fetch(Paper(publisher.says("/who", Answer())))
    asked = publisher.asked[-1].headers
    assert asked["User-Agent"] == USER_AGENT
    assert USER_AGENT.startswith("Podium/0.")
    assert "If-None-Match" not in asked


def test_what_has_not_changed_is_not_sent_again(publisher: Publisher, clock: Clock) -> None:
    url = publisher.says("/same", Answer(status=304, headers={"ETag": '"v2"'}))
    known = Validators('"v1"', "Thu, 02 Apr 2026 05:00:00 GMT")

    found = fetcher(clock).fetch(Paper(url), known)

    assert found.content is None
    assert found.status == 304
    assert found.validators == Validators('"v2"', known.last_modified)
    asked = publisher.asked[-1].headers
    assert (asked["If-None-Match"], asked["If-Modified-Since"]) == (known.etag, known.last_modified)


def test_unchanged_is_no_answer_to_who_has_nothing(publisher: Publisher, clock: Clock) -> None:
    with pytest.raises(UnexpectedStatusError, match="status 304"):
        fetcher(clock).fetch(Paper(publisher.says("/unasked", Answer(status=304))))


@pytest.mark.parametrize("etag", ['"a\nb"', "ü", "x" * 2000, ""])
def test_an_etag_that_no_header_can_carry_is_not_sent(publisher: Publisher, clock: Clock, etag: str) -> None:
    url = publisher.says("/etag", Answer())
    assert fetcher(clock).fetch(Paper(url), Validators(etag)).content == b"{}"
    assert "If-None-Match" not in publisher.asked[-1].headers


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, NotFoundError),
        (410, GoneError),
        (401, DeniedError),
        (403, DeniedError),
        (402, UnexpectedStatusError),
        (204, UnexpectedStatusError),
        (206, UnexpectedStatusError),
        (300, UnexpectedStatusError),
    ],
)
def test_what_will_not_pass_is_asked_once(
    publisher: Publisher, clock: Clock, status: int, kind: type[FetchError]
) -> None:
    url = publisher.says(f"/status/{status}", Answer(b"" if status == 204 else b"{}", status))
    n_before = len(publisher.asked)

    with pytest.raises(kind, match=f"/status/{status}: it was answered with status {status}; ") as caught:
        fetcher(clock).fetch(Paper(url))

    assert caught.value.status == status
    assert len(publisher.asked) == n_before + 1
    assert clock.slept == []


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_server_s_failure_passes(publisher: Publisher, clock: Clock, status: int) -> None:
    url = publisher.says(f"/once/{status}", Answer(status=status), Answer(b"[1]"))
    assert fetcher(clock).fetch(Paper(url)).content == b"[1]"
    assert clock.slept == [1.0]


def test_waits_double_and_end_after_the_last_try(publisher: Publisher, clock: Clock) -> None:
    url = publisher.says("/down", Answer(status=500))
    n_before = len(publisher.asked)

    with pytest.raises(ServerError, match="status 500; try again later"):
        fetcher(clock, Patience(tries=5, longest_wait=5)).fetch(Paper(url))

    assert clock.slept == [1.0, 2.0, 4.0, 5.0]
    assert len(publisher.asked) == n_before + 5


def test_up_to_half_of_a_wait_is_chance(publisher: Publisher, clock: Clock) -> None:
    url = publisher.says("/chance", Answer(status=500), Answer(status=500), Answer())
    fetcher(clock, jitter=0.0).fetch(Paper(url))
    assert clock.slept == [0.5, 1.0]


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({}, 1.0),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 1.0),
        ({"Retry-After": "Thu, 02 Apr 2026 06:04:13 GMT"}, 30.0),
        ({"Retry-After": "Thu, 02 Apr 2026 05:00:00 GMT"}, 1.0),
        ({"Retry-After": "soon"}, 1.0),
        ({"Retry-After": "Thu, 02 Apr 99999999999 06:04:13 GMT"}, 1.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_publisher_says_when_to_come_back(
    publisher: Publisher, clock: Clock, headers: dict[str, str], waits: float, status: int
) -> None:
    url = publisher.says("/busy", Answer(status=status, headers=headers), Answer())
    assert fetcher(clock).fetch(Paper(url)).content == b"{}"
    assert clock.slept == [waits]


def test_a_publisher_that_asks_for_hours_is_not_asked_again(publisher: Publisher, clock: Clock) -> None:
    url = publisher.says("/hours", Answer(status=429, headers={"Retry-After": "86400"}))
    n_before = len(publisher.asked)

    with pytest.raises(TooManyRequestsError, match="status 429, and asks to wait 86,400 s; fetch this source less"):
        fetcher(clock).fetch(Paper(url))

    assert len(publisher.asked) == n_before + 1
    assert clock.slept == []


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[1, 2",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n[1, \r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n"
        + gzip.compress(b"[1]")[:-9],
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["length", "chunks", "gzip", "nothing", "empty"],
)
def test_a_body_that_ends_early_is_noticed_and_asked_for_again(publisher: Publisher, clock: Clock, raw: bytes) -> None:
    url = publisher.says("/short", Answer(raw=raw), Answer(b"[1, 2]"))
    assert fetcher(clock).fetch(Paper(url)).content == b"[1, 2]"

    url = publisher.says("/short", Answer(raw=raw))
    with pytest.raises(TruncatedError, match=r"/short: its? "):
        fetcher(clock, Patience(tries=1)).fetch(Paper(url))


def test_a_connection_that_breaks_before_an_answer_is_tried_again(publisher: Publisher, clock: Clock) -> None:
    url = publisher.says("/cut", Answer(raw=b""), Answer(b"[1]"))
    assert fetcher(clock).fetch(Paper(url)).content == b"[1]"
    assert clock.slept == [1.0]


def test_what_speaks_no_http_is_unreachable(publisher: Publisher, clock: Clock) -> None:
    url = publisher.says("/noise", Answer(raw=b"\x16\x03\x01 hello\r\n\r\n"))
    with pytest.raises(UnreachableError, match="/noise: no answer"):
        fetcher(clock, Patience(tries=1)).fetch(Paper(url))


def test_a_port_where_nobody_listens_is_unreachable(clock: Clock) -> None:
    with Publisher() as gone:
        url = gone.url("/nobody")
    with pytest.raises(UnreachableError, match=r"/nobody: no answer .*; check the network"):
        fetcher(clock, Patience(tries=2)).fetch(Paper(url))
    assert clock.slept == [1.0]


def test_a_host_that_nobody_knows_is_looked_up_once_more_and_no_oftener(clock: Clock) -> None:
    with pytest.raises(UnknownHostError, match=r"nobody\.invalid/x: no answer .*; check the network"):
        fetcher(clock, Patience(tries=4)).fetch(Paper("http://nobody.invalid/x"))
    assert clock.slept == [1.0]


def test_settings_say_how_long_is_waited() -> None:
    assert Patience.of(Settings(fetch_tries=2, fetch_read_seconds=3)) == Patience(read=3, tries=2)


def silence(closing: threading.Event) -> None:
    closing.wait(PATIENCE)


def headers_for_ever(closing: threading.Event) -> bytes | None:
    return None if closing.wait(0.01) else b"H"


def test_an_answer_that_does_not_come_is_too_slow(publisher: Publisher, clock: Clock) -> None:
    url = publisher.says("/silent", Answer(drips=silence), Answer(b"[1]"))
    assert fetcher(clock, Patience(read=0.5)).fetch(Paper(url)).content == b"[1]"

    url = publisher.says("/silent", Answer(drips=silence))
    with pytest.raises(TooSlowError, match=r"no answer in time .*PODIUM_FETCH_READ_SECONDS"):
        fetcher(clock, Patience(read=0.5, tries=1)).fetch(Paper(url))


def test_a_body_that_stops_is_too_slow(publisher: Publisher, clock: Clock) -> None:
    pieces = iter([b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n", b"[1, 2"])
    url = publisher.says("/stops", Answer(drips=lambda closing: next(pieces, None) or silence(closing)))
    with pytest.raises(TooSlowError, match="nothing more came after 5 bytes"):
        fetcher(clock, Patience(read=0.5, tries=1)).fetch(Paper(url))


def test_an_answer_that_comes_byte_by_byte_ends_at_the_total(publisher: Publisher, clock: Clock) -> None:
    url = publisher.says("/drip", Answer(drips=headers_for_ever))
    with pytest.raises(TooSlowError, match=r"it was not there whole after 0\.1 s"):
        fetcher(clock, Patience(total=0.1, tries=1)).fetch(Paper(url))


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        (
            b"<html></html>",
            "text/html; charset=utf-8",
            "it came as text/html, and should be application/json or text/plain",
        ),
        (b"{}", "image/png", "it came as image/png, and should be"),
        (b" \n<!DOCTYPE HTML><title>Log in</title>", "text/plain", "a page of HTML, though it came as text/plain"),
        (b"\xef\xbb\xbf<html lang='en'>", "application/json", "a page of HTML, though it came as application/json"),
    ],
)
def test_a_page_in_place_of_data_is_refused(
    publisher: Publisher, clock: Clock, body: bytes, content_type: str, says: str
) -> None:
    url = publisher.says("/page", Answer(body, headers={"Content-Type": content_type}))
    with pytest.raises(WrongContentTypeError, match=says):
        fetcher(clock).fetch(Paper(url))
    assert clock.slept == []


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", None])
def test_data_are_taken_however_they_are_called(publisher: Publisher, clock: Clock, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    url = publisher.says("/data", Answer(b"[1]", headers=headers))
    assert fetcher(clock).fetch(Paper(url)).content == b"[1]"


def test_a_page_that_is_wanted_is_taken(publisher: Publisher, clock: Clock) -> None:
    url = publisher.says("/html", Answer(b"<html></html>", headers={"Content-Type": "text/html"}))
    assert fetcher(clock).fetch(Paper(url, content_types=("text/html",))).content == b"<html></html>"


def test_text_that_is_not_utf_8_is_garbled(publisher: Publisher, clock: Clock) -> None:
    headers = {"Content-Type": "text/plain; charset=iso-8859-1"}
    url = publisher.says("/latin", Answer("Zephyr β-7B".encode("iso-8859-7"), headers=headers))
    with pytest.raises(GarbledError, match="its text is not UTF-8: byte 7 begins e2 2d"):
        fetcher(clock).fetch(Paper(url))


def test_bytes_that_claim_to_be_no_text_are_taken_as_they_are(publisher: Publisher, clock: Clock) -> None:
    url = publisher.says("/bytes", Answer(b"PAR1\xff", headers={"Content-Type": "application/octet-stream"}))
    paper = Paper(url, content_types=("application/octet-stream",))
    assert fetcher(clock).fetch(paper).content == b"PAR1\xff"


PACKED = JSON | {"Content-Encoding": "gzip"}


def test_packed_documents_are_unpacked(publisher: Publisher, clock: Clock) -> None:
    members = gzip.compress(b"[1, ") + gzip.compress(b"2]") + b"\0" * 8
    assert fetcher(clock).fetch(Paper(publisher.says("/gz", Answer(members, headers=PACKED)))).content == b"[1, 2]"
    assert publisher.asked[-1].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("body", "encoding", "says"),
    [
        (b"[1, 2]", "gzip", "its compression is broken"),
        (gzip.compress(b"[1]", mtime=0)[:-8] + b"\0" * 8, "gzip", "its compression is broken"),
        (gzip.compress(b"[1]", mtime=0) + b"rest", "gzip", "its compression is broken"),
        (zlib.compress(b"[1]"), "deflate", "it is packed as 'deflate', though gzip was all"),
        (b"[1]", "br", "it is packed as 'br'"),
    ],
)
def test_broken_compression_is_noticed(
    publisher: Publisher, clock: Clock, body: bytes, encoding: str, says: str
) -> None:
    url = publisher.says("/broken", Answer(body, headers=JSON | {"Content-Encoding": encoding}))
    with pytest.raises(GarbledError, match=says):
        fetcher(clock).fetch(Paper(url))


LIMITLESS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b"1" * 1001


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"1" * 1001),
        Answer(raw=LIMITLESS),
        Answer(gzip.compress(b"1" * 1001), headers=PACKED),
        Answer(gzip.compress(b"0" * 50_000_000), headers=PACKED),
        Answer(gzip.compress(b"1" * 900) * 2, headers=PACKED),
    ],
    ids=["length", "no length", "packed", "bomb", "members"],
)
def test_too_much_is_refused_packed_or_not(publisher: Publisher, clock: Clock, answer: Answer) -> None:
    with pytest.raises(TooLargeError, match="1,000"):
        fetcher(clock).fetch(Paper(publisher.says("/large", answer)))
    assert clock.slept == []


@pytest.mark.parametrize("answer", [Answer(b"1" * 1000), Answer(gzip.compress(b"1" * 1000), headers=PACKED)])
def test_as_much_as_there_may_be_is_taken(publisher: Publisher, clock: Clock, answer: Answer) -> None:
    assert fetcher(clock).fetch(Paper(publisher.says("/just", answer))).content == b"1" * 1000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_document_that_has_moved_is_fetched_where_it_is(publisher: Publisher, clock: Clock, status: int) -> None:
    publisher.says("/new", Answer(b"[1]"))
    url = publisher.says("/old", Answer(status=status, headers={"Location": "/new"}))
    assert fetcher(clock).fetch(Paper(url)).content == b"[1]"


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("/loop", "/loop: it sends one on more than 5 times"),
        ("file:///etc/passwd", "it sends one on to 'file', which is not fetched from"),
        ("ftp://example.org/x", "it sends one on to 'ftp'"),
        ("http://a:b/", "it sends one on to what is no URL"),
    ],
)
def test_a_redirect_leads_to_a_document_or_to_an_error(
    publisher: Publisher, clock: Clock, location: str, says: str
) -> None:
    url = publisher.says("/loop", Answer(status=302, headers={"Location": location}))
    with pytest.raises(RedirectError, match=says):
        fetcher(clock).fetch(Paper(url))


def test_a_redirect_does_not_give_up_encryption() -> None:
    request = httpx.Request("GET", "https://example.org/a")
    answer = httpx.Response(302, headers={"Location": "http://example.org/a?token=1"}, request=request)
    with pytest.raises(RedirectError, match=r"from https to http, at example\.org/a; "):
        _next_address(answer)


INSIDE = [
    "127.0.0.1",
    "10.1.2.3",
    "192.168.0.1",
    "169.254.169.254",
    "[::1]",
    "[fe80::1]",
    "[::ffff:10.0.0.1]",
    "0.0.0.0",
]


@pytest.mark.parametrize("host", INSIDE)
def test_a_redirect_does_not_lead_from_the_web_into_this_network(host: str) -> None:
    on_the_web, inside = httpx.URL("https://93.184.215.14/a"), httpx.URL(f"https://{host}/latest/meta-data?x=1")
    with pytest.raises(RedirectError, match=r"sends one on to .*/latest/meta-data, which is in this network"):
        asyncio.run(refuse_inside(on_the_web, inside))
    for first, target in ((on_the_web, httpx.URL("https://1.1.1.1/")), (inside, httpx.URL("https://10.9.9.9/"))):
        assert asyncio.run(refuse_inside(first, target)) == target


@pytest.mark.parametrize(
    "url", ["ftp://example.org/a", "example.org/a", "http://", "http://a:b/", "file:///etc/passwd", ""]
)
def test_what_is_no_address_on_the_web_is_said_to_be_none(clock: Clock, url: str) -> None:
    with pytest.raises(BadAddressError, match="write a URL that begins with https://"):
        fetcher(clock).fetch(Paper(url))


def test_a_secret_goes_to_its_publisher_and_not_where_that_sends_one_on(publisher: Publisher, clock: Clock) -> None:
    with Publisher() as elsewhere:
        target = elsewhere.says("/taken", Answer(b"[1]"))
        publisher.says("/second", Answer(status=302, headers={"Location": target}))
        url = publisher.says("/first", Answer(status=302, headers={"Location": "/second"}))

        paper = Paper(url, header_settings={"x-api-key": "key"})
        assert fetcher(clock, key=f" {SECRET}\n").fetch(paper).content == b"[1]"

        assert [one.headers.get("x-api-key") for one in publisher.asked[-2:]] == [SECRET, SECRET]
        assert "x-api-key" not in elsewhere.asked[-1].headers


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "it needs the secret 'key', which is not set"),
        (" ", "it needs the secret 'key', which is not set"),
        (f"{SECRET}\nX: y", "the secret 'key' has characters that no header can carry"),
        (f"{SECRET}ü", "the secret 'key' has characters that no header can carry"),
    ],
)
def test_a_secret_that_cannot_be_sent_is_named_and_not_shown(
    publisher: Publisher, clock: Clock, value: str | None, says: str
) -> None:
    paper = Paper(publisher.says("/locked", Answer()), header_settings={"x-api-key": "key"})
    given = {} if value is None else {"key": value}
    with pytest.raises(SecretError, match=says) as caught:
        fetcher(clock, **given).fetch(paper)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(),
        Answer(status=403),
        Answer(status=500),
        Answer(raw=b""),
        Answer(raw=b"nonsense"),
        Answer(drips=silence),
        Answer(status=302, headers={"Location": "/away?signature=hidden"}),
        Answer(b"1" * 2000),
        Answer(b"<html>"),
        Answer(b"\xff"),
    ],
)
def test_neither_secrets_nor_queries_are_shown(
    publisher: Publisher, clock: Clock, caplog: pytest.LogCaptureFixture, answer: Answer
) -> None:
    caplog.set_level(logging.INFO)
    url = publisher.says("/shown?token=hidden", answer).replace("http://", "http://user:hidden@")
    shown = ""
    try:
        fetcher(clock, Patience(tries=2, read=0.5), key=SECRET).fetch(Paper(url, header_settings={"x-api-key": "key"}))
    except FetchError as error:
        shown = "".join(traceback.format_exception(error)) + repr(error)
    assert bool(shown) == (answer != Answer())
    assert "/shown" in shown + caplog.text
    assert "hidden" not in shown + caplog.text
    assert SECRET not in shown + caplog.text
