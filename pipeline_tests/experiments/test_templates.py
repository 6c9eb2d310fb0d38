"""Prompt templates: filled in with everything they take, in a sandbox."""

import pytest

from pipeline.experiments.templates import PromptError, filled, require_simple, variables_of


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


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}", "more than 200,000 steps"),
        ("{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}", "recursion|more than 200,000 steps"),
        ("{% for i in range(9999) %}{{ text }}{% endfor %}", "more than 10,000,000 characters"),
        ("{% set x %}{% for i in range(9999) %}{{ text }}{% endfor %}{% endset %}{{ x }}", "more than 10,000,000 char"),
        (
            "{% set n = namespace(t=text) %}{% for i in range(60) %}{% set n.t = n.t ~ n.t %}{% endfor %}",
            "more than 10,000,000 characters",
        ),
        (
            "{% set n = namespace(t=text) %}{% for i in range(60) %}{% set n.t = n.t + n.t %}{% endfor %}",
            "more than 10,000,000 characters",
        ),
        ("{{ text|join(text) }}", "more than 10,000,000 characters"),
        (
            "{% set n = namespace(i=9) %}{% for i in range(60) %}{% set n.i = n.i * n.i %}{% endfor %}",
            "beyond 10^30 are not multiplied",
        ),
        ("{{ '%999999999d' % 1 }}", "% is for two numbers"),
        ("{{ lipsum(n=999999999) }}", "no value for 'lipsum'|'lipsum' is undefined"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "nested too deeply"),
    ],
)
def test_what_never_ends_is_ended(template: str, told: str) -> None:
    with pytest.raises(PromptError, match=told.replace("^", r"\^")):
        filled(template, {"text": "x" * 10_000})


def test_bounds_are_for_each_filling_and_leave_the_loop_as_it_is() -> None:
    template = (
        "{% for i in range(90000) %}{% if loop.last %}{{ loop.index ~ '/' ~ loop.length }}{% endif %}{% endfor %}"
    )
    assert [filled(template, {}) for _ in range(3)] == ["90000/90000"] * 3
    assert filled("{{ parts|join(', ', attribute='n') }}", {"parts": [{"n": 1}, {"n": 2}]}) == "1, 2"


@pytest.mark.parametrize(
    "template",
    [
        "{% if a %}{{ a.b[0]|upper ~ '!' }}{% elif b is defined and b > 3 %}x{% else %}y{% endif %}",
        "{% for one in a %}{{ loop.index }}. {{ one|default('none')|trim }}\n{% endfor %}",
        "{{ a|join(', ') }} {{ a|length + 1 }} {{ b if b else 'no' }} {{ 'x' in a }} {{ -b }}",
        "no variables {# and a remark #}",
    ],
)
def test_values_conditions_loops_and_filters_are_simple(template: str) -> None:
    assert require_simple(template) <= {"a", "b"}


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{{ range(10) }}", "line 1: call is not taken from everybody"),
        ("a\n{% set x = 1 %}", "line 2: assign is not"),
        ("{% macro m() %}{% endmacro %}", "macro is not"),
        ("{{ [a, a] }}", "list is not"),
        ("{{ {'a': a} }}", "dict is not"),
        ("{{ a * 3 }}", "mul is not"),
        ("{% include 'x' %}", "include is not"),
        ("{{ a|center(100) }}", "filter 'center' is not taken from everybody; known: capitalize"),
        ("{{ a|tojson(indent=999999999) }}", "999999999 is beyond 1,000"),
        ("{% for x in a recursive %}{% endfor %}", "recursive loop"),
        ("{{ a", "line 1: unexpected end"),
    ],
)
def test_what_is_more_is_not_taken_from_everybody(template: str, told: str) -> None:
    with pytest.raises(PromptError, match=told):
        require_simple(template)
