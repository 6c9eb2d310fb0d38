"""Which player claimed a new model first, kept until its registration is published, and after.

A claim is one small file under the hash of the model's id: linking it into place succeeds for one process only.
"""

import hashlib
import os
import secrets
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.clock import utc_now
from pipeline.reports.access.keys import KeysError, sync_folder, write_private


class Claim(BaseModel):
    """A model that a player was the first to submit."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    model_id: str
    player: str
    key_id: str
    claimed_at: datetime


class Claims:
    """The claims of a data folder, which any number of processes may make at once.

    Parameters
    ----------
    folder : Path
        Folder of the keys; claims are in ``claims/<competition>`` in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "claims"

    def player(self, competition: str, model_id: str) -> str | None:
        """Who claimed a model; None when nobody did.

        Raises
        ------
        KeysError
            If the claim cannot be read.
        """
        path = self._path(competition, model_id)
        try:
            return Claim.model_validate_json(path.read_bytes()).player
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeysError(f"{path} cannot be read: {error.strerror}; see to its rights") from error
        except ValidationError:
            raise KeysError(
                f"{path} is damaged, so nobody knows who claimed model {model_id!r} of {competition}; register the "
                f"model under its player and remove the file"
            ) from None

    def claim(self, competition: str, model_id: str, player: str, key_id: str) -> str:
        """Claim a model for a player, unless another was first; who has it now is returned.

        Raises
        ------
        KeysError
            If claims cannot be read or written.
        """
        path = self._path(competition, model_id)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            said = Claim(model_id=model_id, player=player, key_id=key_id, claimed_at=utc_now())
            write_private(draft, said.model_dump_json())
            os.link(draft, path)
            sync_folder(path.parent)
        except FileExistsError:
            pass
        except OSError as error:
            raise KeysError(f"{path.parent} cannot be written: {error.strerror}; see to its rights") from error
        finally:
            draft.unlink(missing_ok=True)
        return self.player(competition, model_id) or player

    def _path(self, competition: str, model_id: str) -> Path:
        name = hashlib.sha256(model_id.encode(errors="surrogatepass")).hexdigest()
        return self._folder / competition / f"{name}.json"
