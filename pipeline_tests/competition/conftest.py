"""What several tests of competitions need."""

from collections.abc import Iterator

import pytest

from pipeline.settings import settings


@pytest.fixture
def dotted_paths_into_tests(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Dotted paths may point into the tests too."""
    monkeypatch.setenv("PODIUM_DOTTED_PATH_PACKAGES", '["pipeline", "pipeline_tests.competition"]')
    settings.cache_clear()
    yield
    settings.cache_clear()
