"""The vocabulary of what is said against figures has every word that sources say."""

import pytest

from pipeline.rankings.declaration import Rankings
from pipeline.rankings.finding import known_sources, make_source
from pipeline.rankings.flags import FLAGS, known_flags
from pipeline.rankings.stages.choosing import FREE_OFFER
from pipeline_tests.rankings.sources.samples import real
from pipeline_tests.toy_sources import Listed

SAMPLED = [name for name in known_sources() if name != "litellm"]


@pytest.mark.parametrize("name", SAMPLED)
def test_whatever_a_source_flags_its_figures_with_is_known(name: str) -> None:
    said = {flag for result in make_source(name, None, {}).parse(real(name)).results for flag in result.flags}
    assert said <= FLAGS.keys()


def test_what_is_left_out_by_default_is_known() -> None:
    assert {*Rankings.model_fields["leave_out_flags"].default, FREE_OFFER} <= FLAGS.keys()


def test_a_source_of_one_s_own_adds_its_flags_and_takes_no_meaning_away() -> None:
    class Other(Listed):
        flags = {"agent_system": "something else", "guessed": "the publisher guessed it"}  # noqa: RUF012

    assert known_flags([Other()]) == {**FLAGS, "guessed": "the publisher guessed it"}
