"""Matching: decisions, links, names, and what is only proposed."""

from datetime import UTC, date, datetime

import pytest

from pipeline.rankings.identity import OPENROUTER, Alias, Decision, Method, Status, identify
from pipeline.rankings.results import ModelName

CATALOGUE = [
    ModelName(
        "anthropic/claude-opus-4.5", others=("anthropic/claude-4.5-opus-20251124",), released_on=date(2025, 11, 24)
    ),
    ModelName("anthropic/claude-sonnet-4.5", others=("anthropic/claude-4.5-sonnet-20250929",)),
    ModelName("openai/gpt-5", others=("openai/gpt-5-2025-08-07",)),
    ModelName("openai/gpt-5.2", others=("openai/gpt-5.2-20251211",)),
    ModelName("openai/gpt-5.2-codex", others=("openai/gpt-5.2-codex-20260114",)),
    ModelName("openai/gpt-4o-2024-08-06"),
    ModelName("openai/gpt-4o-2024-11-20"),
    ModelName("deepseek/deepseek-r1", released_on=date(2025, 1, 20), hugging_face_id="deepseek-ai/DeepSeek-R1"),
    ModelName("deepseek/deepseek-r1-0528", released_on=date(2025, 5, 28)),
    ModelName("deepseek/deepseek-v3.2"),
    ModelName("deepseek/deepseek-v3.2-exp"),
    ModelName("z-ai/glm-4.7"),
    ModelName("z-ai/glm-4.7-flash"),
    ModelName("mistralai/mistral-large", released_on=date(2024, 2, 26)),
    ModelName("mistralai/ministral-14b-2512", title="Mistral: Ministral 3 14B 2512", released_on=date(2025, 12, 2)),
    ModelName("microsoft/phi-4"),
    ModelName("qwen/qwen3-max"),
]
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def decide(release_id: str, status: Status, raw_name: str = "glm-4.7-flash", day: int = 1) -> Decision:
    return Decision("board", raw_name, release_id, status, "https://example.org/why", NOW.replace(day=day))


def aliases(*rows: ModelName, decisions: tuple[Decision, ...] = (), **others: list[ModelName]) -> dict[str, Alias]:
    found = identify({OPENROUTER: CATALOGUE, "board": rows, **others}, decisions).aliases
    return {alias.raw_name: alias for alias in found if alias.source == "board"}


def match(raw_name: str, decisions: tuple[Decision, ...] = (), **facts) -> Alias:
    return aliases(ModelName(raw_name, **facts), decisions=decisions)[raw_name]


@pytest.mark.parametrize(
    ("raw_name", "release_id", "config"),
    [
        ("gpt-5", "openai/gpt-5-2025-08-07", ""),
        ("GPT-5", "openai/gpt-5-2025-08-07", ""),
        ("gpt-5-2025-08-07", "openai/gpt-5-2025-08-07", ""),
        ("gpt-5 (high)", "openai/gpt-5-2025-08-07", "effort=high"),
        ("gpt-5-minimal", "openai/gpt-5-2025-08-07", "effort=minimal"),
        ("claude-sonnet-4-5-20250929-thinking-64k", "anthropic/claude-4.5-sonnet-20250929", "thinking=64k"),
        ("GPT 4o (Aug 2024)", "openai/gpt-4o-2024-08-06", ""),
        ("DeepSeek R1 (0528)", "deepseek/deepseek-r1-0528", ""),
        ("DeepSeek R1", "deepseek/deepseek-r1", ""),
        ("deepseek-v3.2-exp", "deepseek/deepseek-v3.2-exp", ""),
        ("qwen3-max", "qwen/qwen3-max", ""),
    ],
)
def test_the_same_name_is_the_release(raw_name, release_id, config):
    alias = match(raw_name)
    assert (alias.status, alias.release_id, alias.config) == (Status.ACCEPTED, release_id, config)
    assert alias.method in (Method.NAME, Method.CONFIGURED_NAME)
    assert alias.evidence


@pytest.mark.parametrize(
    ("raw_name", "candidates"),
    [
        ("gpt-4o", {"openai/gpt-4o-2024-08-06", "openai/gpt-4o-2024-11-20"}),
        ("gpt-4o-2024-05-13", {"openai/gpt-4o-2024-08-06", "openai/gpt-4o-2024-11-20"}),
        ("deepseek-v3.2-base", {"deepseek/deepseek-v3.2", "deepseek/deepseek-v3.2-exp"}),
        ("phi-4-reasoning", {"microsoft/phi-4"}),
        ("gpt-5.2-codex-max", {"openai/gpt-5.2-codex-20260114"}),
        ("ministral-3-14b", {"mistralai/ministral-14b-2512"}),
    ],
)
def test_the_same_family_only_proposes(raw_name, candidates):
    alias = match(raw_name)
    assert (alias.status, alias.method, alias.release_id) == (Status.PENDING, Method.FAMILY, None)
    assert {one.release_id for one in alias.candidates} == candidates


def test_a_likeness_only_proposes():
    alias = match("clyde-opus-4.5")
    assert (alias.status, alias.method, alias.release_id) == (Status.PENDING, Method.FUZZY, None)
    assert alias.candidates[0].release_id == "anthropic/claude-4.5-opus-20251124"
    assert 85 <= alias.candidates[0].score < 100


def test_what_is_like_nothing_is_unmatched():
    assert match("smaug-agentic").status == Status.UNMATCHED


@pytest.mark.parametrize(
    "row",
    [
        ModelName("gpt-5", is_system=True, openrouter_id="openai/gpt-5"),
        ModelName("gpt-5 + claude-opus-4.5"),
    ],
)
def test_systems_and_several_models_match_nothing(row):
    alias = aliases(row)[row.raw_name]
    assert (alias.status, alias.method, alias.release_id, alias.candidates) == (
        Status.UNMATCHED,
        Method.SYSTEM,
        None,
        (),
    )


@pytest.mark.parametrize(
    ("facts", "method", "release_id"),
    [
        ({"hugging_face_id": "deepseek-ai/deepseek-r1"}, Method.HUGGING_FACE, "deepseek/deepseek-r1"),
        ({"openrouter_id": "openai/gpt-5:free"}, Method.OPENROUTER, "openai/gpt-5-2025-08-07"),
        ({"others": ("gpt-5-high",)}, Method.OWN_ALIAS, "openai/gpt-5-2025-08-07"),
        ({"title": "GPT-5"}, Method.OWN_ALIAS, "openai/gpt-5-2025-08-07"),
    ],
)
def test_a_published_link_needs_no_name(facts, method, release_id):
    alias = match("internal-7", **facts)
    assert (alias.status, alias.method, alias.release_id) == (Status.ACCEPTED, method, release_id)


def test_a_link_that_the_name_contradicts_is_for_a_person():
    """Artificial Analysis once linked gpt-5-2-codex to openai/gpt-5.2."""
    alias = match("gpt-5-2-codex", openrouter_id="openai/gpt-5.2")
    assert alias.status == Status.PENDING
    assert {one.release_id for one in alias.candidates} == {"openai/gpt-5.2-20251211", "openai/gpt-5.2-codex-20260114"}


def test_a_repository_linked_for_two_families_is_its_own_familys():
    rows = [ModelName(name, hugging_face_id="microsoft/Phi-3-mini") for name in ("Phi-3-Mini", "Phi-3.1-Mini")]
    found = aliases(*rows)
    assert found["Phi-3-Mini"].release_id == "microsoft/phi-3-mini"
    assert (found["Phi-3.1-Mini"].status, found["Phi-3.1-Mini"].release_id) == (Status.PENDING, None)


def test_another_makers_model_of_the_name_is_not_it():
    assert match("phi-4", organisation="Microsoft").release_id == "microsoft/phi-4"
    assert match("phi-4", organisation="Somebody").status == Status.PENDING


def test_a_dated_title_says_more_than_an_undated_name():
    """Artificial Analysis calls R1 0528 deepseek-r1, and the first R1 deepseek-r1-0120."""
    alias = match("deepseek-r1", title="DeepSeek R1 0528 (May '25)")
    assert alias.release_id == "deepseek/deepseek-r1-0528"


@pytest.mark.parametrize(
    ("released_on", "status"), [(date(2024, 2, 26), Status.ACCEPTED), (date(2025, 12, 2), Status.PENDING)]
)
def test_a_name_without_a_date_is_no_release_of_another_time(released_on, status):
    assert match("Mistral Large", released_on=released_on).status == status


@pytest.mark.parametrize(
    ("released_on", "status"), [(date(2025, 12, 2), Status.ACCEPTED), (date(2025, 9, 2), Status.PENDING)]
)
def test_a_name_without_a_date_is_a_dated_release_of_its_day(released_on, status):
    assert match("ministral-3-14b", released_on=released_on).status == status


def test_the_only_snapshot_near_a_release_is_that_release():
    alias = match("claude-opus-4-5-20251101")
    assert (alias.method, alias.release_id) == (Method.NEAR_DATE, "anthropic/claude-4.5-opus-20251124")


def test_one_of_two_snapshots_near_a_release_is_not():
    found = aliases(ModelName("claude-opus-4-5-20251101"), ModelName("claude-opus-4-5-20251115"))
    assert {alias.status for alias in found.values()} == {Status.PENDING}


def test_thinking_is_a_setting_where_another_name_turns_it_off():
    switched = [ModelName("z-ai/glm-4.7 (no thinking)"), ModelName("glm-4.7-flash")]
    found = aliases(ModelName("glm-4.7-thinking"), ModelName("glm-4.7-flash-thinking"), elsewhere=switched)
    assert found["glm-4.7-thinking"].release_id == "z-ai/glm-4.7"
    assert found["glm-4.7-thinking"].config == "thinking=on"
    assert found["glm-4.7-flash-thinking"].release_id is None


def test_medium_is_an_effort_where_another_name_has_one():
    assert match("gpt-5-medium").release_id is None
    both = aliases(ModelName("gpt-5-medium"), ModelName("gpt-5-high"))
    assert (both["gpt-5-medium"].release_id, both["gpt-5-medium"].config) == (
        "openai/gpt-5-2025-08-07",
        "effort=medium",
    )


def test_a_configuration_comes_from_name_title_and_source():
    alias = match("gpt-5", title="GPT-5 (high)", config="bash only")
    assert (alias.release_id, alias.config) == ("openai/gpt-5-2025-08-07", "effort=high, bash only")


def test_what_two_sources_name_alike_becomes_a_release():
    other = [ModelName("Claude 3 Opus 20240229", organisation="Anthropic")]
    found = identify({OPENROUTER: CATALOGUE, "board": [ModelName("claude-3-opus-20240229")], "arena": other})
    release = found.catalogue.releases["anthropic/claude-3-opus-20240229"]
    assert release.is_made
    assert release.family == "anthropic/claude-3-opus"
    assert {a.release_id for a in found.aliases if a.source in ("board", "arena")} == {release.release_id}


def test_what_one_source_names_does_not():
    assert match("claude-3-opus-20240229").release_id is None


def test_an_acceptance_wins_over_links_and_names():
    alias = match("glm-4.7-flash", (decide("z-ai/glm-4.7", Status.ACCEPTED),), openrouter_id="z-ai/glm-4.7-flash")
    assert (alias.release_id, alias.method, alias.decided_at) == ("z-ai/glm-4.7", Method.DECISION, NOW.replace(day=1))
    assert alias.evidence == "https://example.org/why"


def test_the_latest_acceptance_counts():
    both = (decide("z-ai/glm-4.7", Status.ACCEPTED, day=2), decide("deepseek/deepseek-r1", Status.ACCEPTED, day=1))
    assert match("glm-4.7-flash", both).release_id == "z-ai/glm-4.7"
    assert match("glm-4.7-flash", both[::-1]).release_id == "z-ai/glm-4.7"


def test_a_release_that_only_a_person_knows_is_in_the_catalogue():
    decision = decide("stealth/quasar", Status.ACCEPTED, raw_name="Quasar-Alpha")
    found = identify({OPENROUTER: CATALOGUE, "board": [ModelName("Quasar-Alpha")]}, [decision])
    assert found.catalogue.releases["stealth/quasar"].is_made


@pytest.mark.parametrize("day", [1, 9])
def test_a_rejection_wins_over_every_acceptance(day):
    decisions = (
        decide("z-ai/glm-4.7-flash", Status.REJECTED, day=5),
        decide("z-ai/glm-4.7-flash", Status.ACCEPTED, day=day),
    )
    alias = match("glm-4.7-flash", decisions, openrouter_id="z-ai/glm-4.7-flash")
    assert alias.release_id is None
    assert "z-ai/glm-4.7-flash" not in {one.release_id for one in alias.candidates}


def test_a_rejected_link_leaves_the_name():
    rejected = decide("openai/gpt-5.2-20251211", Status.REJECTED, raw_name="gpt-5-2-codex")
    alias = match("gpt-5-2-codex", (rejected,), openrouter_id="openai/gpt-5.2")
    assert (alias.status, alias.release_id) == (Status.ACCEPTED, "openai/gpt-5.2-codex-20260114")


@pytest.mark.parametrize(
    ("status", "release_id"), [(Status.ACCEPTED, "openai/gpt-5-2025-08-07"), (Status.REJECTED, None)]
)
def test_a_decision_holds_when_a_catalogue_comes_to_list_the_release_under_another_id(status, release_id):
    decided = decide("OpenAI/gpt-5", status, raw_name="gpt-5")
    assert match("gpt-5", (decided,)).release_id == release_id
    found = identify({OPENROUTER: CATALOGUE, "board": [ModelName("gpt-5")]}, [decided]).catalogue.releases
    assert [name for name in found if "gpt-5" in name and "5." not in name] == ["openai/gpt-5-2025-08-07"]


def test_a_link_of_another_snapshot_is_for_a_person():
    rows = [ModelName(name, hugging_face_id="deepseek-ai/DeepSeek-V4") for name in ("deepseek-v4", "deepseek-v4-0813")]
    found = aliases(*rows)
    assert found["deepseek-v4"].release_id == "deepseek-ai/deepseek-v4"
    assert (found["deepseek-v4-0813"].status, found["deepseek-v4-0813"].release_id) == (Status.PENDING, None)


def test_a_rejection_that_leaves_nothing_is_told():
    alias = match("phi-4", (decide("microsoft/phi-4", Status.REJECTED, raw_name="phi-4"),))
    assert (alias.status, alias.method, alias.candidates) == (Status.REJECTED, Method.DECISION, ())
    assert (alias.evidence, alias.decided_at) == ("https://example.org/why", NOW.replace(day=1))


def test_a_name_can_be_rejected_altogether():
    alias = match("gpt-5", (decide("", Status.REJECTED, raw_name="gpt-5"),), openrouter_id="openai/gpt-5")
    assert (alias.status, alias.release_id) == (Status.REJECTED, None)


@pytest.mark.parametrize(
    ("release_id", "status", "told"),
    [("z-ai/glm-4.7", Status.PENDING, "accepted or rejected"), ("", Status.ACCEPTED, "without a release")],
)
def test_a_decision_is_complete(release_id, status, told):
    with pytest.raises(ValueError, match=told):
        decide(release_id, status)


def test_a_name_listed_twice_is_refused():
    with pytest.raises(ValueError, match="board: 'gpt-5'"):
        identify({"board": [ModelName("gpt-5"), ModelName("gpt-5", title="again")]})


def test_a_title_without_a_date_means_the_release_of_the_raw_names_date():
    dated = ModelName("x/model-7-20250219", models_dev_id="x/model-7-20250219")
    plain = [ModelName("model-7"), ModelName("model-7 (high)")]
    row = ModelName("model-7-20250219_16K", title="Model 7 (16k thinking)", organisation="x")
    found = aliases(row, modelsdev=[dated], one=plain, two=plain)
    assert found[row.raw_name].release_id == "x/model-7-20250219"


def test_the_date_of_a_run_in_a_raw_name_hides_no_release():
    row = ModelName("2025-08-06--phi-4-run", title="phi-4")
    assert aliases(row)[row.raw_name].release_id == "microsoft/phi-4"


@pytest.mark.parametrize(
    ("raw_name", "title", "meant"),
    [
        ("qvq-max-2025-03-25", "Qwen Max", None),
        ("qwen-max-2025-01-25", "Qwen2.5-Max", "qwen/qwen2.5-max"),
        ("qwen-max-2025-03-25", "Qwen Max", "qwen/qwen-max"),
        ("2025-03-25-06-30-11--qvq-max", "Qwen Max", "qwen/qwen-max"),
        ("20250325_agent", "Qwen Max", "qwen/qwen-max"),
        ("qvq-max", "Qwen Max", "qwen/qwen-max"),
        ("seller:qwen-max-2025-01-25", "Qwen2.5-Max", "qwen/qwen2.5-max"),
    ],
)
def test_a_title_without_a_date_is_that_of_a_dated_name_only_in_the_same_line_of_models(raw_name, title, meant):
    catalogue = [ModelName("qwen/qwen-max"), ModelName("qwen/qwen2.5-max")]
    others = ("qwen-max-2025-01-25",) if raw_name.startswith("seller") else ()
    found = identify({"openrouter": catalogue, "epoch": [ModelName(raw_name, title=title, others=others)]})
    (alias,) = [one for one in found.aliases if one.source == "epoch"]
    assert alias.release_id == meant


def test_a_decision_on_a_made_release_follows_it_to_how_its_maker_is_written():
    names = {OPENROUTER: [ModelName("x-ai/grok-4")], "epoch": [ModelName("grok-9")], "aider": [ModelName("grok-9")]}
    before = identify({source: rows for source, rows in names.items() if source != OPENROUTER})
    decision = Decision("livebench", "G9", "xai/grok-9", Status.ACCEPTED, "its page", datetime(2026, 1, 1))
    after = identify(names | {"livebench": [ModelName("G9")]}, [decision])
    assert list(before.catalogue.releases) == ["xai/grok-9"]
    assert list(after.catalogue.releases) == ["x-ai/grok-4", "x-ai/grok-9"]
    assert {alias.release_id for alias in after.aliases if alias.source != OPENROUTER} == {"x-ai/grok-9"}
