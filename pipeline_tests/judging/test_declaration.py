"""The declaration of a judged track: what it may say, and how mistakes in it are told."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from pipeline.judging import Track, folder_of
from pipeline.tables import JUDGING_TABLES
from pipeline_tests.track_graph import track


def mistake(**changes: Any) -> str:
    """What reading says."""
    with pytest.raises(ValidationError) as caught:
        track(**changes)
    return str(caught.value)


def test_a_name_a_title_and_a_measure_are_enough() -> None:
    declared = Track.model_validate({"name": "robust", "title": "A track", "primary": "map"})

    assert list(declared.boards) == ["official"]
    assert declared.folders == ("official",)
    assert declared.tables == JUDGING_TABLES
    assert (declared.on_missing, declared.measures) == ("fix_aggregate", None)
    assert (declared.comparisons.how.test, declared.comparisons.how.correction) == ("t", "holm")


def test_judges_are_listed_by_name_or_said_more_of() -> None:
    assert track(judges=["a", "b"]).boards == track(judges={"a": {}, "b": {}}).boards
    assert track(judges=["GPT-4o_v2"]).folders == ("official", "judges/GPT-4o_v2")


def test_a_board_whose_files_are_elsewhere_has_no_folder_in_the_inbox() -> None:
    declared = track(official={"files": "/data/*.eval"}, judges={"a": {}, "b": {"files": ["b.tot"]}})

    assert declared.official.files == ("/data/*.eval",)
    assert declared.folders == ("judges/a",)
    assert folder_of("a") == "judges/a"


def test_topics_that_yaml_takes_for_numbers_are_texts() -> None:
    assert track(official={"topics": [301, "302"]}).official.topics == ("301", "302")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"judges": ["official"]}, "no judge can be called 'official'"),
        ({"judges": ["a", "b", "a"]}, "'a' is listed more than once; keep one"),
        ({"judges": ["../b"]}, "'../b' is no name of a judge"),
        ({"judges": {"a": {"file": "x"}}}, "unknown field 'file'; known: files, format, primary, topics, qrels"),
        ({"judges": {"a": None}}, "None is no mapping of fields; write {field: value, ...} or {}"),
        ({"name": "judging"}, "'judging' is the name of a schema"),
        ({"official": {"format": "trek"}}, "Input should be 'trec_eval', 'ir_measures_q'"),
        ({"official": {"topics": ["1"], "qrels": "q"}}, "topics are listed and qrels is given; name the topics in one"),
        ({"official": {"topics": []}}, "names none; give one at least, such as [301, 302]"),
        ({"measures": ["P_10"]}, "'map' is not among measures (P_10); add it"),
        ({"measures": ["map"], "comparisons": {"measures": ["P_5"]}}, "'P_5' is not among measures (map); add it"),
        ({"measures": ["map"], "judges": {"a": {"primary": "GRADE"}}}, "'GRADE' is not among measures (map); add it"),
        ({"correlations": {"methods": ["kendal"]}}, "unknown correlation 'kendal'; known: kendall, spearman"),
        ({"correlations": {"methods": ["rbo(p=2)"]}}, "give a number between 0 and 1"),
        ({"comparisons": {"test": "anova"}}, "Input should be 't', 'wilcoxon', 'fisher' or 'tukey'"),
        ({"comparisons": {"test": "tukey", "correction": "holm"}}, "it allows for the number of pairs already"),
        ({"comparisons": {"runs": 1}}, "greater than or equal to 2"),
        ({"meanings": {"latency": {"direction": "down"}}}, "Input should be 'desc', 'asc' or 'none'"),
        ({"on_missing": "default"}, "Input should be 'fix_aggregate', 'warn' or 'error'"),
    ],
)
def test_what_is_wrong_is_told_with_what_would_be_right(changes: dict[str, Any], told: str) -> None:
    assert told in mistake(**changes)


def test_what_measures_mean_may_be_declared() -> None:
    declared = track(meanings={"latency": {"direction": "asc", "default": 10}, "hits": {"aggregate": "sum"}})

    latency, hits = declared.declared_measures()
    assert (latency.direction, latency.aggregate, latency.default) == ("asc", "mean", 10.0)
    assert (hits.direction, hits.aggregate, hits.default) == ("desc", "sum", None)


def test_every_field_is_documented() -> None:
    schema = Track.model_json_schema()
    parts = {"Track": schema, **schema["$defs"]}
    undocumented = [
        f"{part}.{name}"
        for part, content in parts.items()
        for name, field in content.get("properties", {}).items()
        if not field.get("description")
    ]
    assert issubclass(Track, BaseModel)
    assert undocumented == []


def test_a_declaration_survives_its_json() -> None:
    declared = track(judges={"a": {"files": "b.tot", "topics": [1]}}, meanings={"x": {"default": 1}})
    assert Track.model_validate_json(declared.model_dump_json()) == declared
