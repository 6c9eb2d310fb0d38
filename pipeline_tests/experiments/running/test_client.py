"""The client against an endpoint on this machine: every way in which an answer comes, or does not."""

import dataclasses
import gzip
import logging
import threading
from datetime import datetime

import pytest
from pydantic import SecretStr

from pipeline.experiments.running import Call, OpenAIClient, ProviderError, StoppedError, Usage
from pipeline_tests.experiments.running.endpoint import (
    EVENTS,
    JSON,
    Answer,
    Endpoint,
    answered,
    chat,
    failing,
    piece,
    streamed,
)

KEY = "s3cret-key"
CALL = Call("small", ({"role": "user", "content": "Capital of France?"},), {"temperature": 0})
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "cost": 0.25}


def ask(*answers: Answer, call: Call = CALL, **options):
    with Endpoint(list(answers)) as endpoint:
        reply = client(endpoint, **options).complete(call, threading.Event())
    return reply, endpoint.asked


def refused(*answers: Answer, call: Call = CALL, **options) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        ask(*answers, call=call, **options)
    return raised.value


def client(endpoint: Endpoint, **options) -> OpenAIClient:
    return OpenAIClient(endpoint.address, SecretStr(KEY), **options)


def test_an_answer_comes_with_what_it_took() -> None:
    reply, asked = ask(chat("Paris", usage=USAGE))
    assert (reply.text, reply.finish_reason, reply.usage) == ("Paris", "stop", Usage(5, 2, 0.25))
    (request,) = asked
    assert request.path == "/v1/chat/completions"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.body == {"model": "small", "messages": list(CALL.messages), "temperature": 0, "stream": False}


def test_what_is_asked_cannot_be_changed_by_parameters() -> None:
    call = dataclasses.replace(CALL, params={"model": "dear", "messages": [], "max_tokens": 3})
    _, asked = ask(chat("Paris"), call=call)
    assert (asked[0].body["model"], asked[0].body["messages"]) == ("small", list(CALL.messages))


def test_without_a_key_none_is_sent() -> None:
    with Endpoint([chat("Paris")]) as endpoint:
        OpenAIClient(endpoint.address).complete(CALL, threading.Event())
    assert "Authorization" not in endpoint.asked[0].headers


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": -1, "cost": "1"},
        {"prompt_tokens": 2**70, "completion_tokens": 1.5},
        {"prompt_tokens": True, "cost": -1},
        {"cost": None},
        "much",
    ],
)
def test_what_nobody_says_or_makes_no_sense_is_unknown(usage) -> None:
    reply, _ = ask(answered({"choices": [{"message": {"content": "Paris"}}], "usage": usage}))
    assert reply.usage == Usage(None, None, None)
    assert reply.finish_reason is None


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_stream_is_put_together_with_the_usage_of_its_last_piece(end) -> None:
    pieces = [piece("Pa"), piece("\u2028ris"), piece(None, "stop"), {"choices": [], "usage": USAGE}]
    reply, asked = ask(streamed(*pieces, end=end), call=dataclasses.replace(CALL, stream=True))
    assert (reply.text, reply.finish_reason, reply.usage) == ("Pa\u2028ris", "stop", Usage(5, 2, 0.25))
    assert (asked[0].body["stream"], asked[0].body["stream_options"]) == (True, {"include_usage": True})


def test_comments_and_other_fields_of_a_stream_are_passed_over() -> None:
    event = b'event: message\nid: 1\ndata: {"choices": [{"delta":\ndata: {"content": "Paris"}}]}\n\n'
    body = b": waiting\n\n" + event + b"data: [DONE]"
    reply, _ = ask(Answer(body, headers=EVENTS))
    assert reply.text == "Paris"


def test_a_parameter_decides_whether_an_answer_streams() -> None:
    _, asked = ask(chat("Paris"), call=dataclasses.replace(CALL, stream=True, params={"stream": False}))
    assert asked[0].body["stream"] is False
    _, asked = ask(chat("Paris"), call=dataclasses.replace(CALL, params={"stream": True}))
    assert asked[0].body["stream"] is True  # answered as a whole all the same


def test_a_stream_without_a_last_mark_is_whole_when_it_says_why_it_ends() -> None:
    reply, _ = ask(streamed(piece("Paris", "stop"), done=False))
    assert reply.text == "Paris"


def test_a_stream_that_says_that_it_is_done_is_whole_though_the_connection_stays_open() -> None:
    closed = threading.Event()
    whole = dataclasses.replace(streamed(piece("Paris", "stop")), missing=10, lingers=closed)
    try:
        reply, _ = ask(whole)
    finally:
        closed.set()
    assert reply.text == "Paris"


def test_the_text_of_parts_is_put_together() -> None:
    reply, _ = ask(chat([{"type": "text", "text": "Pa"}, {"type": "image"}, {"type": "text", "text": "ris"}]))
    assert reply.text == "Paris"


def test_an_answer_that_was_cut_off_says_so() -> None:
    assert ask(chat("Par", "length"))[0].finish_reason == "length"
    assert ask(streamed(piece("Par"), piece(None, "length")))[0].finish_reason == "length"


def test_an_empty_answer_is_an_answer() -> None:
    assert ask(chat("", "length"))[0].text == ""


@pytest.mark.parametrize(
    ("answer", "error", "may_pass"),
    [
        (streamed(piece("Par"), done=False), "truncated", True),
        (dataclasses.replace(chat("Paris"), missing=10), "truncated", True),
        (dataclasses.replace(streamed(piece("Paris"), done=False), missing=10), "truncated", True),
        (Answer(b"{not json"), "garbled", True),
        (Answer(b"[1]"), "garbled", True),
        (Answer(b"[" * 100_000), "garbled", True),
        (Answer(b"data: {broken\n\n", headers=EVENTS), "garbled", True),
        (Answer(b"data: \xff\n\n", headers=EVENTS), "garbled", True),
        (Answer(b"not gzip", headers=JSON | {"Content-Encoding": "gzip"}), "truncated", True),
        (Answer(b"<html>Sign in</html>", headers={"Content-Type": "text/html"}), "wrong_content_type", False),
        (answered({"choices": []}), "no_choices", False),
        (answered({"object": "list"}), "no_choices", False),
        (streamed({"choices": []}), "no_choices", False),
        (chat(None), "no_text", False),
        (answered({"choices": [{"finish_reason": "tool_calls"}]}), "no_text", False),
        (answered({"error": {"message": "overloaded", "code": 503}}), "provider_error", True),
        (answered({"error": "no"}), "provider_error", False),
        (streamed(piece("Pa"), {"error": {"message": "gone", "code": 400}}), "provider_error", False),
    ],
)
def test_what_is_no_answer_is_told_by_its_cause(answer, error, may_pass) -> None:
    found = refused(answer)
    assert (found.error, found.may_pass, found.is_free) == (error, may_pass, False)


@pytest.mark.parametrize(
    ("status", "error", "may_pass", "is_free"),
    [
        (400, "bad_request", False, True),
        (401, "denied", False, True),
        (402, "no_money", False, True),
        (403, "denied", False, True),
        (404, "not_found", False, True),
        (413, "too_long", False, True),
        (418, "unexpected_status", False, True),
        (422, "bad_request", False, True),
        (201, "unexpected_status", False, True),
        (408, "server_error", True, False),
        (429, "too_many_requests", True, True),
        (500, "server_error", True, True),
        (502, "server_error", True, False),
        (503, "server_error", True, True),
        (504, "server_error", True, False),
    ],
)
def test_a_status_tells_whether_to_try_again_and_what_it_may_have_cost(status, error, may_pass, is_free) -> None:
    found = refused(failing(status, "in its own words"))
    assert (found.error, found.may_pass, found.is_free) == (error, may_pass, is_free)
    assert found.detail == "in its own words"
    assert "in its own words" not in str(found)
    assert str(status) in str(found)


def test_an_account_without_money_is_not_asked_again() -> None:
    found = refused(failing(429, "You exceeded your quota", "insufficient_quota", retry_after="1"))
    assert (found.error, found.may_pass, found.retry_after) == ("no_money", False, None)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("Fri, 02 Jan 2026 03:05:05 GMT", 60.0),
        ("Fri, 02 Jan 2026 03:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
    ],
)
def test_an_endpoint_says_how_long_to_wait(value, seconds) -> None:
    found = refused(failing(429, retry_after=value), now=lambda: datetime(2026, 1, 2, 3, 4, 5))
    assert found.retry_after == seconds


def test_a_body_that_is_no_json_is_shown_by_its_beginning() -> None:
    found = refused(Answer(b"<html>" + b"x" * 10_000, 502, {"Content-Type": "text/html"}))
    assert found.detail.startswith("<html>xxx")
    assert len(found.detail) == 500


@pytest.mark.parametrize("make", [chat, lambda text: streamed(piece(text), piece(text))])
def test_an_answer_that_is_too_long_is_refused(make) -> None:
    found = refused(make("x" * 3000), most_bytes=2000)
    assert (found.error, found.may_pass) == ("too_large", False)
    assert "2,000 bytes" in str(found)


def test_a_packed_answer_is_limited_by_what_comes_out_of_it() -> None:
    packed = gzip.compress(chat("x" * 1_000_000).body)
    found = refused(Answer(packed, headers=JSON | {"Content-Encoding": "gzip"}), most_bytes=100_000)
    assert found.error == "too_large"


def test_an_endpoint_that_never_answers_is_waited_for_no_longer_than_told() -> None:
    gate = threading.Event()
    try:
        found = refused(dataclasses.replace(chat("Paris"), gate=gate), timeout=1)
    finally:
        gate.set()
    assert (found.error, found.may_pass, found.is_free) == ("too_slow", True, False)


def test_a_call_is_broken_off_when_nobody_waits_for_it() -> None:
    gate, stop = threading.Event(), threading.Event()
    with Endpoint([dataclasses.replace(chat("Paris"), gate=gate)]) as endpoint:
        stop.set()
        with pytest.raises(StoppedError):
            client(endpoint, timeout=60).complete(CALL, stop)
        gate.set()


def test_where_nobody_listens_nothing_was_paid() -> None:
    with Endpoint([]) as endpoint:
        address = endpoint.address
    with pytest.raises(ProviderError) as raised:
        OpenAIClient(address).complete(CALL, threading.Event())
    assert (raised.value.error, raised.value.may_pass, raised.value.is_free) == ("unreachable", True, True)


def test_a_move_within_its_host_is_followed() -> None:
    moved = answered({}, 307, Location="/v2/chat/completions")
    reply, asked = ask(moved, chat("Paris"))
    assert reply.text == "Paris"
    assert [one.path for one in asked] == ["/v1/chat/completions", "/v2/chat/completions"]
    assert asked[1].body == asked[0].body


def test_neither_key_nor_prompt_is_sent_to_another_host() -> None:
    with Endpoint([chat("Paris")]) as other:
        found = refused(answered({}, 307, Location=f"{other.address}/chat/completions"))
    assert other.asked == []
    assert (found.error, found.may_pass) == ("redirected", False)


@pytest.mark.parametrize(
    "moved", [answered({}, 302, Location="/x"), answered({}, 307, Location="/v1/chat/completions")]
)
def test_a_move_that_loses_the_question_or_never_ends_is_refused(moved) -> None:
    assert refused(moved).error == "redirected"


def test_a_key_is_nowhere_to_be_read(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = f"Incorrect key {KEY}, not sk-proj-abc123DEF, in 'Authorization: Bearer {KEY}'"
    found = refused(failing(401, said))
    assert found.detail == "Incorrect key [key], not [key], in 'Authorization: [key]'"
    reply, _ = ask(chat(f"You are {KEY}"))
    assert reply.text == "You are [key]"
    assert KEY not in caplog.text
    assert KEY not in str(found) + repr(found)


def test_a_key_that_no_header_can_carry_is_refused_without_showing_it() -> None:
    with pytest.raises(ProviderError, match="bad_key") as raised:
        OpenAIClient("http://127.0.0.1:9", SecretStr("kéy\n2")).complete(CALL, threading.Event())
    assert "kéy" not in str(raised.value)


def test_vectors_come_in_the_order_of_the_texts() -> None:
    listed = [{"index": 1, "embedding": [0.0, 1.0]}, {"index": 0, "embedding": [1.0, 0.0]}]
    with Endpoint([answered({"data": listed, "usage": {"prompt_tokens": 4}})]) as endpoint:
        found = client(endpoint).embed("vectors-1", ["a", "b"], threading.Event())
    assert (found.vectors, found.usage.tokens_in) == ([[1.0, 0.0], [0.0, 1.0]], 4)
    assert endpoint.asked[0].path == "/v1/embeddings"
    assert endpoint.asked[0].body == {"model": "vectors-1", "input": ["a", "b"]}


@pytest.mark.parametrize("data", [[], [{"embedding": [1.0]}], [{"embedding": []}, {"embedding": []}], "no", [1, 2]])
def test_too_few_vectors_are_none(data) -> None:
    with Endpoint([answered({"data": data})]) as endpoint, pytest.raises(ProviderError, match="garbled"):
        client(endpoint).embed("vectors-1", ["a", "b"], threading.Event())
