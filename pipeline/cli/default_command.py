"""Groups of commands with one that is meant where none is named: ``podium rankings coding_models``."""

from typing import Any

from typer.core import TyperGroup


def showing(default: str) -> type[TyperGroup]:
    """A group of commands of which the one called ``default`` is meant where none is named."""

    class ShowByDefault(TyperGroup):
        """Puts the command in front that was left out."""

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            first = args[0] if args else ""
            is_named = first in self.commands or first == "--help"
            parsed: list[str] = super().parse_args(ctx, args if is_named else [default, *args])
            return parsed

    return ShowByDefault
