"""Experiments that were posted: one file each, written whole or not at all, and never changed."""

import logging
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from pipeline.experiments import Experiment, canonical_json
from pipeline.intake.posted import posted_declarations, posted_path
from pipeline.reports.access.keys import sync_folder, write_private
from pipeline.reports.queries.experiment_tables import DeclaredExperiment
from pipeline.settings import Settings

_log = logging.getLogger(__name__)


class NameTakenError(ValueError):
    """An experiment whose name another board has, or an experiment of other content."""


class NotStoredError(RuntimeError):
    """A declaration that could not be written; nothing was."""


@dataclass(frozen=True)
class PostedExperiments:
    """The experiments that were posted.

    Parameters
    ----------
    given : Settings
        Where declarations are.
    """

    given: Settings

    def all(self) -> dict[str, DeclaredExperiment]:
        """Every posted experiment by name, not known to be published; a damaged file is none, and is logged."""
        found, wrong = posted_declarations(self.given)
        for why in wrong.values():
            _log.warning("%s", why)
        return {name: DeclaredExperiment(name, one.title, one.text, is_published=False) for name, one in found.items()}

    def keep(self, experiment: Experiment) -> bool:
        """Write a declaration; False for one that is there with the same content.

        Raises
        ------
        NameTakenError
            If there is another of its name.
        NotStoredError
            If it cannot be written.
        """
        path = posted_path(experiment.name, self.given)
        text = declaration_of(experiment)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = _linked(path, text)
            there = text if is_new else path.read_text(encoding="utf-8")
        except OSError as error:
            raise NotStoredError(
                f"the declaration cannot be written ({error.strerror or error}), so nothing was stored; tell the "
                f"operator, and send it again"
            ) from error
        if there != text:
            raise NameTakenError(
                f"experiment {experiment.name!r} was posted before with other content, which stays as it is; give "
                f"another name"
            )
        return is_new


def _linked(path: Path, text: str) -> bool:
    """Write a file under a name of its own and give it its name, unless that is taken."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        write_private(draft, text)
        os.link(draft, path)
        sync_folder(path.parent)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def declaration_of(experiment: Experiment) -> str:
    """A declaration as it is kept: what was said, in one form."""
    return canonical_json(experiment.model_dump(mode="json", exclude_unset=True))
