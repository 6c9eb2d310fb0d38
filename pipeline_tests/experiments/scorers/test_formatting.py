"""The format of an output: JSON, Markdown, length, structure."""

from typing import Any

import pytest

from pipeline.experiments.scorers import Answer, Tools, make_scorer
from pipeline.experiments.scorers.marks import has_mark

PERSON = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "age": {"$ref": "#/$defs/age"}},
    "$defs": {"age": {"type": "integer", "minimum": 0}},
}
DOCUMENT = """\
# Title

Some **bold** text with a [link](https://example.org "there").

1. one

> quoted

| a | b |
|---|:-:|
| 1 | 2 |

```python
x = 1
```
"""


def failed(output: str, **options: Any) -> dict[str, str]:
    """What is wrong."""
    return dict(make_scorer("format", options).score(Answer(output), Tools()).details["failed"])


def test_the_score_is_the_share_of_checks_that_are_passed() -> None:
    options = {"is_json": True, "json_schema": PERSON, "length": {"most": 3}, "pattern": "x"}
    scoring = make_scorer("format", options).score(Answer('{"name": "a b c d"}'), Tools())
    assert scoring.value == 0.5
    assert scoring.details == {
        "checks": ["is_json", "json_schema", "length", "pattern"],
        "failed": {"length": "5 words", "pattern": "no match"},
    }


@pytest.mark.parametrize("text", ["{}", " [1, null]\n", '```json\n{"a": 1}\n```', "```\n1\n```\n", '"text"'])
def test_json_is_read_bare_or_in_a_fence(text: str) -> None:
    assert failed(text, is_json=True) == {}


@pytest.mark.parametrize("text", ["", "{", "Here: {}", "{} {}", "NaN", "[Infinity]", "{'a': 1}", "[" * 100_000])
def test_what_is_no_json_is_told(text: str) -> None:
    assert failed(text, is_json=True)["is_json"].startswith("no JSON: ")


def test_a_fence_may_be_a_fault() -> None:
    assert "is_json" in failed("```json\n{}\n```", is_json=True, fenced=False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"age": 3}', "$: 'name' is a required property"),
        ('{"name": "a", "age": -1}', "$.age: -1 is less than the minimum of 0"),
        ('{"name": 1}', "$.name: 1 is not of type 'string'"),
        ("no", "no JSON: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_what_is_not_valid_by_the_schema_is_told_with_its_place(text: str, told: str) -> None:
    assert failed(text, json_schema=PERSON) == {"json_schema": told}


@pytest.mark.parametrize("mark", ["heading", "list", "table", "link", "bold", "quote", "code"])
def test_marks_of_markdown_are_found_and_missed(mark: str) -> None:
    assert failed(DOCUMENT, markdown=[mark]) == {}
    assert failed("plain text, 1 * 2 > 1 | x, #tag", markdown=[mark]) == {f"markdown: {mark}": "there is none"}


def test_marks_within_code_are_none() -> None:
    assert failed("```\n# no heading\n```", markdown=["heading", "code"]) == {"markdown: heading": "there is none"}


@pytest.mark.parametrize(("unit", "count"), [("characters", 9), ("words", 3), ("lines", 2)])
def test_lengths_are_counted_and_both_ends_are_in(unit: str, count: int) -> None:
    text = "one two\nä"
    assert failed(text, length={"least": count, "most": count, "unit": unit}) == {}
    assert failed(text, length={"least": count + 1, "unit": unit}) == {"length": f"{count} {unit}"}
    assert failed(text, length={"most": count - 1, "unit": unit}) == {"length": f"{count} {unit}"}


def test_sections_are_there_in_their_order() -> None:
    text = "## Summary\nx\n**Risks**: y\nNext steps\n"
    assert failed(text, sections=["summary", "Risks", "next"]) == {}
    assert failed(text, sections=["Risks", "Summary"]) == {"sections": "no 'Summary' after those before it"}
    assert failed(text, sections=["Costs"]) == {"sections": "no 'Costs'"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "nothing to check; give is_json"),
        ({"json_schema": {"type": "objekt"}}, r"no JSON Schema: \$.type: 'objekt' is not valid"),
        ({"json_schema": {"$ref": "https://example.org/x.json"}}, r"\$ref 'https://example.org/x.json' leads nowhere"),
        ({"json_schema": {"items": [{"$ref": "#/x"}]}}, r"no JSON Schema|leads nowhere"),
        ({"json_schema": {"allOf": [{"$ref": "#/$defs/x"}]}}, r"\$ref '#/\$defs/x' leads nowhere within the schema"),
        ({"pattern": "("}, r"'\(' is no regular expression"),
        ({"length": {"least": 3, "most": 2}}, "at least 3 and at most 2 words cannot both be"),
        ({"length": {}}, "any length will do"),
        ({"markdown": ["footnote"]}, "Input should be 'heading'"),
    ],
)
def test_mistakes_are_told(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make_scorer("format", options)


LONG = 2_000_000
DOUBLING = {
    "$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(60)}
    | {"d60": {"type": "integer"}},
    "$ref": "#/$defs/d0",
}
"""A schema of 3 kB that looks 2^60 times at its output."""


@pytest.mark.parametrize(
    ("mark", "text"),
    [
        ("link", "[" * LONG),
        ("link", "[a](b" * (LONG // 5)),
        ("link", '[a](b "' * (LONG // 7)),
        ("bold", "**x " * (LONG // 4)),
        ("table", "|x\n" + " " * LONG + "!"),
        ("list", "`" * LONG + "\n" + "x\n" * (LONG // 2)),
        ("list", "```\n~~~\n" * (LONG // 8)),
        ("code", "`\n" * (LONG // 2)),
    ],
)
def test_no_output_makes_looking_for_marks_endless(mark: str, text: str) -> None:
    """A pattern that backtracks would take hours; this ends, and finds nothing but the blocks of code."""
    assert failed(text, markdown=[mark]) == {f"markdown: {mark}": "there is none"}


@pytest.mark.parametrize("end", ["", "\n```"])
def test_no_output_makes_looking_for_a_fence_endless(end: str) -> None:
    assert "is_json" in failed("```\n" + " " * LONG + "x" + end, is_json=True)


def test_a_schema_that_would_take_for_ever_gives_no_score_but_a_reason() -> None:
    scoring = make_scorer("format", {"json_schema": DOUBLING}).score(Answer("1"), Tools())
    assert (scoring.value, scoring.reason) == (None, "too_long")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("**a**", True),
        ("****", False),
        ("*****", True),
        ("** a**", False),
        ("**a **", False),
        ("a\n**b\nc**", False),
        ("__a__", True),
        ("**a__", False),
    ],
)
def test_bold_is_text_between_two_equal_marks_on_one_line(text: str, found: bool) -> None:
    assert has_mark(text, "bold") is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[a](b)", True),
        ("[](b)", False),
        ("[a]()", False),
        ("[a](b c)", False),
        ('[a](b "c")', True),
        ('[a](b "c" d)', False),
        ("[a\nb](c)", False),
        ("x] y](c)", False),
        ("[a](b [c](d)", True),
        ("[a] [b](c)", True),
    ],
)
def test_a_link_has_a_text_an_address_and_perhaps_a_title(text: str, found: bool) -> None:
    assert has_mark(text, "link") is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("```\n# a\n```\n", False),
        ("```\n# a\n", True),
        ("````\n```\n# a\n````\n", False),
        ("````\n# a\n```\n", False),
        ("```\n~~~\n```\n# a\n~~~\n", True),
        ("~~~\nx\n~~~~~\n# a\n", True),
    ],
)
def test_a_block_of_code_ends_with_a_fence_of_its_letter(text: str, found: bool) -> None:
    assert has_mark(text, "heading") is found
