"""Writing a hub's targets down as declared boards, so that ``podium run`` and ``podium dev`` keep them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from pipeline.cli.errors import InputError
from pipeline.settings import PROJECT_ROOT, settings

if TYPE_CHECKING:
    from pipeline.competition import Contract

_TYPE = "pipeline.components.Competition"
_HEADER = "# Written by `podium hub --declare`; change it as you like.\n"
EVERY_SIX_HOURS = "0 */6 * * *"
"""When the board of a hub behind a URL is computed; a folder is watched."""


@dataclass(frozen=True)
class Declared:
    """A board's declaration."""

    board: str
    path: Path
    is_new: bool

    @property
    def told(self) -> str:
        """What was done, in words."""
        return f"{'Declared' if self.is_new else 'Declared already, left as it is'}: {self.path}"


def declare(contract: "Contract") -> Declared:
    """Write a contract into the folder of one's own boards, or of the bundled ones; one that is there stays.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    folder = settings().defs_dir or PROJECT_ROOT / "pipeline" / "defs"
    path = folder / contract.name / "defs.yaml"
    if path.exists():
        return Declared(contract.name, path, is_new=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(declaration(contract), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}; see PODIUM_DEFS_DIR") from error
    return Declared(contract.name, path, is_new=True)


def declaration(contract: "Contract") -> str:
    """A contract as YAML: the fields that were given."""
    from pipeline.components.hub_sensor import is_local

    attributes = contract.model_dump(mode="json", exclude_unset=True)
    if not is_local(contract):
        attributes["schedule"] = EVERY_SIX_HOURS
    if contract.predictions.output_type in ("quantile", "cdf"):
        ids = attributes["predictions"]["output_type_ids"]
        attributes["predictions"]["output_type_ids"] = [float(one) for one in ids]
    return _HEADER + yaml.safe_dump(
        {"type": _TYPE, "attributes": attributes},
        sort_keys=False,
        allow_unicode=True,
        width=120,
        default_flow_style=None,
    )
