"""``podium rankings``: rankings of language models, what their sources say, and what a person decides about both."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import rankings_aliases
from pipeline.cli.default_command import showing
from pipeline.cli.errors import Exit, InputError
from pipeline.cli.output import console, print_json
from pipeline.cli.published import published
from pipeline.cli.rankings_declared import declared_ranking, ranking_with
from pipeline.cli.rankings_shown import SORT_KEYS, ModelBoard, model_board, print_model_board, sorted_rows
from pipeline.clock import utc_now
from pipeline.reports.queries.rankings import ranking_names
from pipeline.settings import settings
from pipeline.warehouse import current_publication

if TYPE_CHECKING:
    from pipeline.cli.rankings_files import TakenIn

_TOP = 20


rankings = typer.Typer(
    cls=showing("show"),
    help="Rankings of language models: podium rankings \\[BOARD] shows one (see podium rankings show --help).",
)
rankings.add_typer(rankings_aliases.aliases, name="aliases")


@rankings.command()
def show(
    board: Annotated[str | None, typer.Argument(help="A ranking; the only one without it.")] = None,
    top: Annotated[
        int | None, typer.Option("--top", min=1, help=f"So many models; by default {_TOP}, in JSON all.")
    ] = None,
    sort: Annotated[str, typer.Option("--sort", help=f"By what: {', '.join(SORT_KEYS)}.")] = "rank",
    source_dir: Annotated[
        Path | None,
        typer.Option(
            "--from", help="First take in files as publishers give them, from DIR/<source>/, without network."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: all models, unless --top is given.")] = False,
) -> None:
    """Print a ranking and the state of its sources; with --from, made anew of files in a folder.

    Exit code 2 if the files of a source were refused.
    """
    sorted_rows((), sort)  # a key that is not known is told before anything is done
    taken_in: TakenIn | None = None
    if source_dir is not None:
        from pipeline.cli.rankings_files import take_in

        declared = declared_ranking(board)
        board, taken_in = declared.name, take_in(declared, source_dir, None if as_json else console())
    found = published_board(board)
    if as_json:
        rows = tuple(sorted_rows(found.rows, sort)[:top])
        record = vars(taken_in) | {"refused": taken_in.refused} if taken_in else {}
        print_json({**vars(replace(found, rows=rows)), "n_models": len(found.rows), **record})
    else:
        print_model_board(found, top or _TOP, sort)
    if taken_in is not None and taken_in.refused:
        if not as_json:
            console().print(taken_in.told, style="red", soft_wrap=True, highlight=False, markup=False)
        raise typer.Exit(Exit.WRONG_INPUT)


@rankings.command()
def accept(
    source: Annotated[str, typer.Argument(help="The source, such as livebench.")],
    because: Annotated[str, typer.Option("--because", help="Why what the guards refused is right after all.")],
    board: Annotated[str | None, typer.Option("--board", help="A ranking that has the source.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Accept the newest snapshot of a source, which the guards refused; it counts at the next run."""
    from pipeline.intake.sources import Archive, FilesError
    from pipeline.intake.sources import accept as accept_snapshot
    from pipeline.landing.fetching import SnapshotError

    if not because.strip():
        raise InputError("--because is empty; say why the snapshot is right after all")
    declared = ranking_with(source, board)
    try:
        found = accept_snapshot(declared.source(source), Archive.of_settings(), because.strip())
    except (FilesError, SnapshotError) as error:
        raise InputError(str(error)) from error
    if as_json:
        print_json({"source": source, "snapshot": found.snapshot, "because": found.why, "breaks": found.notes})
        return
    print(f"Accepted: {found.snapshot} of {source}. It counts at the next run: podium run {declared.name}")


def published_board(name: str | None) -> ModelBoard:
    """A published ranking; without a name the only one.

    Raises
    ------
    InputError
        If a name is needed, or no ranking of that name is published; the message says what to run.
    NotPublishedError
        If nothing is published at all.
    """
    if current_publication(settings().published_dir) is None:
        raise _not_published(declared_ranking(name).name)
    with published() as connection:
        known = ranking_names(connection)
        if name is None and len(known) == 1:
            name = known[0]
        if name is None or name not in known:
            raise _not_published(declared_ranking(name).name)
        return model_board(connection, name, utc_now())


def _not_published(name: str) -> InputError:
    return InputError(f"ranking {name!r} is not published yet; `podium run {name}` makes and publishes it")
