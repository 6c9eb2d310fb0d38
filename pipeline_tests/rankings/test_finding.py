"""Sources by name and path: their options as they are typed, and the folders that they are kept in."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from pipeline.rankings.finding import is_own, kept_as, known_sources, make_source
from pipeline.rankings.sources.livebench import LiveBench
from pipeline.rankings.sources.livecodebench import LiveCodeBench
from pipeline.settings import settings

LISTED, MINE = "pipeline_tests.toy_sources.Listed", "pipeline_tests.toy_sources.Mine"


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PODIUM_DOTTED_PATH_PACKAGES", '["pipeline", "pipeline_tests"]')
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize("since", ["2025-01-01", date(2025, 1, 1)])
def test_options_are_of_the_types_of_their_fields(since: object) -> None:
    assert make_source("livecodebench", None, {"since": since}) == LiveCodeBench(since=date(2025, 1, 1))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"since": "in spring"}, "since: Input should be a valid date"),
        ({"since": "2025-06-01", "until": "2025-01-01"}, "the window 2025-06-01..2025-01-01 ends before it begins"),
        ({"window": 3}, "unexpected keyword argument 'window'"),
    ],
)
def test_options_that_a_source_cannot_be_made_with_are_told(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=r"^source 'livecodebench' \(.*\) cannot be made with ") as caught:
        make_source("livecodebench", None, options)
    assert told in str(caught.value)


def test_podium_s_own_sources_are_kept_under_their_names() -> None:
    assert all(kept_as(make_source(name, None, {})) == name for name in known_sources())
    assert kept_as(make_source("livecodebench", None, {"since": "2025-01-01"})) == "livecodebench", "it is only read so"


def test_a_class_of_one_s_own_is_kept_apart_whatever_it_is_called() -> None:
    own, other = (make_source("evalplus", path, {"name": "evalplus"}) for path in (LISTED, MINE))
    folders = {kept_as(one) for one in (own, other, make_source("evalplus", None, {}))}
    assert len(folders) == 3
    assert all(folder == "evalplus" or folder.startswith("evalplus-") for folder in folders)
    assert [is_own(one) for one in (own, other)] == [False, False]
    assert kept_as(make_source("evalplus", LISTED, {"name": "evalplus", "benchmark": "mbpp"})) == kept_as(own)


def test_another_edition_is_kept_apart_and_the_same_one_is_the_same() -> None:
    release = make_source("livebench", None, {"release": "2025-05-30"})
    assert release.about.edition == "release 2025-05-30"
    assert kept_as(release) != kept_as(LiveBench())
    assert kept_as(release) == kept_as(LiveBench(release=date(2025, 5, 30)))
