"""Prompt templates: Jinja2 in a sandbox, where a variable that nobody gives is an error and not an empty text.

Whatever a template asks for, it ends: loops, calls and lengths are bounded. What strangers send may besides be no more
than values, conditions, loops and a few filters, so that every single step is short too.
"""

import functools
import time
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import do_join
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_eval_context
from jinja2.visitor import NodeTransformer

MOST_STEPS = 200_000
"""Passes of loops and calls while a template is filled in, at most."""
MOST_LETTERS = 10_000_000
"""Characters of what comes out, at most, or of any text on the way."""
_MOST_SECONDS = 10.0
_STEP, _JOINED = "podium_step", "podium_joined"
_LEFT: ContextVar[list[float]] = ContextVar("left")
"""Steps that are left of the template that is being filled in, and when it has to be done."""

_SIMPLE_NODES: tuple[type[nodes.Node], ...] = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Name, nodes.Const, nodes.Tuple),
    *(nodes.Getattr, nodes.Getitem, nodes.CondExpr, nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand),
    *(nodes.Test, nodes.Filter, nodes.Concat, nodes.Add, nodes.Sub, nodes.Neg, nodes.Keyword),
)
_SIMPLE_FILTERS = frozenset(
    {
        *("capitalize", "count", "d", "default", "first", "float", "int", "join", "last", "length", "list", "lower"),
        *("reverse", "sort", "string", "title", "tojson", "trim", "unique", "upper"),
    }
)
_LARGEST_CONSTANT = 1000
_FAILURES = (
    *(TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, MemoryError, RecursionError),
)


class PromptError(ValueError):
    """A template that cannot be read or filled in; the message says which, where and what is missing."""


class _Bounding(NodeTransformer):
    """Counts passes of loops, and lengths of texts that are put together."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  (named after the class of nodes)
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, _STEP, [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        together = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(together, _JOINED, [], [], None, None, lineno=node.lineno)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, in which a few letters cannot ask for all of the time or the memory either."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.concat = _joined  # type: ignore[method-assign]  # generated code looks it up here
        self.filters |= {_STEP: _counted, _JOINED: lambda parts: _joined(map(str, parts)), "join": _join}
        del self.globals["lipsum"]

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed: nodes.Template = _Bounding().visit(super()._parse(source, name, filename))
        return parsed

    def call(self, context: Context, obj: Any, *arguments: Any, **named: Any) -> Any:
        """Call what a template may call, and count it."""
        _take_step()
        return super().call(context, obj, *arguments, **named)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate with numbers; powers and repeated texts are refused."""
        are_numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "**" or (operator in "*%" and not are_numbers):
            raise SecurityError(f"{operator} is for two numbers, and ** for none; write the value out")
        if operator == "+" and not are_numbers and _size(left) + _size(right) > MOST_LETTERS:
            raise SecurityError(_TOO_LONG)
        if operator == "*" and any(isinstance(one, int) and abs(one) > 10**30 for one in (left, right)):
            raise SecurityError("numbers beyond 10^30 are not multiplied; write the value out")
        return super().call_binop(context, operator, left, right)


_TOO_LONG = f"it makes more than {MOST_LETTERS:,} characters; shorten the template or the input"


def _size(value: object) -> int:
    return len(value) if isinstance(value, str | list | tuple) else 0


def _joined(parts: Iterable[str]) -> str:
    """Texts put together, as far as they may be long."""
    kept, length = [], 0
    for part in parts:
        length += len(part)
        if length > MOST_LETTERS:
            raise SecurityError(_TOO_LONG)
        kept.append(part)
    return "".join(kept)


@pass_eval_context
def _join(context: EvalContext, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    """Jinja2's own filter, as far as what comes out may be long."""
    listed = list(value)
    if len(listed) * len(d) + sum(map(_size, listed)) > MOST_LETTERS:
        raise SecurityError(_TOO_LONG)
    return str(do_join(context, listed, d, attribute))


def _counted(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        _take_step()
        yield value


def _take_step() -> None:
    left = _LEFT.get(None)
    if left is None:  # a constant is worked out while the template is read
        return
    left[0] -= 1
    if left[0] < 0:
        raise SecurityError(f"its loops and calls take more than {MOST_STEPS:,} steps; loop over less")
    if time.monotonic() > left[1]:
        raise SecurityError(f"it takes longer than {_MOST_SECONDS:g} s; loop over less")


@functools.cache
def _environment() -> _Sandbox:
    # A prompt is plain text: escaping it for HTML would change what the model reads.
    return _Sandbox(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)


@functools.cache
def _reader() -> Environment:
    """What reads templates as they are written; nothing is filled in by it."""
    return Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701  # nosec B701 # prompts are text, and no page shows them unescaped


def variables_in(input_data: object) -> Mapping[str, object]:
    """What templates are filled with: an input's variables, or a text alone as ``input``."""
    if isinstance(input_data, Mapping):
        return input_data
    return {"input": input_data} if input_data not in ("", None) else {}


@functools.lru_cache(maxsize=256)
def variables_of(template: str) -> frozenset[str]:
    """The variables that a template takes, in whatever branch.

    Raises
    ------
    PromptError
        If it is no Jinja2 template.
    """
    return frozenset(meta.find_undeclared_variables(_read(template)))


def require_simple(template: str) -> frozenset[str]:
    """The variables of a template that has values, conditions, loops and a few filters, and nothing else.

    Raises
    ------
    PromptError
        If it is no Jinja2 template, or has more: a text of strangers shall not be able to keep a machine busy.
    """
    for node in _read(template).find_all(nodes.Node):
        if not isinstance(node, _SIMPLE_NODES):
            raise PromptError(
                f"line {node.lineno}: {type(node).__name__.lower()} is not taken from everybody; write values, "
                f"conditions, loops and filters, or let the operator declare the prompt"
            )
        if isinstance(node, nodes.Filter) and node.name not in _SIMPLE_FILTERS:
            known = ", ".join(sorted(_SIMPLE_FILTERS))
            raise PromptError(f"line {node.lineno}: filter {node.name!r} is not taken from everybody; known: {known}")
        if isinstance(node, nodes.Const) and isinstance(node.value, int | float) and node.value > _LARGEST_CONSTANT:
            raise PromptError(f"line {node.lineno}: {node.value} is beyond {_LARGEST_CONSTANT:,}; give it as an input")
        if isinstance(node, nodes.For) and node.recursive:
            raise PromptError(f"line {node.lineno}: a recursive loop is not taken from everybody; loop over less")
    return variables_of(template)


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
    token = _LEFT.set([MOST_STEPS, time.monotonic() + _MOST_SECONDS])
    try:
        return _compiled(template).render(dict(variables))
    except _FAILURES as error:
        raise PromptError(f"it cannot be filled in: {error}") from error
    finally:
        _LEFT.reset(token)


def _read(template: str) -> nodes.Template:
    try:
        return _reader().parse(template)
    except TemplateSyntaxError as error:
        raise PromptError(f"line {error.lineno}: {error.message}") from error
    except RecursionError:
        raise PromptError("it is nested too deeply; make it flatter") from None


@functools.lru_cache(maxsize=256)
def _compiled(template: str) -> Template:
    return _environment().from_string(template)
