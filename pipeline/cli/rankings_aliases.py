"""``podium rankings aliases``: what names of models mean, and what a person decides about that."""

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pipeline.cli.default_command import showing
from pipeline.cli.errors import InputError
from pipeline.cli.output import MISSING, Column, console, counted, in_print, print_json, print_table
from pipeline.cli.published import published
from pipeline.cli.rankings_declared import declared_ranking
from pipeline.clock import utc_now
from pipeline.reports.queries import NamedModel, model_ids, named_models
from pipeline.reports.queries.rankings import ranking_names

if TYPE_CHECKING:
    from pipeline.rankings.declaration import Rankings

aliases = typer.Typer(
    cls=showing("list"),
    help="What names of models mean: podium rankings aliases lists those that a person may decide on.",
)
_STATUSES = ("accepted", "rejected", "pending", "unmatched")
_OPEN = ("pending", "unmatched")
_NEAR = 3

_Board = Annotated[str | None, typer.Option("--board", help="A ranking; the only one without it.")]
_Because = Annotated[str, typer.Option("--because", help="What the decision rests on: a sentence or a URL.")]
_Source = Annotated[str, typer.Argument(help="The source, such as livebench.")]
_Name = Annotated[str, typer.Argument(help="The name, as the source writes it.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@aliases.command("list")
def list_names(
    source: Annotated[str | None, typer.Option("--source", help="Of this source only.")] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="accepted, rejected, pending or unmatched; by default the last two.")
    ] = None,
    board: _Board = None,
    top: Annotated[int, typer.Option("--top", min=1, help="So many names.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: all of them.")] = False,
) -> None:
    """List names with what they could mean; those for which most figures wait come first."""
    if status is not None and status not in _STATUSES:
        raise InputError(f"--status {status!r} is none; known: {', '.join(_STATUSES)}")
    names = _names(board)
    if source is not None:
        _require_source(names, source)
    wanted = (status,) if status else _OPEN
    found = [one for one in names if one.status in wanted and source in (None, one.source)]
    if as_json:
        print_json(found)
        return
    _print(found[:top])
    counts = Counter(one.status for one in names if source in (None, one.source))
    more = f"; the first {top:,} are shown (--top, --json)" if len(found) > top else ""
    said = ", ".join(f"{counts[one]:,} {one}" for one in _STATUSES if counts[one]) or "no names"
    console().print(f"{said}{more}.", soft_wrap=True, highlight=False, markup=False)


@aliases.command()
def accept(
    source: _Source,
    name: _Name,
    model: Annotated[str, typer.Argument(help="The release that it means: vendor/model.")],
    because: _Because,
    is_new: Annotated[bool, typer.Option("--new", help="The release is in no catalogue yet: make it.")] = False,
    board: _Board = None,
    as_json: _Json = False,
) -> None:
    """Decide that a name means a release; it counts at the next run."""
    declared, names = declared_ranking(board), _names(board)
    _require_name(names, source, name)
    _require_model(declared.name, model, is_new)
    _decide(declared, (source, name, model, "accepted", because), as_json)


@aliases.command()
def reject(
    source: _Source,
    name: _Name,
    because: _Because,
    model: Annotated[
        str, typer.Argument(help="The release that it does not mean; without it, it means none at all.")
    ] = "",
    board: _Board = None,
    as_json: _Json = False,
) -> None:
    """Decide that a name does not mean a release, or any; nothing ever finds it again. It counts at the next run."""
    declared, names = declared_ranking(board), _names(board)
    _require_name(names, source, name)
    if model:
        _require_model(declared.name, model, is_new=False)
    _decide(declared, (source, name, model, "rejected", because), as_json)


def _decide(declared: "Rankings", said: tuple[str, str, str, str, str], as_json: bool) -> None:
    from pipeline.intake.decisions import add_decision
    from pipeline.rankings.decisions import DecisionsError
    from pipeline.rankings.identity import Decision, Status

    source, name, model, status, because = said
    if not because.strip():
        raise InputError("--because is empty; say what the decision rests on: a sentence or a URL")
    decided_at = utc_now().replace(microsecond=0)
    decision = Decision(source, name, model.lower(), Status(status), because.strip(), decided_at)
    try:
        path = add_decision(declared, decision)
    except (DecisionsError, OSError) as error:
        raise InputError(str(error)) from error
    if as_json:
        print_json({**vars(decision), "file": str(path)})
        return
    meaning = model.lower() or "any release"
    verb = "means" if status == "accepted" else "does not mean"
    print(f"{in_print(name)} of {source} {verb} {meaning}: noted in {path}")
    print(f"It counts at the next run: podium run {declared.name}")


def _names(board: str | None) -> list[NamedModel]:
    name = declared_ranking(board).name
    with published() as connection:
        if name not in ranking_names(connection):
            raise InputError(f"ranking {name!r} is not published yet; `podium run {name}` makes and publishes it")
        return named_models(connection, name)


def _require_source(names: Iterable[NamedModel], source: str) -> None:
    known = sorted({one.source for one in names})
    if source not in known:
        raise InputError(f"no source {source!r} has names of models; known: {', '.join(known) or 'none'}")


def _require_name(names: Sequence[NamedModel], source: str, name: str) -> None:
    _require_source(names, source)
    own = [one.raw_name for one in names if one.source == source]
    if name not in own:
        raise InputError(f"{source} has no single model called {name!r}; {_near(name, own)}")


def _require_model(board: str, model: str, is_new: bool) -> None:
    with published() as connection:
        known = model_ids(connection, board)
    if "/" not in model.strip("/"):
        raise InputError(f"{model!r} is no release; write vendor/model; {_near(model, known)}")
    if model.lower() not in known and not is_new:
        raise InputError(f"no release is called {model!r}; {_near(model, known)}; for one that no catalogue has: --new")


def _near(text: str, known: Sequence[str]) -> str:
    """What may have been meant."""
    lower = text.lower()
    within = [one for one in known if lower in one.lower()][:_NEAR]
    near = within or difflib.get_close_matches(text, known, n=_NEAR, cutoff=0.5)
    return f"like it: {', '.join(map(repr, near))}" if near else "nothing is spelled like it"


def _shown_as(one: NamedModel) -> str:
    """What a source shows where its name is a key that says little."""
    return MISSING if one.title in (None, one.raw_name) else str(one.title)


def _print(found: Sequence[NamedModel]) -> None:
    columns = [
        Column("source", [one.source for one in found], is_text=True, rank=0),
        Column("name", [one.raw_name for one in found], is_text=True, rank=0),
        Column("shown as", [_shown_as(one) for one in found], is_text=True, rank=1),
        Column("status", [one.status for one in found], is_text=True, rank=0),
        Column("figures waiting", [f"{one.n_results:,}" for one in found], rank=1),
        Column("means", [one.model or MISSING for one in found], is_text=True, rank=2),
        Column("could mean", [one.candidates or MISSING for one in found], is_text=True, rank=0),
        Column("because", [one.evidence or "" for one in found], is_text=True, rank=3),
    ]
    print_table(columns, Text(f"{counted(len(found), 'name')} of models"))
