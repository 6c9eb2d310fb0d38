"""``podium rankings --from``: files as publishers give them become the ranking, without any network."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.errors import InputError
from pipeline.cli.output import counted
from pipeline.intake.figures import published_now_of
from pipeline.intake.sources import Archive, take
from pipeline.landing import is_left_alone
from pipeline.rankings import Event

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.rankings.declaration import Rankings

_TAKEN = (Event.FETCHED, Event.NOT_MODIFIED)


@dataclass(frozen=True)
class Taken:
    """What became of the files of one source.

    Parameters
    ----------
    source : str
    event : str
        ``fetched``, ``not_modified``, or why nothing of them is used.
    n_results, n_models : int
        Figures that are used now, and names of models in them.
    n_unread : int
        Parts that could not be read.
    why : str
        Why nothing of them is used; empty where it is.
    """

    source: str
    event: str
    n_results: int
    n_models: int
    n_unread: int
    why: str

    @property
    def is_refused(self) -> bool:
        """Whether nothing of them is used."""
        return bool(self.why)

    @property
    def told(self) -> str:
        """A line for people."""
        if self.is_refused:
            return f"{self.source}: refused: {self.why}"
        unread = f", {counted(self.n_unread, 'part')} unread" if self.n_unread else ""
        new = "" if self.event == Event.FETCHED else ", as they were"
        return f"{self.source}: {counted(self.n_results, 'figure')} of {counted(self.n_models, 'name')}{unread}{new}"


@dataclass(frozen=True)
class TakenIn:
    """What became of a folder of files.

    Parameters
    ----------
    taken : tuple of Taken
        By source.
    left_alone : tuple of str
        What belongs to no source.
    """

    taken: tuple[Taken, ...]
    left_alone: tuple[str, ...]

    @property
    def refused(self) -> tuple[str, ...]:
        """The sources of whose files nothing is used."""
        return tuple(one.source for one in self.taken if one.is_refused)

    @property
    def told(self) -> str:
        """A sentence on what was refused; empty where nothing was."""
        if not self.refused:
            return ""
        n_taken = len(self.taken) - len(self.refused)
        return (
            f"Refused: {', '.join(self.refused)}; {counted(n_taken, 'source')} taken. Why is said above; what the "
            f"guards refused of a source counts after podium rankings accept SOURCE --because WHY."
        )


def take_in(declared: "Rankings", folder: Path, out: "Console | None") -> "TakenIn":
    """Take in the files of every source that has a folder there, bring the ranking up to date and publish it.

    Parameters
    ----------
    declared : Rankings
    folder : Path
        With a folder of files for each source, by its name.
    out : Console or None
        Where to say how it goes.

    Returns
    -------
    TakenIn
        What was taken, and what was not.

    Raises
    ------
    InputError
        If there is no such folder, or nothing of a source in it.
    RunFailedError, StoppedError, WarehouseBusyError
        As ``podium run``.
    """
    from pipeline.cli.run import run_tables

    sources, strangers = _found(declared, folder)
    archive, taken = Archive.of_settings(), []
    for name in sources:
        taken.append(_taken(declared, name, archive, folder / name))
        _say(out, taken[-1].told, is_fine=not taken[-1].is_refused)
    for stranger in strangers:
        _say(out, f"{stranger}: no source of {declared.name} is called so, and it is left alone", is_fine=False)
    run_tables(declared.name, out)
    return TakenIn(tuple(taken), tuple(strangers))


def _found(declared: "Rankings", folder: Path) -> tuple[list[str], list[str]]:
    """The sources that have a folder, and the names of what belongs to none."""
    try:
        names = sorted(path.name for path in folder.iterdir() if not is_left_alone(path.name))
    except OSError as error:
        raise InputError(
            f"--from {folder}: {error.strerror or error}; name a folder with files in <source>/"
        ) from error
    sources = [name for name in names if name in declared.sources and (folder / name).is_dir()]
    if not sources:
        known = ", ".join(declared.sources)
        raise InputError(f"--from {folder}: it has no folder of a source of {declared.name}; known: {known}")
    return sources, [name for name in names if name not in sources]


def _taken(declared: "Rankings", name: str, archive: Archive, folder: Path) -> Taken:
    found = take(declared.source(name), archive, folder, called=f"{folder.parent.name}/{folder.name}")
    parsed = published_now_of(declared, name, archive).parsed
    n_models = len({one.raw_name for one in parsed.results})
    why = "" if found.event in _TAKEN else found.why
    return Taken(name, found.event, len(parsed.results), n_models, len(parsed.unread), why)


def _say(out: "Console | None", line: str, *, is_fine: bool) -> None:
    from rich.markup import escape

    if out is not None:
        mark = "[green]✓[/green]" if is_fine else "[red]✗[/red]"
        out.print(f"{mark} {escape(line)}", highlight=False, soft_wrap=True)
