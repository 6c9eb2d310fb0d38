"""The files of a hub: which are submissions, and what is told of the others; what teams say of their models."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from upath import UPath

from pipeline.competition.hub import HubError, read_hub
from pipeline.competition.hub.files import (
    ModelMetadata,
    Submission,
    Unusable,
    model_metadata,
    read_submission,
    submissions,
)
from pipeline_tests.competition.hub.toy_hub import submission, write_hub
from pipeline_tests.conftest import SHARED_DATA


def put(folder: Path, name: str, text: str = "") -> Path:
    path = folder / "model-output" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_submissions_are_found_by_their_names(tmp_path: Path) -> None:
    write_hub(tmp_path)
    for name in ("b-two/2024-12-21-b-two.csv", "a-one/2024-12-14-a-one.csv", "a-one/2024-12-21-a-one.parquet"):
        put(tmp_path, name)
    put(tmp_path, "README.md")
    put(tmp_path, "a-one/.gitkeep")
    found = list(submissions(read_hub(tmp_path)))
    assert [(one.round_id, one.model_id) for one in found if isinstance(one, Submission)] == [
        ("2024-12-14", "a-one"),
        ("2024-12-21", "a-one"),
        ("2024-12-21", "b-two"),
    ]
    assert len(found) == 3


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("2024-12-14-a-one.csv", "it is in no folder of a model; put it in model-output/<team>-<model>"),
        ("a-one/2024-12-14-a-one.xlsx", "it is no csv or parquet file, which the hub takes"),
        ("a-one/forecast.csv", "its name is not <round>-<team>-<model>.csv"),
        ("a-one/2024-12-14-one.csv", "its name is not <round>-<team>-<model>.csv"),
        ("a-one/2024-12-14-b-two.csv", "it is named after model b-two, but is in the folder of a-one"),
        ("a-one/2030-01-05-a-one.csv", "the hub has no round '2030-01-05'"),
        ("a-one/old/2024-12-14-a-one.csv", "it is a folder; a model's folder has files only"),
    ],
)
def test_what_is_no_submission_is_told_and_the_others_are_found(tmp_path: Path, name: str, reason: str) -> None:
    write_hub(tmp_path)
    put(tmp_path, "a-one/2024-12-21-a-one.csv")
    put(tmp_path, name)
    found = list(submissions(read_hub(tmp_path)))
    assert [one.reason for one in found if isinstance(one, Unusable)] == [reason]
    assert [one.round_id for one in found if isinstance(one, Submission)] == ["2024-12-21"]


def test_a_hub_without_submissions_says_which_folder_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="has no folder forecasts, where submissions are"):
        list(submissions(read_hub(write_hub(tmp_path, {"model_output_dir": "forecasts"}))))


def test_csv_is_read_as_text_and_parquet_as_it_is(tmp_path: Path) -> None:
    write_hub(tmp_path)
    rows = submission()
    rows.to_csv(put(tmp_path, "a-one/2024-12-14-a-one.csv"), index=False)
    rows.astype({"value": float}).to_parquet(put(tmp_path, "a-one/2024-12-21-a-one.parquet"), index=False)
    csv, parquet = (read_submission(one) for one in submissions(read_hub(tmp_path)) if isinstance(one, Submission))
    pd.testing.assert_frame_equal(csv, rows, check_dtype=False)
    assert set(csv["location"]) == {"US", "01"}
    assert parquet["value"].dtype == float


@pytest.mark.parametrize(("name", "text"), [("x.csv", ""), ("x.csv", 'a,b\n"1'), ("x.parquet", "PAR1 and no more")])
def test_a_broken_file_is_told_by_name(tmp_path: Path, name: str, text: str) -> None:
    write_hub(tmp_path)
    put(tmp_path, f"a-one/2024-12-14-a-one.{name.partition('.')[2]}", text)
    (found,) = submissions(read_hub(tmp_path))
    assert isinstance(found, Submission)
    with pytest.raises(HubError, match=r"2024-12-14-a-one\.\w+ cannot be read: "):
        read_submission(found)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"a,b\n\xff\xfe,1\n", "it is not UTF-8; save it in that encoding"),
    ],
)
def test_an_empty_file_and_another_encoding_are_told_in_words(tmp_path: Path, content: bytes, reason: str) -> None:
    write_hub(tmp_path)
    put(tmp_path, "a-one/2024-12-14-a-one.csv").write_bytes(content)
    (found,) = submissions(read_hub(tmp_path))
    assert isinstance(found, Submission)
    with pytest.raises(HubError, match=rf"2024-12-14-a-one\.csv cannot be read: {reason}$"):
        read_submission(found)


def test_a_folder_that_cannot_be_read_is_named_and_no_file_seems_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_hub(tmp_path)
    put(tmp_path, "a-one/2024-12-14-a-one.csv")
    hub = read_hub(tmp_path)
    of_any = type(hub.path).iterdir

    def guarded(folder: UPath) -> Iterator[UPath]:
        if folder.name == "a-one":
            raise PermissionError(13, "Permission denied", str(folder))
        return of_any(folder)

    monkeypatch.setattr(type(hub.path), "iterdir", guarded)
    with pytest.raises(HubError, match=r"model-output/a-one cannot be read: Permission denied; allow it"):
        list(submissions(hub))


def test_what_teams_say_of_their_models(tmp_path: Path) -> None:
    write_hub(tmp_path)
    folder = tmp_path / "model-metadata"
    folder.mkdir()
    said = "team_abbr: a\nmodel_abbr: one\nteam_name: The A team\nlicense: CC-BY-4.0\ndesignated_model: false\n"
    (folder / "a-one.yml").write_text(said + "methods: >\n  Two\n  lines\n")
    (folder / "b-two.yaml").write_text("team_abbr: b\n")
    (folder / "c-three.yml").write_text("team_abbr: [")
    (folder / "notes.txt").write_text("none")
    one, two, three = model_metadata(read_hub(tmp_path))
    assert one == ModelMetadata("a-one", "a-one", "The A team", "CC-BY-4.0", "Two lines", "", designated=False)
    assert isinstance(two, Unusable)
    assert two.reason == "it does not say model_abbr"
    assert isinstance(three, Unusable)
    assert three.reason.startswith("it is no YAML: ")


@pytest.mark.skipif(not (SHARED_DATA / "flusight-hub").exists(), reason="the shared data is not there")
def test_flusight() -> None:
    hub = read_hub(SHARED_DATA / "flusight-hub")
    assert [isinstance(one, Submission) for one in submissions(hub)] == [True] * 93
    models = list(model_metadata(hub))
    assert [isinstance(one, ModelMetadata) for one in models] == [True] * 96
    # Every model that submitted is described.
    described = {one.model_id for one in models if isinstance(one, ModelMetadata)}
    assert {one.model_id for one in submissions(hub) if isinstance(one, Submission)} <= described
