"""``podium experiments``: what runs and what waits, running it, and the board that comes of it."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from pipeline.cli.default_command import showing
from pipeline.cli.errors import InputError
from pipeline.cli.experiments_declared import declared_experiment, declared_experiments
from pipeline.cli.output import MISSING, Column, cell, console, counted, print_json, print_table, tell
from pipeline.settings import settings
from pipeline.texts import on_one_line, shortened

if TYPE_CHECKING:
    from pipeline.experiments import Experiment

_TOP = 20
_SHOWN_OUTPUT = 60

experiments = typer.Typer(
    cls=showing("list"),
    help="Prompt experiments: podium experiments \\[NAME] lists them (see podium experiments list --help).",
)

Name = Annotated[str | None, typer.Argument(help="An experiment; the only one without it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@experiments.command("list")
def show(
    name: Annotated[str | None, typer.Argument(help="An experiment; all of them without it.")] = None,
    as_json: AsJson = False,
) -> None:
    """List experiments: runs by status, what waits and why, money spent and the ceiling."""
    states = _states_of_all() if name is None else [_state(declared_experiment(name))]
    if as_json:
        print_json(states)
        return
    if not states:
        print("There is no experiment to show; see pipeline/docs/experiments.md for how to declare one.")
        return
    _print_states(states)


@experiments.command()
def cancel(
    name: Annotated[str, typer.Argument(help="The experiment.")],
    run_id: Annotated[str | None, typer.Argument(help="One run; everything that waits or runs without it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Cancel runs that wait or run; what has ended stays as it is."""
    from pipeline.intake.queueing import cancel_run, cancel_runs

    declared = declared_experiment(name)
    if run_id is None:
        n_cancelled = cancel_runs(declared, settings())
    else:
        found = cancel_run(declared, settings(), run_id)
        if found is None:
            raise InputError(
                f"experiment {name!r} has no run {run_id!r} that waits or runs; see podium experiments runs"
            )
        if found.status != "cancelled":
            raise InputError(f"run {run_id!r} is {found.status} already; what has ended is not cancelled")
        n_cancelled = 1
    if as_json:
        print_json({"experiment": name, "cancelled": n_cancelled})
    else:
        print(
            f"{counted(n_cancelled, 'run')} of {name} cancelled; podium experiments run {name} puts that on its board"
        )


@experiments.command()
def runs(
    name: Name = None,
    status: Annotated[
        str | None, typer.Option("--status", help="pending, running, completed, failed or cancelled.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many runs.")] = _TOP,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first: those that are published, and what the queue knows besides."""
    from pipeline.cli.experiments_runs import listed_runs
    from pipeline.experiments import STATUSES

    if status is not None and status not in STATUSES:
        raise InputError(f"--status {status!r}; known: {', '.join(STATUSES)}")
    declared = declared_experiment(name)
    rows, total = listed_runs(declared, status, limit)
    if as_json:
        print_json({"experiment": declared.name, "total": total, "runs": rows})
    else:
        _print_runs(declared, rows, total)


@experiments.command()
def board(
    name: Name = None,
    by: Annotated[
        str | None, typer.Option("--by", help="configuration, model, prompt or run; as declared by default.")
    ] = None,
    top: Annotated[int | None, typer.Option("--top", min=1, help="So many rows.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the published board."""
    from pipeline.cli.experiments_shown import experiment_board, print_experiment_board
    from pipeline.cli.published import published
    from pipeline.experiments import GROUPINGS
    from pipeline.reports.queries import board_names, is_experiment
    from pipeline.reports.queries.experiment_boards import run_board
    from pipeline.reports.queries.experiment_tables import published_tables
    from pipeline.warehouse import Memory

    if by not in (None, "run", *GROUPINGS):
        raise InputError(f"--by {by!r}; known: run, {', '.join(GROUPINGS)}")
    with published() as connection:
        name = name or declared_experiment(None).name
        if name not in board_names(connection) and name in declared_experiments(name):
            raise InputError(
                f"{name!r} is not published yet; `podium experiments run {name}` runs, lands and publishes it"
            )
        if not is_experiment(connection, name):
            raise InputError(f"{name!r} is no experiment; podium leaderboard {name} shows it")
        tables = published_tables(connection, Memory())
        by = by or tables.of(name).experiment.group_by
        found: Any = run_board(tables, name, top) if by == "run" else experiment_board(connection, name, by)
    if as_json:
        print_json({**vars(found), "rows": found.rows[:top]})
    elif by == "run":
        _print_run_board(found)
    else:
        print_experiment_board(found, top)


def _states_of_all() -> list[dict[str, Any]]:
    """How every experiment stands; one whose queue cannot be used is left out with a warning."""
    from pipeline.experiments.running import QueueError

    states = []
    for name, experiment in declared_experiments().items():
        try:
            states.append(_state(experiment))
        except QueueError as error:
            tell("WARNING", f"{error}; {name!r} left out")
    return states


def _state(experiment: "Experiment") -> dict[str, Any]:
    """How an experiment stands: its runs, published and queued, and what keeps others waiting."""
    from pipeline.experiments import STATUSES
    from pipeline.intake.executing import pending_of
    from pipeline.intake.queueing import known_statuses

    pending, counts = pending_of(experiment, settings()), known_statuses(experiment.name, settings())
    return {
        "experiment": experiment.name,
        "title": experiment.title,
        "runs": {status: counts.get(status, 0) for status in STATUSES},
        "ready": pending.n_ready,
        "scores_ready": pending.n_scores_ready,
        "undelivered": pending.n_undelivered,
        "spent": pending.money.spent,
        "presumed": pending.money.presumed,
        "ceiling": pending.ceiling,
        "why": list(pending.why),
    }


def _print_states(states: Sequence[dict[str, Any]]) -> None:
    from pipeline.experiments import STATUSES

    columns = [
        Column("experiment", [one["experiment"] for one in states], is_text=True, rank=0),
        *(Column(status, [f"{one['runs'][status]:,}" for one in states], rank=0) for status in STATUSES),
        Column("can run", [f"{one['ready']:,}" for one in states]),
        Column("spent", [_money(one) for one in states]),
    ]
    print_table(columns)
    for one in states:
        for why in one["why"]:
            console().print(f"{one['experiment']}: {why}", markup=False, highlight=False, soft_wrap=True)


def _money(state: dict[str, Any]) -> str:
    """What was spent, and may have been, of what everything may cost."""
    ceiling = "no ceiling" if state["ceiling"] is None else f"{state['ceiling']:g}"
    presumed = f" (+{state['presumed']:.4g}?)" if state["presumed"] else ""
    return f"${state['spent']:.4g}{presumed} of {ceiling}"


def _print_runs(experiment: "Experiment", rows: Sequence[dict[str, Any]], total: int) -> None:
    columns = [
        Column("run", [one["run_id"] for one in rows], rank=0),
        Column("status", [one["status"] for one in rows], rank=0),
        Column("prompt", [_prompt(one) for one in rows], is_text=True),
        Column("model", [one["model"] or MISSING for one in rows], is_text=True),
        Column("parameters", [_parameters(one) for one in rows], is_text=True),
        Column("input", [one["input_id"] for one in rows], is_text=True),
        Column("repeat", [str(one["repeat"]) for one in rows], rank=2),
        Column("score", [_value(one["score"]) for one in rows], rank=1),
        Column("cost", [cell(one["cost"]) for one in rows], rank=2),
        Column("output or error", [_said(one) for one in rows], is_text=True),
    ]
    shown = f"{len(rows):,} of {counted(total, 'run')}" if len(rows) < total else counted(total, "run")
    print_table(columns, Text(f"{experiment.title}\n{shown}"))


def _prompt(run: dict[str, Any]) -> str:
    return f"{run['prompt']}@{run['prompt_version']}" if run["prompt"] else MISSING


def _parameters(run: dict[str, Any]) -> str:
    """The parameters, which repeats share and configurations differ in, as titles of configurations have them."""
    return ", ".join(f"{name}={json.dumps(value)}" for name, value in sorted(run["parameters"].items()))


def _said(run: dict[str, Any]) -> str:
    return shortened(on_one_line(run["output"] or run["error"] or ""), _SHOWN_OUTPUT)


def _print_run_board(found: Any) -> None:
    rows = found.rows
    columns = [
        Column("rank", [MISSING if one.rank is None else str(one.rank) for one in rows], rank=0),
        Column("run", [one.run_id for one in rows], rank=0),
        Column("configuration", [one.title for one in rows], is_text=True),
        Column("input", [one.input_id for one in rows], is_text=True),
        Column("score", [f"{one.score:.3f}" for one in rows], rank=0),
        *(
            Column(scorer.name, [_value(one.values.get(scorer.name)) for one in rows], rank=2)
            for scorer in found.scorers
        ),
        Column("status", [one.status for one in rows], is_text=True, rank=2),
    ]
    print_table(columns, Text(f"{found.title}\n{counted(found.total, 'run')} with scores"))


def _value(value: float | None) -> str:
    return MISSING if value is None else f"{value:.3f}"
