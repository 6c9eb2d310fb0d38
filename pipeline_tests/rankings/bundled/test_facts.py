"""Bundled facts: whole and cited by themselves, and held against what the sources published where that is at hand."""

import tomllib
from collections import Counter
from dataclasses import fields, replace
from fnmatch import fnmatch

import pytest

from pipeline.rankings import ModelName
from pipeline.rankings.bundled import bundled_facts, bundled_hash, bundled_sources
from pipeline.rankings.bundled.facts import TABLES, read_table
from pipeline.rankings.finding import make_source
from pipeline.rankings.identity.names import vendor_key
from pipeline.rankings.vocabulary import vocabulary
from pipeline_tests.conftest import PROJECT_ROOT
from pipeline_tests.rankings.sources.samples import real

PERMISSIVE = {"evalplus": "Apache-2.0", "aider": "Apache-2.0", "modelsdev": "MIT"}
FIGURES, NAMES, SOURCES = (read_table(name) for name in TABLES)


def test_facts_are_of_permissively_licensed_sources_only_and_say_so():
    assert {row["source"]: row["licence"] for row in SOURCES} == PERMISSIVE
    assert set(bundled_sources()) == {row["source"] for row in FIGURES} == set(PERMISSIVE)
    for source, licence in PERMISSIVE.items():
        assert make_source(source, None, {}).about.licence == licence


def test_every_figure_has_its_page_its_day_and_the_version_that_was_read():
    versions = {row["source"]: (row["version"], row["taken_on"]) for row in SOURCES}
    for row in FIGURES:
        version, taken_on = versions[row["source"]]
        assert row["url"].startswith("https://")
        assert row["taken_on"] == taken_on
        assert len(row["version"]) == 12
        assert version.startswith(row["version"])


def test_no_figure_and_no_name_is_there_twice():
    key = ("source", "raw_name", "benchmark", "measure", "config", "channel")
    assert max(Counter(tuple(row[name] for name in key) for row in FIGURES).values()) == 1
    assert max(Counter((row["source"], row["raw_name"]) for row in NAMES).values()) == 1


def test_every_figure_is_of_a_name_and_in_the_unit_of_its_measure():
    names, known = {(row["source"], row["raw_name"]) for row in NAMES}, vocabulary()
    for row in FIGURES:
        assert (row["source"], row["raw_name"]) in names
        assert row["unit"] == known[row["benchmark"]].measures[row["measure"]].unit


def test_what_a_person_added_to_a_name_says_on_what_it_rests():
    for row in NAMES:
        has_figures = any(one["raw_name"] == row["raw_name"] and one["source"] == row["source"] for one in FIGURES)
        assert has_figures or row["checked"], row["raw_name"]


def test_the_loader_gives_all_of_it():
    facts = {source: bundled_facts(source) for source in bundled_sources()}
    assert sum(len(one.parsed.results) for one in facts.values()) == len(FIGURES)
    assert sum(len(one.parsed.names) for one in facts.values()) == len(NAMES)
    for source, one in facts.items():
        assert one.figures.rows == len(one.parsed.results)
        assert one.parsed.facts["licence"] == PERMISSIVE[source]
    assert bundled_facts("livebench") is None
    assert len(bundled_hash()) == 64


def test_the_tables_are_in_the_wheel():
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["pipeline.rankings.bundled"]
    assert all(any(fnmatch(name, pattern) for pattern in patterns) for name in TABLES)


@pytest.mark.parametrize("source", PERMISSIVE)
def test_every_fact_is_what_the_source_published(source: str):
    published = make_source(source, None, {}).parse(real(source))
    key = ("raw_name", "benchmark", "measure", "config", "channel")
    figures = {tuple(getattr(one, name) for name in key): one for one in published.results}
    for bundled in bundled_facts(source).parsed.results:
        found = figures[tuple(getattr(bundled, name) for name in key)]
        assert replace(bundled, url=found.url) == found
        assert found.url in ("", bundled.url)


@pytest.mark.parametrize("source", PERMISSIVE)
def test_names_are_those_of_the_source_but_for_what_it_leaves_open(source: str):
    published = {one.raw_name: one for one in make_source(source, None, {}).parse(real(source)).names}
    checked = {row["raw_name"]: row["checked"] for row in NAMES if row["source"] == source}
    compared = 0
    for bundled in bundled_facts(source).parsed.names:
        if bundled.raw_name not in published:
            assert checked[bundled.raw_name].startswith(("models.dev repository, models/", "title and day of "))
            continue
        found, blank = published[bundled.raw_name], ModelName(bundled.raw_name)
        added = {one.name for one in fields(ModelName) if getattr(bundled, one.name) != getattr(found, one.name)}
        assert vendor_key(bundled.organisation) == vendor_key(found.organisation) or not found.organisation
        assert all(getattr(found, name) == getattr(blank, name) for name in added - {"organisation"})
        assert not added or checked[bundled.raw_name]
        compared += 1
    assert compared >= 40
