"""The format of an output: JSON, Markdown, length, structure."""

from typing import Any

import pytest

from pipeline.experiments.scorers import Answer, Tools, make_scorer

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
