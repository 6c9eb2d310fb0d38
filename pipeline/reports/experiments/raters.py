"""How a person's own scores are known again: by the beginning of their ids, which tells nobody else whose they are."""

import hmac
import os
import secrets
import uuid
from pathlib import Path

from pipeline.reports.access.keys import KeysError, sync_folder, write_private

_BYTES = 32
DIGITS = 16
"""Of the beginning of a score's id."""


class Raters:
    """Ids of scores, made with a secret of the server's.

    Parameters
    ----------
    folder : Path
        Of the keys; the secret is in ``raters.secret`` in it, made when it is first needed.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "raters.secret"
        self._secret = b""

    def token(self, experiment: str, person: str) -> str:
        """What the ids of a person's scores in an experiment begin with.

        Raises
        ------
        KeysError
            If the secret cannot be read or written.
        """
        said = f"{experiment}\x1f{person}".encode(errors="surrogatepass")
        return hmac.new(self._known_secret(), said, "sha256").hexdigest()[:DIGITS]

    def new_id(self, experiment: str, person: str) -> str:
        """An id for a score that a person gives; raises what :meth:`token` does."""
        return f"{self.token(experiment, person)}-{uuid.uuid4()}"

    def _known_secret(self) -> bytes:
        if not self._secret:
            try:
                self._secret = bytes.fromhex(self._text())
            except OSError as error:
                raise KeysError(f"{self._path} cannot be used: {error.strerror}; see to its rights") from error
            except ValueError:
                raise KeysError(
                    f"{self._path} is damaged, so nobody's scores are known again; restore it, or remove it"
                ) from None
        return self._secret

    def _text(self) -> str:
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = self._path.with_name(f"{self._path.name}.{secrets.token_hex(8)}")
            write_private(draft, secrets.token_hex(_BYTES))
            try:
                os.link(draft, self._path)
                sync_folder(self._path.parent)
            except FileExistsError:  # another process was first
                pass
            finally:
                draft.unlink(missing_ok=True)
        text = self._path.read_text(encoding="ascii").strip()
        if len(text) != 2 * _BYTES:
            raise ValueError("its length is wrong")
        return text
