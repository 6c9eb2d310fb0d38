"""When a release came out and whether its weights are open: whose word counts, and that others' are told."""

from datetime import date

import pytest

from pipeline.rankings.identity import MODELS_DEV, OPENROUTER, Release, identify
from pipeline.rankings.results import ModelName

NOVEMBER, DECEMBER, JULY = date(2024, 11, 18), date(2024, 12, 2), date(2025, 7, 1)
OFFERED = ModelName("acme/anvil-2")


def release(model: str = "acme/anvil-2", **rows: ModelName | tuple[ModelName, ...]) -> Release:
    """The release as sources state it; OpenRouter lists it without a word."""
    names = {source: row if isinstance(row, tuple) else (row,) for source, row in rows.items()}
    return identify({OPENROUTER: (OFFERED,)} | names).catalogue.releases[model]


def said(released_on: date | None = None, open_weights: bool | None = None, raw_name: str = "anvil-2") -> ModelName:
    return ModelName(raw_name, released_on=released_on, open_weights=open_weights)


def test_what_only_boards_state_is_taken_with_who_states_it():
    found = release(epoch=said(NOVEMBER), lmarena=said(open_weights=False))
    assert (found.released_on, found.released_evidence) == (NOVEMBER, "epoch")
    assert (found.open_weights, found.weights_evidence) == (False, "lmarena")


def test_a_catalogue_has_the_first_word_and_who_contradicts_it_is_told():
    offered = ModelName("acme/anvil-2", released_on=DECEMBER)
    found = release(openrouter=offered, epoch=said(NOVEMBER), bigcodebench=said(NOVEMBER))
    assert (found.released_on, found.released_evidence) == (
        DECEMBER,
        "openrouter; but bigcodebench 2024-11-18, epoch 2024-11-18",
    )
    base = ModelName("acme/anvil-2", models_dev_id="acme/anvil-2", released_on=DECEMBER, open_weights=True)
    found = release(modelsdev=base, epoch=said(NOVEMBER, open_weights=False), lmarena=said(open_weights=False))
    assert (found.released_on, found.released_evidence) == (
        DECEMBER,
        "modelsdev (base model); but epoch 2024-11-18",
    )
    assert (found.open_weights, found.weights_evidence) == (
        True,
        "modelsdev (base model); but epoch closed, lmarena closed",
    )


def test_of_several_days_the_middle_one_counts_of_two_the_earlier():
    found = release(epoch=said(NOVEMBER), bigcodebench=said(DECEMBER), livebench=said(JULY))
    assert (found.released_on, found.released_evidence) == (
        DECEMBER,
        "bigcodebench; but epoch 2024-11-18, livebench 2025-07-01",
    )
    assert release(epoch=said(JULY), bigcodebench=said(DECEMBER)).released_on == DECEMBER


def test_a_source_has_one_word_however_often_it_lists_a_model():
    offers = tuple(
        ModelName(f"seller-{n}:anvil-2", others=("anvil-2",), models_dev_id="acme/anvil-2", released_on=day)
        for n, day in enumerate((JULY, JULY, JULY, NOVEMBER))
    )
    found = release(**{MODELS_DEV: offers}, epoch=said(NOVEMBER), livebench=said(NOVEMBER))
    assert (found.released_on, found.released_evidence) == (NOVEMBER, "epoch, livebench; but modelsdev 2025-07-01")


def test_a_day_that_is_not_that_of_the_name_is_passed_over_where_another_is():
    offered = ModelName("acme/anvil-2407", released_on=DECEMBER)
    july = date(2024, 7, 24)
    found = release("acme/anvil-2407", openrouter=offered, epoch=said(july, raw_name="acme/anvil-2407"))
    assert (found.released_on, found.released_evidence) == (july, "epoch; but openrouter 2024-12-02")
    assert release("acme/anvil-2407", openrouter=offered).released_on == DECEMBER


@pytest.mark.parametrize(("name", "day"), [("acme/anvil-20240620", date(2024, 6, 20)), ("acme/anvil-0620", None)])
def test_without_a_word_of_anybody_the_whole_day_of_a_name_is_that_of_the_release(name, day):
    found = release(name, openrouter=ModelName(name))
    assert (found.released_on, found.released_evidence) == (day, "its name" if day else "")


def test_weights_are_not_known_where_as_many_say_the_one_as_the_other():
    found = release(epoch=said(open_weights=True), lmarena=said(open_weights=False))
    assert (found.open_weights, found.weights_evidence) == (None, "they disagree: epoch open, lmarena closed")
    found = release(epoch=said(open_weights=True), lmarena=said(open_weights=False), livebench=said(open_weights=False))
    assert (found.open_weights, found.weights_evidence) == (False, "livebench, lmarena; but epoch open")


def test_a_repository_has_the_weights_unless_somebody_says_that_they_are_closed():
    offered = ModelName("acme/anvil-2", hugging_face_id="acme/Anvil-2")
    found = release(openrouter=offered)
    assert (found.open_weights, found.weights_evidence) == (True, "huggingface.co/acme/Anvil-2")
    found = release(openrouter=offered, lmarena=said(open_weights=False))
    assert (found.open_weights, found.weights_evidence) == (
        False,
        "lmarena; yet there is huggingface.co/acme/Anvil-2",
    )


def test_what_a_name_means_does_not_hang_on_days_that_boards_state():
    far = ModelName("anvil-2", released_on=date(2026, 7, 1))
    (alias,) = (one for one in identify({OPENROUTER: (OFFERED,), "epoch": (far,)}).aliases if one.source == "epoch")
    assert alias.release_id == "acme/anvil-2"
