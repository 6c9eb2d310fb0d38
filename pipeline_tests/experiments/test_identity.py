"""What a run is: canonical JSON against the examples of its RFC, and hashes that hold what they should."""

import hashlib
import json
import math
import struct
import subprocess
import sys
import unicodedata
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.experiments import RunConfig, canonical_json, configuration_id, run_id, sha256_of

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
NUMBERS = st.integers(-(2**53 - 1), 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
# RFC 8785, appendix B: doubles and how they are written.
WRITTEN = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "written"), WRITTEN.items())
def test_numbers_are_written_as_in_the_rfc(bits: str, written: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical_json(number) == written


def test_keys_are_sorted_as_in_the_rfc() -> None:
    names = ["€", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "ö"]
    ordered = list(json.loads(canonical_json(dict.fromkeys(names, 0))))
    assert ordered == ["\r", "1", "\u0080", "ö", "€", "\U0001f600", "\ufb33"]


def test_texts_are_escaped_as_in_the_rfc() -> None:
    text = "€$\u000f\nA'\u0042\u0022\\\\\"/"
    assert canonical_json(text) == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'


def test_the_example_of_the_rfc_comes_out() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "literals": [None, True, False],
    }
    assert canonical_json(value) == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}'
    )


@given(VALUES)
def test_canonical_json_reads_back_as_what_was_written(value: object) -> None:
    assert json.loads(canonical_json(value), parse_int=float) == value


@given(st.dictionaries(TEXTS, VALUES, min_size=2, max_size=5), st.randoms())
def test_the_order_of_keys_makes_no_difference(value: dict[str, object], random) -> None:
    names = list(value)
    random.shuffle(names)
    assert canonical_json({name: value[name] for name in names}) == canonical_json(value)


@given(NUMBERS, NUMBERS)
def test_numbers_have_one_text_exactly_where_they_are_equal(one: float, other: float) -> None:
    assert (canonical_json(one) == canonical_json(other)) == (Fraction(one) == Fraction(other))


def test_whole_numbers_are_the_same_however_they_are_written() -> None:
    assert canonical_json([1, 1.0, -0.0, 100]) == "[1,1,0,100]"
    assert canonical_json([True, False]) != canonical_json([1, 0])
    assert canonical_json((1, 2)) == canonical_json([1, 2])
    assert canonical_json(np.float64(0.5)) == "0.5"


def test_texts_in_another_normal_form_are_other_texts() -> None:
    composed, split = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    assert sha256_of(composed) != sha256_of(split)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": [0, math.nan]}, r"the value\.a\[1\] is nan, which JSON does not have"),
        (math.inf, "the value is inf"),
        (2**53, r"beyond 2\^53 - 1, where readers of JSON differ; write it as text"),
        ({1: 2}, "keys that are no text: 1"),
        ({"a": {1, 2}}, r"the value\.a is a set, which JSON does not have"),
        (np.int64(3), "is a int64"),
        (["\ud800"], r"the value\[0\] has half of a surrogate pair at 0"),
        ({"\udc00": 1}, "a key of the value has half of a surrogate pair"),
    ],
)
def test_what_json_does_not_have_is_refused(value: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        canonical_json(value)


def test_what_is_nested_without_end_is_refused() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(ValueError, match="the value is nested too deeply"):
        canonical_json(value)


def test_a_hash_is_that_of_the_four_parts_and_no_other() -> None:
    config = RunConfig("Say {{ x }}", "gpt", {"temperature": 0}, {"x": "a"})
    body = '{"input_data":{"x":"a"},"model":"gpt","params":{"temperature":0},"prompt":"Say {{ x }}"}'
    assert config.config_hash == hashlib.sha256(body.encode()).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        RunConfig("Say {{ x }} ", "gpt", {"temperature": 0}, {"x": "a"}),
        RunConfig("Say {{ x }}", "gpt2", {"temperature": 0}, {"x": "a"}),
        RunConfig("Say {{ x }}", "gpt", {"temperature": 0.1}, {"x": "a"}),
        RunConfig("Say {{ x }}", "gpt", {}, {"x": "a"}),
        RunConfig("Say {{ x }}", "gpt", {"temperature": 0}, {"x": "b"}),
        RunConfig({"system": "", "template": "Say {{ x }}"}, "gpt", {"temperature": 0}, {"x": "a"}),
    ],
)
def test_whatever_can_change_the_answer_changes_the_hash(other: RunConfig) -> None:
    config = RunConfig("Say {{ x }}", "gpt", {"temperature": 0}, {"x": "a"})
    assert other.config_hash != config.config_hash
    same_input = other.input_data == config.input_data
    assert (other.configuration == config.configuration) is not same_input


def test_the_same_is_the_same_in_another_process() -> None:
    config = RunConfig("p", "m", {"b": 1.0, "a": [None, "ü"]}, {})
    code = (
        "from pipeline.experiments import RunConfig, run_id;"
        "c = RunConfig('p', 'm', {'a': (None, 'ü'), 'b': 1}, {}); print(c.config_hash, run_id('e', c.config_hash, 2))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert printed == [config.config_hash, run_id("e", config.config_hash, 2)]


def test_a_run_is_named_by_experiment_hash_and_repeat() -> None:
    names = {run_id(experiment, config, repeat) for experiment in "ab" for config in "cd" for repeat in (1, 2)}
    assert len(names) == 8
    assert run_id("a", "c", 1) in names
    with pytest.raises(ValueError, match="repeat is 0; repeats count from 1"):
        run_id("a", "c", 0)


def test_a_config_is_read_with_nothing_but_what_is_hashed() -> None:
    config = RunConfig("p", "m", {"t": 0}, {"x": 1})
    assert RunConfig.of(config.as_json) == config
    assert RunConfig.of({"model": "m"}) == RunConfig("", "m", {}, "")
    with pytest.raises(ValueError, match=r"unknown 'temperature' in a run's config; known: prompt, model, params"):
        RunConfig.of({"temperature": 0})
    for wrong in ({"model": 1}, {"params": []}):
        with pytest.raises(ValueError, match="model is a text and params are a mapping"):
            RunConfig.of(wrong)


def test_a_configuration_is_the_same_whatever_the_input() -> None:
    assert configuration_id("p", "m", {"a": 1, "b": 2}) == configuration_id("p", "m", {"b": 2.0, "a": 1.0})
    assert len(configuration_id("p", "m", {})) == 16
