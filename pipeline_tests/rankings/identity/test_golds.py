"""Matching by name against links that people published, on real files: the links are hidden and have to be found.

The shared data lacks Artificial Analysis' own links to OpenRouter, which the figures here stand in for.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from pipeline.rankings.identity import MODELS_DEV, OPENROUTER, Identity, Status, audit, identify
from pipeline.rankings.results import ModelName
from pipeline_tests.rankings.identity import shared_names as shared

pytestmark = pytest.mark.skipif(
    not shared.is_there(), reason=f"{shared.LLM} is not there; PODIUM_SHARED_DATA names the shared data"
)

LEAST_PRECISION = 0.98
Figures = tuple[float, float]


@dataclass(frozen=True)
class Score:
    pairs: int
    precision: float
    recall: float


def score(found: Identity, source: str, links: Mapping[str, str]) -> Score:
    """Precision over the accepted names that have a link, recall over all links."""
    meant = {a.raw_name: a.release_id for a in found.aliases if a.source == source and a.status == Status.ACCEPTED}
    matched = [name for name in links if name in meant]
    right = sum(meant[name] == links[name] for name in matched)
    return Score(len(links), right / len(matched), right / len(links))


@pytest.fixture(scope="module")
def boards() -> Identity:
    """All boards at hand, with their links."""
    return identify(
        {
            OPENROUTER: shared.openrouter(),
            MODELS_DEV: shared.models_dev(shared.providers()),
            "artificialanalysis": shared.artificial_analysis(),
            "evalplus": shared.evalplus(),
            "bigcodebench": shared.bigcodebench(),
            "livebench": shared.livebench(),
            "aider": shared.aider(),
        }
    )


def same_figures() -> dict[str, str]:
    """Slugs of Artificial Analysis and ids of OpenRouter that publish the same two indices, each pair of them once.

    OpenRouter repeats the intelligence and the coding index with one decimal; the files are four weeks apart, so what
    was measured again in between drops out. Two of the 73 are chance or a slip of OpenRouter: k2-think-v2 has the
    figures of moonshotai/kimi-k2-thinking, command-a-plus those of cohere/command-a.
    """
    slugs: dict[Figures, set[str]] = defaultdict(set)
    for slug, row in shared.artificial_analysis_rows().items():
        if row["intelligence"] is not None and row["coding"] is not None:
            slugs[row["intelligence"], row["coding"]].add(slug)
    offers: dict[Figures, set[str]] = defaultdict(set)
    for row in shared.openrouter_rows():
        indices = (row.get("benchmarks") or {}).get("artificial_analysis") or {}
        if indices.get("intelligence_index") is not None and indices.get("coding_index") is not None:
            offers[indices["intelligence_index"], indices["coding_index"]].add(row["id"].split(":")[0])
    pairs = {figures: (slugs[figures], offers[figures]) for figures in slugs.keys() & offers.keys()}
    return {min(one): min(two) for one, two in pairs.values() if len(one) == len(two) == 1}


def test_artificial_analysis_by_name_against_openrouters_figures(boards):
    links = {slug: boards.catalogue.openrouter[offer] for slug, offer in same_figures().items()}
    found = score(boards, "artificialanalysis", links)
    assert found.pairs == 73
    assert found.precision >= LEAST_PRECISION
    assert found.recall >= 0.83


def test_providers_by_name_against_the_base_models_of_models_dev():
    """Nothing of the table but the ids of base models is shown; 1,347 rows state one."""
    rows = [row for row in shared.providers() if row["base_model"]]
    bases = {row["base_model"] for row in rows}
    links = {f"{row['provider']}/{row['model_id']}": row["base_model"].lower() for row in rows}
    found = identify(
        {
            OPENROUTER: shared.openrouter(),
            MODELS_DEV: [ModelName(base, models_dev_id=base) for base in bases],
            "providers": [ModelName(name) for name in links],
        }
    )
    hidden = {name: found.catalogue.models_dev[base] for name, base in links.items()}
    measured = score(found, "providers", hidden)
    assert measured.pairs == 1347
    assert measured.precision >= LEAST_PRECISION
    assert measured.recall >= 0.89


@pytest.mark.parametrize(
    ("shown", "hidden", "pairs", "recall"),
    [("evalplus", "bigcodebench", 49, 0.97), ("bigcodebench", "evalplus", 33, 0.93)],
)
def test_boards_by_name_against_their_hugging_face_links(shown, hidden, pairs, recall):
    """One board's links are hidden; the repositories are those that the other board or OpenRouter links to."""
    found = identify(
        {
            OPENROUTER: shared.openrouter(),
            shown: getattr(shared, shown)(),
            hidden: getattr(shared, hidden)(hide=True),
        }
    )
    repositories = {row.raw_name: row.hugging_face_id.lower() for row in getattr(shared, hidden)()}
    links = {name: found.catalogue.hugging_face.get(one, "") for name, one in repositories.items()}
    measured = score(found, hidden, {name: link for name, link in links.items() if link})
    assert measured.pairs == pairs
    assert measured.precision >= LEAST_PRECISION
    assert measured.recall >= recall


def test_every_name_of_the_catalogues_is_a_release(boards):
    statuses = {a.status for a in boards.aliases if a.source in (OPENROUTER, MODELS_DEV)}
    assert statuses == {Status.ACCEPTED}


def test_real_boards_share_few_releases(boards):
    """The over-merging report on boards is short enough to read."""
    found = [one for one in audit(boards.aliases).shared if one.source not in (OPENROUTER, MODELS_DEV)]
    assert {one.raw_names for one in found} == {
        ("grok-4-20", "grok-4-20-0309"),
        ("grok-4-20-0309-non-reasoning", "grok-4-20-non-reasoning"),
    }


@pytest.mark.parametrize(
    ("source", "one", "other"),
    [
        ("bigcodebench", "CodeGemma-7B", "CodeGemma-7B-Instruct"),
        ("bigcodebench", "GPT-4o-2024-05-13", "GPT-4o-2024-08-06"),
        ("livebench", "deepseek-r1", "deepseek-r1-0528"),
        ("livebench", "qwen3-next-80b-a3b-instruct", "qwen3-next-80b-a3b-thinking"),
        ("evalplus", "gemma-7b", "gemma-7b-it"),
    ],
)
def test_what_differs_in_the_real_files_stays_apart(boards, source, one, other):
    meant = {a.raw_name: a.release_id for a in boards.aliases if a.source == source}
    assert meant[one] is not None
    assert meant[other] is not None
    assert meant[one] != meant[other]


def test_efforts_of_the_real_files_are_one_release(boards):
    efforts = [a for a in boards.aliases if a.source == "bigcodebench" and a.raw_name.startswith("o3-mini")]
    assert {a.release_id for a in efforts} == {"openai/o3-mini-2025-01-31"}
    assert len({a.config for a in efforts}) == len(efforts) == 3
