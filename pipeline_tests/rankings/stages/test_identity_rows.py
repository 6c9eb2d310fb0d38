from datetime import date, datetime

import pytest

from pipeline.rankings import ModelName, Result
from pipeline.rankings.identity import Decision
from pipeline.rankings.identity import Status as Decided
from pipeline.tables import LLM_ALIASES, LLM_MODELS, LLM_UNMATCHED
from pipeline_tests.rankings.stages.boards import Board, columns_of, linked, published

PASS = ("humaneval_plus", "pass_at_1")
OPENROUTER = published(
    "openrouter",
    [Result("acme/anvil-2", "price", "input", 1.0)],
    [
        ModelName("acme/anvil-2", title="Acme: Anvil 2", organisation="acme", released_on=date(2026, 1, 5)),
        ModelName("acme/anvil-2:free", title="Acme: Anvil 2 (free)", organisation="acme", openrouter_id="acme/anvil-2"),
        ModelName("~acme/anvil-latest", title="Acme: Anvil Latest", openrouter_id="acme/anvil-2"),
    ],
)


def test_a_release_has_the_title_and_the_maker_of_the_catalogue():
    model = Board([OPENROUTER]).models.set_index("model").loc["acme/anvil-2"]
    assert (model["title"], model["organisation"]) == ("Anvil 2", "Acme")
    assert (model["openrouter_id"], model["released_on"]) == ("acme/anvil-2", datetime(2026, 1, 5))
    assert model[["hugging_face_id", "models_dev_id", "open_weights", "weights_evidence"]].isna().all()
    assert model["released_evidence"] == "openrouter"
    assert not model["is_made"]


def test_a_release_without_a_title_is_called_as_its_repository_and_its_owner():
    name = linked("Anvil", "AcmeLabs/Anvil-2-Instruct")
    board = Board([published("evalplus", [Result("Anvil", *PASS, 50.0)], [name])])
    model = board.models.iloc[0]
    assert (model["title"], model["organisation"]) == ("Anvil-2-Instruct", "AcmeLabs")
    assert list(board.models) == columns_of(LLM_MODELS)
    assert (model["open_weights"], model["weights_evidence"]) == (True, "huggingface.co/AcmeLabs/Anvil-2-Instruct")


@pytest.mark.parametrize(
    ("written", "title"),
    [
        (("ANVIL-4-preview-2025-02-27", "Anvil 4 Preview (Feb 2025)"), "Anvil 4 Preview (Feb 2025)"),
        (("Anvil-4-Preview-2025-02-27", "Anvil 4 Preview"), "Anvil-4-Preview-2025-02-27"),
        (("Anvil-4-Preview-2025-02-27 (high)", "anvil-4-preview-2025-02-27"), "anvil-4-preview-2025-02-27"),
        (("Hammer 4",), "anvil-4-preview-2025-02-27"),
    ],
)
def test_a_release_that_no_catalogue_titles_is_shown_as_boards_write_the_same_name(written, title):
    rows = [linked(text, "acme/anvil-4-preview-2025-02-27") for text in written]
    models = Board([published("evalplus", [], rows)]).models
    assert models["title"].tolist() == [title]


def test_a_title_that_says_less_is_that_of_another_release():
    rows = [
        ModelName("one:anvil-3-pro-preview", title="Anvil 3 Pro", models_dev_id="acme/anvil-3-pro-preview"),
        ModelName("two:anvil-3-pro-preview", title="Anvil 3 Pro Preview", models_dev_id="acme/anvil-3-pro-preview"),
    ]
    assert Board([published("modelsdev", [], rows)]).models["title"].tolist() == ["Anvil 3 Pro Preview"]


def test_a_maker_is_written_as_most_sources_do_with_capitals_where_any_has():
    names = [
        linked(f"a{n}", f"acme/a{n}", organisation=text) for n, text in enumerate(("acme", "acme", "ACME", "Acme"))
    ]
    assert set(Board([published("evalplus", [], names)]).models["organisation"]) == {"ACME"}


def test_an_alias_tells_what_the_source_says_and_what_was_decided():
    system = ModelName("agent", is_system=True, url="https://agent.test")
    named = linked("Anvil (high)", "acme/Anvil-2", title="Anvil, high", organisation="Acme")
    board = Board([published("evalplus", [], [named, system])])
    assert list(board.aliases) == columns_of(LLM_ALIASES)
    alias = board.aliases.set_index("raw_name").loc["Anvil (high)"]
    assert (alias["model"], alias["status"], alias["method"]) == ("acme/anvil-2", "accepted", "hugging_face")
    assert (alias["title"], alias["config"]) == ("Anvil, high", "effort=high")
    agent = board.aliases.set_index("raw_name").loc["agent"]
    assert agent["is_system"]
    assert agent["url"] == "https://agent.test"
    assert agent[["model", "title", "organisation", "config"]].isna().all()


def test_names_of_no_release_are_listed_by_the_figures_that_wait_for_them():
    results = [Result("one", *PASS, 50.0), Result("two", *PASS, 50.0), Result("two", "mbpp_plus", "pass_at_1", 50.0)]
    figureless = Result("none", *PASS, None, reason="not_published")
    names = [ModelName(one) for one in ("one", "two", "none", "a + b")]
    board = Board([published("evalplus", [*results, figureless], names)])
    assert list(board.unmatched) == columns_of(LLM_UNMATCHED)
    rows = board.unmatched[["raw_name", "n_results", "status"]].to_numpy().tolist()
    assert rows == [["two", 2, "unmatched"], ["one", 1, "unmatched"], ["none", 0, "unmatched"]]


def test_a_rejected_name_stays_listed():
    rejected = Decision("evalplus", "one", "", Decided.REJECTED, "is a fine-tune", datetime(2026, 7, 1))
    board = Board([published("evalplus", [Result("one", *PASS, 50.0)], [linked("one")])], decisions=[rejected])
    row = board.unmatched.iloc[0]
    assert (row["status"], row["why"], row["n_results"]) == ("rejected", "is a fine-tune", 1)
    assert board.results["left_out"].tolist() == ["no model: rejected"]
