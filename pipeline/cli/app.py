"""The ``podium`` command: its groups put together, and every known error turned into one line and an exit code."""

from importlib.metadata import version
from typing import Annotated

import typer

from pipeline.cli import (
    backtest,
    backup,
    bench,
    board,
    board_compare,
    board_evaluate,
    check,
    dev,
    evaluations,
    experiments,
    experiments_run,
    hub,
    keys,
    leaderboard,
    rankings,
    rebuild,
    run,
    serve,
    sql,
    status,
    submit,
    up,
    worker,
)
from pipeline.cli.errors import Exit, exit_code, one_line
from pipeline.cli.output import tell
from pipeline.settings import unknown_variables

app = typer.Typer(
    name="podium",
    help="Predictions in, leaderboards out.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit codes: 0 done, 1 a run failed, 2 wrong usage or input, 3 warehouse busy, 4 nothing published yet, "
    "5 the rebuilt warehouse differs, 130 stopped by Ctrl-C.",
)
app.command("run")(run.run)
app.command("dev")(dev.dev)
app.command("leaderboard")(leaderboard.leaderboard)
app.command("evaluations")(evaluations.evaluations)
app.command("sql", cls=sql.QueryCommand)(sql.sql)
app.command("check")(check.check)
app.command("submit")(submit.submit)
app.command("backtest")(backtest.backtest)
app.command("hub")(hub.hub)
app.command("status")(status.status)
app.command("serve")(serve.serve)
app.command("up")(up.up)
app.command("rebuild")(rebuild.rebuild)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("worker")(worker.worker)
board.board.command("compare")(board_compare.compare)
board.board.command("evaluate")(board_evaluate.evaluate)
app.add_typer(board.board, name="board")
app.add_typer(bench.bench, name="bench")
app.add_typer(keys.keys, name="keys")
app.add_typer(rankings.rankings, name="rankings")
experiments.experiments.command("run")(experiments_run.run)
experiments.experiments.command("retry")(experiments_run.retry)
app.add_typer(experiments.experiments, name="experiments")


@app.callback(invoke_without_command=True)
def podium(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Predictions in, leaderboards out."""
    if show_version:
        print(f"podium {version('podium')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), nl=False)
        raise typer.Exit(Exit.WRONG_INPUT)


def main() -> None:
    """Run the command line; a known error is one line on standard error and an exit code scripts can rely on."""
    for warning in unknown_variables():
        tell("WARNING", warning)
    try:
        code = app(prog_name="podium", standalone_mode=False)  # so that wrong usage comes here, too
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        tell("ERROR", one_line(error))
    raise SystemExit(code)
