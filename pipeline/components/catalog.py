"""What the catalog says of a board, of whatever kind."""

from datetime import timedelta

from pipeline.declaration import BoardDeclaration


def catalog_row(declared: BoardDeclaration, embargo: timedelta | None = None) -> dict[str, object]:
    """The row of ``catalog.boards``, without the board's name.

    Parameters
    ----------
    declared : BoardDeclaration
        The board.
    embargo : timedelta, optional
        How long after a cycle its predictions are published; None for at once.
    """
    return {
        "kind": declared.kind,
        "title": declared.title,
        "contract": declared.model_dump_json(),
        "embargo_seconds": None if embargo is None else embargo.total_seconds(),
    }
