"""The catalogue: what is one release, what is several, and where links lead."""

from datetime import date

import pytest

from pipeline.rankings.identity import MODELS_DEV, OPENROUTER, build_catalogue
from pipeline.rankings.results import ModelName


def offered(openrouter_id: str, canonical: str = "", **facts) -> ModelName:
    return ModelName(openrouter_id, openrouter_id=openrouter_id, others=(canonical,) if canonical else (), **facts)


def based(models_dev_id: str, openrouter_id: str = "") -> ModelName:
    raw_name = f"openrouter/{openrouter_id}" if openrouter_id else models_dev_id
    return ModelName(raw_name, models_dev_id=models_dev_id, openrouter_id=openrouter_id)


def ids(*rows: ModelName, models_dev: tuple[ModelName, ...] = (), others: tuple[ModelName, ...] = ()) -> list[str]:
    return list(build_catalogue({OPENROUTER: rows, MODELS_DEV: models_dev, "board": others}).releases)


def test_a_release_has_the_canonical_slug_as_its_id_and_both_as_names():
    catalogue = build_catalogue(
        {
            OPENROUTER: [
                offered(
                    "z-ai/glm-5.2",
                    "z-ai/glm-5.2-20260616",
                    title="Z.ai: GLM 5.2",
                    hugging_face_id="zai-org/GLM-5.2",
                    released_on=date(2026, 6, 16),
                )
            ]
        }
    )
    release = catalogue.releases["z-ai/glm-5.2-20260616"]
    assert release.family == "zai/glm-5.2"
    assert release.vendor == "zai"
    assert release.names == ("z-ai/glm-5.2", "z-ai/glm-5.2-20260616", "zai-org/GLM-5.2")
    assert (release.hugging_face_id, release.openrouter_id) == ("zai-org/GLM-5.2", "z-ai/glm-5.2")
    assert release.released_on == date(2026, 6, 16)
    assert catalogue.openrouter == {"z-ai/glm-5.2": release.release_id, "z-ai/glm-5.2-20260616": release.release_id}
    assert catalogue.hugging_face == {"zai-org/glm-5.2": release.release_id}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("openai/gpt-4-0125-preview", "openai/gpt-4-0314"),
        ("deepseek/deepseek-r1", "deepseek/deepseek-r1-0528"),
        ("deepseek/deepseek-v3.2", "deepseek/deepseek-v3.2-exp"),
        ("qwen/qwen3-next-80b-a3b-instruct", "qwen/qwen3-next-80b-a3b-thinking"),
        ("z-ai/glm-4.7", "z-ai/glm-4.7-flash"),
        ("anthropic/claude-opus-5", "anthropic/claude-opus-5-fast"),
        ("meta/llama-3-70b", "someone/llama-3-70b"),
    ],
)
def test_dates_variants_and_makers_part_releases(one, two):
    assert ids(offered(one), offered(two)) == sorted([one, two])


def test_base_and_instruct_repositories_are_two():
    links = tuple(ModelName(name, hugging_face_id=f"google/{name}") for name in ("gemma-2b", "gemma-2b-it"))
    assert ids(others=links) == ["google/gemma-2b", "google/gemma-2b-it"]


def test_offers_and_efforts_are_configurations_of_one_release():
    rows = (
        offered("openai/o3-mini", "openai/o3-mini-2025-01-31"),
        offered("openai/o3-mini-high", "openai/o3-mini-high-2025-01-31"),
        offered("openai/o3-mini:free", "openai/o3-mini-2025-01-31"),
    )
    catalogue = build_catalogue({OPENROUTER: rows})
    assert list(catalogue.releases) == ["openai/o3-mini-2025-01-31"]
    assert catalogue.openrouter["openai/o3-mini-high"] == "openai/o3-mini-2025-01-31"


def test_quantised_and_renamed_repositories_are_one():
    links = ("nvidia/Llama-3.1-70B-Instruct-FP8", "nvidia/Meta-Llama-3.1-70B-Instruct")
    assert len(ids(others=tuple(ModelName(link, hugging_face_id=link) for link in links))) == 1


def test_an_alias_of_openrouter_is_no_release():
    alias = ModelName("~x-ai/grok-latest", openrouter_id="x-ai/grok-4.5")
    catalogue = build_catalogue({OPENROUTER: [offered("x-ai/grok-4.5", "x-ai/grok-4.5-20260708"), alias]})
    assert list(catalogue.releases) == ["x-ai/grok-4.5-20260708"]
    assert catalogue.openrouter["~x-ai/grok-latest"] == "x-ai/grok-4.5-20260708"


def test_a_slug_of_another_model_is_a_link_but_no_name():
    """OpenRouter files GLM 4.6V under glm-4.6-20251208."""
    catalogue = build_catalogue({OPENROUTER: [offered("z-ai/glm-4.6v", "z-ai/glm-4.6-20251208")]})
    assert catalogue.releases["z-ai/glm-4.6v"].names == ("z-ai/glm-4.6v",)
    assert catalogue.openrouter["z-ai/glm-4.6-20251208"] == "z-ai/glm-4.6v"


def test_a_title_that_lacks_a_word_of_the_id_is_no_name():
    lacking = offered("ibm-granite/granite-4.0-h-micro", title="IBM: Granite 4.0 Micro")
    plain = offered("google/gemma-3-27b-it", title="Google: Gemma 3 27B")
    releases = build_catalogue({OPENROUTER: [lacking, plain]}).releases
    assert releases["ibm-granite/granite-4.0-h-micro"].titles == ()
    assert releases["google/gemma-3-27b-it"].titles == ("Gemma 3 27B",)


def test_base_models_join_by_name_and_by_statement():
    rows = (offered("mistralai/mistral-small-2603"), offered("z-ai/glm-5"))
    bases = (based("zhipuai/glm-5"), based("mistral/mistral-four", "mistralai/mistral-small-2603"))
    catalogue = build_catalogue({OPENROUTER: rows, MODELS_DEV: bases})
    assert catalogue.models_dev == {
        "mistral/mistral-four": "mistralai/mistral-small-2603",
        "zhipuai/glm-5": "z-ai/glm-5",
    }
    assert len(catalogue.releases) == 2


def test_a_base_model_of_several_offers_joins_the_one_of_its_name():
    """models.dev files Instruct-2507 under the first Qwen3 235B, which it is not."""
    rows = (offered("qwen/qwen3-235b-a22b"), offered("qwen/qwen3-235b-a22b-2507"))
    bases = tuple(based("alibaba/qwen3-235b-a22b", row.raw_name) for row in rows)
    catalogue = build_catalogue({OPENROUTER: rows, MODELS_DEV: bases})
    assert catalogue.models_dev == {"alibaba/qwen3-235b-a22b": "qwen/qwen3-235b-a22b"}
    assert len(catalogue.releases) == 2


@pytest.mark.parametrize(
    ("snapshot", "releases"),
    [("anthropic/claude-opus-4-5-20251101", 1), ("anthropic/claude-opus-4-5-20260301", 2)],
)
def test_a_snapshot_is_the_release_only_if_its_day_is_near(snapshot, releases):
    row = offered("anthropic/claude-opus-4.5", "anthropic/claude-4.5-opus-20251124", released_on=date(2025, 11, 24))
    assert len(ids(row, models_dev=(based(snapshot),))) == releases


def test_what_one_link_could_mean_twice_is_no_link():
    rows = (
        offered("microsoft/phi-3-mini", hugging_face_id="microsoft/Phi-3-mini-128k-instruct"),
        offered("microsoft/phi-3.1-mini", hugging_face_id="microsoft/Phi-3-mini-128k-instruct"),
    )
    assert build_catalogue({OPENROUTER: rows}).hugging_face == {}


def test_a_maker_has_one_spelling_in_ids_that_of_openrouter():
    rows = (offered("x-ai/grok-4", "x-ai/grok-4-07-09"), offered("x-ai/grok-5"))
    assert ids(*rows, models_dev=(based("xai/grok-3-beta"),)) == [
        "x-ai/grok-3-beta",
        "x-ai/grok-4-07-09",
        "x-ai/grok-5",
    ]
    assert ids(models_dev=(based("xai/grok-3-beta"),)) == ["xai/grok-3-beta"], "nobody writes it otherwise"
    catalogue = build_catalogue({OPENROUTER: rows, MODELS_DEV: (based("xai/grok-3-beta"),)})
    assert catalogue.models_dev["xai/grok-3-beta"] == "x-ai/grok-3-beta"
    assert catalogue.respelled("xai/grok-6") == "x-ai/grok-6"
    assert catalogue.respelled("xai/grok-5") == "xai/grok-5", "that is another release"
    assert catalogue.respelled("acme/anvil") == "acme/anvil"
