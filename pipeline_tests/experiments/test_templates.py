"""Prompt templates: filled in with everything they take, in a sandbox."""

import pytest

from pipeline.experiments.templates import PromptError, filled, variables_of


def test_a_template_is_filled_in_and_nothing_is_escaped() -> None:
    variables = {"a": "x & y", "b": {"c": 1}, "more": 2}
    assert filled("{{ a }} < {{ b.c * 3 }}\n", variables) == "x & y < 3\n"


def test_variables_are_those_of_every_branch() -> None:
    assert variables_of("{% if a %}{{ b }}{% else %}{{ c|upper }}{% endif %}{% set d = 1 %}{{ d }}") == {"a", "b", "c"}


def test_a_missing_variable_is_an_error_even_where_its_branch_is_not_taken() -> None:
    with pytest.raises(PromptError, match="no value for 'b'; given: a"):
        filled("{% if a %}x{% else %}{{ b }}{% endif %}", {"a": True})


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{{ a.missing }}", "cannot be filled in: .* has no attribute 'missing'"),
        ("{{ a.__class__.__mro__ }}", "cannot be filled in: .*unsafe"),
        ("{{ ''.__class__ }}", "cannot be filled in: .*unsafe"),
        ("{% for i in range(999999999) %}x{% endfor %}", "cannot be filled in: Range too big"),
        ("{{ a.update({'k': 1}) }}", "cannot be filled in: access to attribute 'update'"),
        ("{{ 10 ** 10 ** 9 }}", r"\* is for two numbers, and \*\* for none"),
        ("{{ 'x' * 10 }}", r"\* is for two numbers"),
        ("{{ 1 / 0 }}", "cannot be filled in: division by zero"),
        ("line one\n{{ a", "line 2: unexpected end of template"),
        ("{% include 'other' %}", "cannot be filled in"),
    ],
)
def test_what_cannot_or_may_not_be_done_is_told(template: str, told: str) -> None:
    with pytest.raises(PromptError, match=told):
        filled(template, {"a": {"b": 1}})
