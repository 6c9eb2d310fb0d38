"""The files of a hub: submissions by round and model, and what teams say of their models."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pandas as pd
import pyarrow as pa
import yaml
from upath import UPath

from pipeline.competition.hub.config import Hub, HubError
from pipeline.competition.hub.plain_yaml import load_plain

METADATA = "model-metadata"
_NAME = re.compile(r"(?P<round>\d{4}-\d{2}-\d{2}|\w+)-(?P<model>[^\W_][\w.]*-[^\W_][\w.]*)")
_NO_SUBMISSIONS = frozenset({".md", ".txt", ".gitkeep", ".keep"})
_IDS = ("team_abbr", "model_abbr")


@dataclass(frozen=True)
class Submission:
    """One file of one model for one round."""

    path: UPath
    round_id: str
    model_id: str


@dataclass(frozen=True)
class Unusable:
    """A file among the submissions that is none, and why."""

    path: UPath
    reason: str


@dataclass(frozen=True)
class ModelMetadata:
    """What a team says of its model; empty where it says nothing."""

    model_id: str
    title: str
    team: str
    licence: str
    description: str
    version: str
    designated: bool


def submissions(hub: Hub) -> Iterator[Submission | Unusable]:
    """The files in the folder of submissions, model by model; what is no submission is told, but for notes like README.

    Raises
    ------
    HubError
        If there is no such folder, or it or one of a model cannot be read.
    """
    folder = hub.path / hub.model_output
    if not folder.is_dir():
        raise HubError(f"{hub.path} has no folder {hub.model_output}, where submissions are")
    for path in _inside(folder):
        if path.is_dir():
            for file in _inside(path):
                if not _is_note(file):
                    yield _submission(hub, path.name, file)
        elif not _is_note(path):
            yield Unusable(path, f"it is in no folder of a model; put it in {hub.model_output}/<team>-<model>")


def _inside(folder: UPath) -> list[UPath]:
    """What a folder holds, by name. One that cannot be read ends it all: its files would look taken away."""
    try:
        return sorted(folder.iterdir(), key=lambda one: one.name)
    except OSError as error:
        raise HubError(f"{folder} cannot be read: {error.strerror or error}; allow it and ask again") from None


def _is_note(path: UPath) -> bool:
    return path.name.startswith(".") or path.suffix.lower() in _NO_SUBMISSIONS


def _submission(hub: Hub, folder: str, path: UPath) -> Submission | Unusable:
    """A file by its name: ``<round>-<team>-<model>.<format>``."""
    if path.is_dir():
        return Unusable(path, "it is a folder; a model's folder has files only")
    extension = path.suffix.removeprefix(".").lower()
    if extension not in hub.file_formats:
        return Unusable(path, f"it is no {' or '.join(hub.file_formats)} file, which the hub takes")
    named = _NAME.fullmatch(path.name.removesuffix(path.suffix))
    if named is None:
        return Unusable(path, f"its name is not <round>-<team>-<model>.{extension}")
    if named["model"] != folder:
        return Unusable(path, f"it is named after model {named['model']}, but is in the folder of {folder}")
    if named["round"] not in hub.round_ids:
        return Unusable(path, f"the hub has no round {named['round']!r}")
    return Submission(path, named["round"], folder)


def read_submission(submission: Submission) -> pd.DataFrame:
    """The rows of a submission as they are written; of a CSV file every value is text.

    Raises
    ------
    HubError
        If the file cannot be read; the message names it.
    """
    return read_table(submission.path)


def read_table(path: UPath) -> pd.DataFrame:
    """The rows of a CSV or Parquet file; of a CSV file every value is text. Errors as :func:`read_submission`."""
    return parse_table(path, read_bytes(path))


def read_bytes(path: UPath) -> bytes:
    """The content of a file. Errors as :func:`read_submission`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise HubError(f"{path} cannot be read: {error.strerror or ' '.join(str(error).split())}") from None


def parse_table(path: UPath, content: bytes) -> pd.DataFrame:
    """The rows of a CSV or Parquet file that was read already. Errors as :func:`read_submission`."""
    try:
        if path.suffix.lower() == ".parquet":
            return _valid(pd.read_parquet(BytesIO(content)))
        return pd.read_csv(BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError, pd.errors.ParserError) as error:  # what pandas and pyarrow raise of broken files
        raise HubError(f"{path} cannot be read: {_why(error, content)}") from None


def _valid(table: pd.DataFrame) -> pd.DataFrame:
    """A table of Parquet whose texts can be read; Arrow does not look before they are.

    Raises
    ------
    ValueError
        If a text is no UTF-8.
    """
    for name in table.columns[[isinstance(dtype, pd.StringDtype) for dtype in table.dtypes]]:
        pa.array(table[name], from_pandas=True).validate(full=True)
    return table


def _why(error: Exception, content: bytes) -> str:
    """What is wrong with a file that was read and is no table."""
    if not content.strip():
        return "it is empty"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8; save it in that encoding"
    return " ".join(str(error).split())


def model_metadata(hub: Hub) -> Iterator[ModelMetadata | Unusable]:
    """What teams say of their models, by model; what cannot be read is told."""
    folder = hub.path / METADATA
    files = [path for path in folder.iterdir() if path.suffix in (".yml", ".yaml")] if folder.is_dir() else []
    for path in sorted(files, key=lambda one: one.name):
        try:
            said: Any = load_plain(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            yield Unusable(path, f"it is no YAML: {' '.join(str(error).split())}")
            continue
        missing = [name for name in _IDS if not isinstance(said, dict) or not said.get(name)]
        yield Unusable(path, f"it does not say {' and '.join(missing)}") if missing else _metadata(said)


def _metadata(said: dict[str, Any]) -> ModelMetadata:
    def text(name: str) -> str:
        return " ".join(str(said.get(name) or "").split())

    model_id = "-".join(str(said[name]) for name in _IDS)
    return ModelMetadata(
        model_id,
        text("model_name") or model_id,
        text("team_name"),
        text("license"),
        text("methods"),
        text("model_version"),
        bool(said.get("designated_model", True)),
    )
