"""The ``podium`` command: its groups put together, and every known error turned into one line and an exit code."""

import sys

import typer

from pipeline.cli import check, dev, leaderboard, run, sql, status, submit
from pipeline.cli.errors import exit_code, one_line

app = typer.Typer(
    name="podium",
    help="Predictions in, leaderboards out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit codes: 0 done, 1 a run failed, 2 wrong usage or input, 3 warehouse busy, 4 nothing published yet.",
)
app.command("run")(run.run)
app.command("dev")(dev.dev)
app.command("leaderboard")(leaderboard.leaderboard)
app.command("sql")(sql.sql)
app.command("check")(check.check)
app.command("submit")(submit.submit)
app.command("status")(status.status)


def main() -> None:
    """Run the command line; a known error is one line on standard error and an exit code scripts can rely on."""
    try:
        app()
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        print(f"podium: {one_line(error)}", file=sys.stderr)
        raise SystemExit(code) from None
