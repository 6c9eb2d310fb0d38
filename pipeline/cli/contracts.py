"""The declared boards, as commands ask for them: by name, and with errors that say which there are."""

from collections.abc import Mapping

from pipeline.cli.errors import InputError
from pipeline.competition import Contract
from pipeline.competition.declaration import INBOX
from pipeline.declaration import BoardDeclaration
from pipeline.experiments import RUNS, Experiment
from pipeline.judging import Track
from pipeline.rankings.declaration import Rankings

_WITHOUT_INBOX = {
    Track.kind: "its files are not submitted: they stay where its declaration names them, and `podium run {}` says "
    "which are refused, and why",
    Rankings.kind: "it is made of what sources publish; `podium rankings {} --from DIR` takes in files of theirs",
}
"""What boards do instead of taking submissions, by kind."""


def board_of(contracts: Mapping[str, BoardDeclaration], board: str) -> BoardDeclaration:
    """The declaration of a board.

    Raises
    ------
    InputError
        If it is not declared.
    """
    if board not in contracts:
        raise InputError(f"no board {board!r} is declared; known: {', '.join(contracts) or 'none'}")
    return contracts[board]


def board_with_inbox(contracts: Mapping[str, BoardDeclaration], board: str | None) -> Contract | Experiment:
    """The declaration of a board that takes files.

    Without a name, of the only competition that does; where none does, of the only experiment.

    Raises
    ------
    InputError
        If there is no such board, it takes no files, or a name is needed.
    """
    if board is not None:
        contract = board_of(contracts, board)
        if isinstance(contract, Experiment):
            return contract
        if not isinstance(contract, Contract):
            raise InputError(f"board {board!r} is a {contract.called}; {_WITHOUT_INBOX[contract.kind].format(board)}")
        if not contract.has_inbox:
            source = contract.predictions.source
            raise InputError(f"board {board!r} takes no files: its predictions come from {source}")
        return contract
    found: list[Contract | Experiment] = [
        one for one in contracts.values() if isinstance(one, Contract) and one.has_inbox
    ]
    found = found or [one for one in contracts.values() if isinstance(one, Experiment)]
    if not found:
        raise InputError(
            f"no board takes files; declare one with `source: {INBOX}` in a folder of your own, and name that in "
            f"PODIUM_DEFS_DIR"
        )
    if len(found) > 1:
        raise InputError(f"{len(found)} boards take files: {', '.join(one.name for one in found)}; name one: --board")
    return found[0]


def folder_of(contract: Contract | Experiment, kind: str | None) -> str:
    """The folder of a board's inbox that is meant: the one named, or that of predictions, or of runs.

    Raises
    ------
    InputError
        If it has no such folder.
    """
    known = ", ".join(contract.folders)
    if kind is None and isinstance(contract, Experiment):
        return RUNS
    if kind is None and isinstance(contract, Contract):
        if contract.predictions.source != INBOX:
            source = contract.predictions.source
            raise InputError(f"predictions of {contract.name!r} come from {source}; name a folder: --kind {known}")
        return contract.predictions.files
    if kind is None or kind not in contract.folders:
        raise InputError(f"the inbox of {contract.name!r} has no folder {kind!r}; known: {known}")
    return kind
