"""Prompt templates: Jinja2 in a sandbox, where a variable that nobody gives is an error and not an empty text."""

import functools
from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment


class PromptError(ValueError):
    """A template that cannot be read or filled in; the message says which, where and what is missing."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, in which a few letters cannot ask for all of the memory either."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Multiply numbers; powers and repeated texts are refused."""
        if operator == "**" or not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise SecurityError(f"{operator} is for two numbers, and ** for none; write the value out")
        return super().call_binop(context, operator, left, right)


@functools.cache
def _environment() -> _Sandbox:
    # A prompt is plain text: escaping it for HTML would change what the model reads.
    return _Sandbox(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)


@functools.lru_cache(maxsize=256)
def variables_of(template: str) -> frozenset[str]:
    """The variables that a template takes, in whatever branch.

    Raises
    ------
    PromptError
        If it is no Jinja2 template.
    """
    try:
        return frozenset(meta.find_undeclared_variables(_environment().parse(template)))
    except TemplateSyntaxError as error:
        raise PromptError(f"line {error.lineno}: {error.message}") from error


def filled(template: str, variables: Mapping[str, Any]) -> str:
    """A template filled in; variables that it does not take are left alone.

    Raises
    ------
    PromptError
        If it is no template, a variable is missing, or it asks for what the sandbox forbids.
    """
    missing = sorted(variables_of(template) - set(variables))
    if missing:
        raise PromptError(
            f"no value for {', '.join(map(repr, missing))}; given: {', '.join(sorted(variables)) or 'none'}"
        )
    try:
        return _compiled(template).render(dict(variables))
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, MemoryError) as error:
        raise PromptError(f"it cannot be filled in: {error}") from error


@functools.lru_cache(maxsize=256)
def _compiled(template: str) -> Template:
    return _environment().from_string(template)
