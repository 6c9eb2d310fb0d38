"""What a run is, as a hash: canonical JSON of what is asked, by RFC 8785.

Texts are hashed as they are, as the RFC demands: what is written in another Unicode normal form is split into other
tokens, so to a model it is another prompt. Comparing an output with a reference is another matter: see ``scorers``.
"""

import hashlib
import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LARGEST_INTEGER = 2**53 - 1
"""The largest whole number that every reader of JSON takes for the same."""

_NAMESPACE = uuid.UUID("6b1f4d0e-5a39-5f0c-9f9d-2f6c5a4c7d10")
_ES6_PLAIN = range(-6, 21)
"""Exponents of ten whose numbers JavaScript writes without one."""


def canonical_json(value: object) -> str:
    """A value as canonical JSON: equal values have one text, whatever the order of keys or the kind of number.

    Keys are sorted by their UTF-16 code units, nothing is put between, and numbers are written as JavaScript does, so
    1 and 1.0 are the same.

    Parameters
    ----------
    value : object
        None, bool, int, float, str, and lists, tuples and mappings of these with texts as keys.

    Raises
    ------
    ValueError
        If a number is NaN, infinite, or whole and beyond 2^53 - 1, a text has half a surrogate pair, a key is no text,
        something is of another type, or within thousands of others; the message says where.

    References
    ----------
    RFC 8785, JSON Canonicalization Scheme (JCS).

    Examples
    --------
    >>> canonical_json({"b": [1.0, None], "a": "x"})
    '{"a":"x","b":[1,null]}'
    """
    try:
        return _written(value, "the value")
    except RecursionError as error:
        raise ValueError("the value is nested too deeply to be written; make it flatter") from error


def sha256_of(value: object) -> str:
    """sha256 of a value's canonical JSON in UTF-8, in hexadecimal digits. Errors are those of canonical_json."""
    return hashlib.sha256(canonical_json(value).encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class RunConfig:
    """What a run asks: everything that can change what comes back, and nothing else.

    Parameters
    ----------
    prompt : str or mapping
        The template; with a system message ``{"system": ..., "template": ...}``.
    model : str
        As its provider calls it.
    params : mapping
        By name: temperature and the like.
    input_data : object
        What the template is filled with.
    """

    prompt: object
    model: str
    params: Mapping[str, Any]
    input_data: object

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "RunConfig":
        """What a mapping asks; what it leaves out is empty.

        Raises
        ------
        ValueError
            If it has something else: whatever is not hashed would be taken for the same run.
        """
        empty: dict[str, Any] = {"prompt": "", "model": "", "params": {}, "input_data": ""}
        unknown = [repr(name) for name in config if name not in empty]
        if unknown:
            raise ValueError(f"unknown {', '.join(unknown)} in a run's config; known: {', '.join(empty)}")
        asked = cls(**empty | dict(config))
        if not isinstance(asked.model, str) or not isinstance(asked.params, Mapping):
            raise ValueError("model is a text and params are a mapping; write {model: name, params: {name: value}}")
        return asked

    @property
    def as_json(self) -> dict[str, object]:
        """The four parts by name."""
        return {
            "prompt": self.prompt,
            "model": self.model,
            "params": dict(self.params),
            "input_data": self.input_data,
        }

    @property
    def config_hash(self) -> str:
        """sha256 of the canonical JSON of the four. Errors are those of canonical_json."""
        return sha256_of(self.as_json)

    @property
    def configuration(self) -> str:
        """What is compared: a hash of prompt, model and params, without the input."""
        return configuration_id(self.prompt, self.model, self.params)


def configuration_id(prompt: object, model: str, params: Mapping[str, Any]) -> str:
    """The first 16 digits of the sha256 of prompt, model and params. Errors are those of canonical_json."""
    return sha256_of({"prompt": prompt, "model": model, "params": dict(params)})[:16]


def run_id(experiment: str, config_hash: str, repeat: int) -> str:
    """The UUID of a run: (config_hash, repeat) within its experiment, always the same.

    Raises
    ------
    ValueError
        If the repeat is below 1.
    """
    if repeat < 1:
        raise ValueError(f"repeat is {repeat}; repeats count from 1")
    named = [_text(experiment, "the experiment"), _text(config_hash, "the hash"), str(int(repeat))]
    return str(uuid.uuid5(_NAMESPACE, f"[{','.join(named)}]"))  # canonical JSON of the three


def _written(value: object, where: str) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return _number(value, where)
    if isinstance(value, str):
        return _text(value, where)
    if isinstance(value, list | tuple):
        return f"[{','.join(_written(one, f'{where}[{place}]') for place, one in enumerate(value))}]"
    if isinstance(value, Mapping):
        return _object(value, where)
    raise ValueError(f"{where} is a {type(value).__name__}, which JSON does not have; write it as text or as a number")


def _object(value: Mapping[Any, object], where: str) -> str:
    wrong = [repr(key) for key in value if not isinstance(key, str)]
    if wrong:
        raise ValueError(f"{where} has keys that are no text: {', '.join(wrong)}; JSON has texts only")
    keys = {_text(key, f"a key of {where}"): key for key in value}
    ordered = sorted(keys, key=lambda written: keys[written].encode("utf-16-be"))
    return (
        "{"
        + ",".join(f"{written}:{_written(value[keys[written]], f'{where}.{keys[written]}')}" for written in ordered)
        + "}"
    )


def _text(text: str, where: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"{where} has half of a surrogate pair at {error.start}, which is no Unicode text") from error
    return json.dumps(text, ensure_ascii=False)


def _number(number: float, where: str) -> str:
    """A number as JavaScript writes it: the shortest digits that give the same double."""
    if isinstance(number, int):
        if abs(number) > LARGEST_INTEGER:
            raise ValueError(f"{where} is {number}, beyond 2^53 - 1, where readers of JSON differ; write it as text")
        return str(int(number))
    if not math.isfinite(number):
        raise ValueError(f"{where} is {number}, which JSON does not have; leave it out or write null")
    if number == 0:
        return "0"
    sign, digits, point = _shortest(number)
    if point - 1 in _ES6_PLAIN:
        return sign + _plain(digits, point)
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"


def _shortest(number: float) -> tuple[str, str, int]:
    """The sign, the digits without zeros at the ends, and where the point is: before the digit of that place."""
    mantissa, _, exponent = repr(abs(float(number))).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return "-" if number < 0 else "", digits.rstrip("0"), point


def _plain(digits: str, point: int) -> str:
    if point <= 0:
        return f"0.{'0' * -point}{digits}"
    if len(digits) <= point:
        return digits + "0" * (point - len(digits))
    return f"{digits[:point]}.{digits[point:]}"
