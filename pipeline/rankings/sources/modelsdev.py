"""models.dev: what models cost and take at each provider, which of them are one model, and benchmarks with their links.

A row is a model at a provider, ``provider:model``; many name the model that they serve, ``owner/name``: an alias table
that people maintain. A cost of zero is that of a subscription or a trial and says nothing of a price. Benchmarks are
copied from boards and from announcements of the makers, which are flagged ``self_reported``; a row that names a harness
is a result of that agent with the model, flagged ``agent_system``. Read are the catalogue and the list of providers
that the site offers, and tables flattened from its repository.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from pipeline.rankings.benchmarks import Area, Benchmark, Measure, Unit
from pipeline.rankings.results import ModelName, Parsed
from pipeline.rankings.source import About, SourceError, Wanted, Wanting, edition_of
from pipeline.rankings.sources.catalogue import Catalogue, Fields, no_document, read_object, read_table
from pipeline.rankings.sources.reading import hugging_face_id, midnight, shown, versions, web_link

CHANNEL = "modelsdev"
"""The channel of benchmarks, all of which models.dev repeats from elsewhere."""


def _percent(title: str, area: Area = Area.GENERAL) -> Benchmark:
    return Benchmark(title, area, {"score": Measure("Score", Unit.PERCENT)})


COLLECTED: Mapping[str, Benchmark] = MappingProxyType(
    {
        "modelsdev_aa_coding_agent": Benchmark(
            "Artificial Analysis Coding Agent Index", Area.AGENTS, {"score": Measure("Index", Unit.INDEX)}
        ),
        "modelsdev_charxiv": _percent("CharXiv Reasoning"),
        "modelsdev_claw_eval": _percent("Claw-eval", Area.AGENTS),
        "modelsdev_cti_realm": _percent("CTI-REALM"),
        "modelsdev_gpqa_diamond": _percent("GPQA Diamond"),
        "modelsdev_humanitys_last_exam": _percent("Humanity's Last Exam"),
        "modelsdev_livecodebench_pro": _percent("LiveCodeBench Pro", Area.CODING),
        "modelsdev_long_context_reasoning": _percent("Long Context Reasoning"),
        "modelsdev_mrcr": _percent("MRCRv2"),
        "modelsdev_nl2repo": _percent("NL2Repo", Area.CODING),
        "modelsdev_scicode": _percent("SciCode", Area.CODING),
        "modelsdev_swe_atlas_qna": _percent("SWE-Atlas Codebase QnA", Area.CODING),
        "modelsdev_swe_atlas_refactoring": _percent("SWE-Atlas Refactoring", Area.CODING),
        "modelsdev_swe_atlas_tests": _percent("SWE-Atlas Test Writing", Area.CODING),
        "modelsdev_swebench_multilingual": _percent("SWE-bench Multilingual", Area.AGENTS),
        "modelsdev_swebench_pro": _percent("SWE-bench Pro", Area.AGENTS),
        "modelsdev_tau3_banking": _percent("τ³-bench Banking", Area.AGENTS),
        "modelsdev_terminal_bench": _percent("Terminal-Bench", Area.AGENTS),
        "modelsdev_terminal_bench_hard": _percent("Terminal-Bench Hard", Area.AGENTS),
    }
)
"""Benchmarks that models.dev adds to the vocabulary."""

_BENCHMARKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "aider polyglot": ("aider_polyglot", "pass_rate_2"),
        "artificial analysis coding index": ("artificial_analysis", "coding_index"),
        "artificial analysis coding agent index": ("modelsdev_aa_coding_agent", "score"),
        "charxiv reasoning": ("modelsdev_charxiv", "score"),
        "claw eval": ("modelsdev_claw_eval", "score"),
        "cti realm": ("modelsdev_cti_realm", "score"),
        "gpqa diamond": ("modelsdev_gpqa_diamond", "score"),
        "humanity s last exam": ("modelsdev_humanitys_last_exam", "score"),
        "livecodebench": ("livecodebench", "pass_at_1"),
        "livecodebench pro": ("modelsdev_livecodebench_pro", "score"),
        "long context reasoning": ("modelsdev_long_context_reasoning", "score"),
        "mrcrv2": ("modelsdev_mrcr", "score"),
        "nl2repo": ("modelsdev_nl2repo", "score"),
        "scicode": ("modelsdev_scicode", "score"),
        "swe atlas codebase qna": ("modelsdev_swe_atlas_qna", "score"),
        "swe atlas refactoring": ("modelsdev_swe_atlas_refactoring", "score"),
        "swe atlas test writing": ("modelsdev_swe_atlas_tests", "score"),
        "swe bench multilingual": ("modelsdev_swebench_multilingual", "score"),
        "swe bench pro": ("modelsdev_swebench_pro", "score"),
        "swe bench verified": ("swebench_verified", "resolved"),
        "τ3 banking": ("modelsdev_tau3_banking", "score"),
        "terminal bench": ("modelsdev_terminal_bench", "score"),
        "terminal bench hard": ("modelsdev_terminal_bench_hard", "score"),
    }
)
_VERSIONED = "terminal bench "
_BOARDS = ("aider.chat", "artificialanalysis.ai", "labs.scale.com", "openrouter.ai", "www.swebench.com")
_PRICES = {"input": "input", "output": "output", "cache_read": "cache_read"}
_LIMITS = {"context_length": "context", "max_output": "output"}
_DEAREST = 1e6
_LONGEST = 1e10
_CATALOGUE, _PROVIDERS = "catalog", "api"
_PROVIDER_TABLE, _BENCHMARK_TABLE = "provider_models", "model_benchmarks"


@dataclass(frozen=True)
class ModelsDev:
    """The catalogue.

    Parameters
    ----------
    url : str
        Of providers and models in one document.
    """

    url: str = "https://models.dev/catalog.json"

    @property
    def about(self) -> About:
        """What is said of it."""
        return About(
            name="modelsdev",
            title="models.dev",
            home="https://models.dev",
            licence="MIT",
            attribution="Prices, limits and aliases: models.dev, MIT",
            days=1,
            edition=edition_of(self, "url"),
        )

    def wanted(self) -> Wanting:
        """The one document."""
        yield Wanted(f"modelsdev_{_CATALOGUE}.json", self.url, content_types=("application/json",))

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        """Read the newest catalogue; without one the newest list of providers; without either the flattened tables.

        Raises
        ------
        SourceError
            If there is none of them, or one is not what it should be.
        """
        catalogue = Catalogue()
        for read in (self._read_catalogue, self._read_providers, self._read_tables):
            facts = read(catalogue, documents)
            if facts:
                return catalogue.parsed(sorted(documents), updated_at=_newest_release(catalogue), facts=facts)
        raise no_document(
            f"{_CATALOGUE}.json, {_PROVIDERS}.json, {_PROVIDER_TABLE}.csv or {_BENCHMARK_TABLE}.csv", documents
        )

    def _read_catalogue(self, catalogue: Catalogue, documents: Mapping[str, bytes]) -> dict[str, str]:
        found = versions(documents, _CATALOGUE, "json")
        if not found:
            return {}
        document = found[-1]
        both = read_object(document, documents[document])
        for part in ("models", "providers"):
            if not isinstance(both.get(part), dict):
                raise SourceError(f"{document}: should have an object {part!r}; it has {shown(list(both))}")
        for key, each in both["models"].items():
            _gather_model(catalogue, document, key, each)
        return {"document": document, "models": str(len(both["models"]))} | _gather_providers(
            catalogue, document, both["providers"]
        )

    def _read_providers(self, catalogue: Catalogue, documents: Mapping[str, bytes]) -> dict[str, str]:
        found = versions(documents, _PROVIDERS, "json")
        if not found:
            return {}
        document = found[-1]
        return {"document": document} | _gather_providers(
            catalogue, document, read_object(document, documents[document])
        )

    def _read_tables(self, catalogue: Catalogue, documents: Mapping[str, bytes]) -> dict[str, str]:
        facts = {}
        for document in versions(documents, _BENCHMARK_TABLE, "csv")[-1:]:
            rows = read_table(catalogue, document, documents[document], ("model", "name", "score", "source"))
            for row in rows:
                raw_name = row.text("model")
                name = ModelName(raw_name, organisation=_owner(raw_name), models_dev_id=raw_name)
                if catalogue.takes(row, name):
                    _gather_benchmark(catalogue, row, raw_name)
            facts["benchmarks"] = f"{len(rows)} of {document}"
        for document in versions(documents, _PROVIDER_TABLE, "csv")[-1:]:
            rows = read_table(catalogue, document, documents[document], ("provider", "model_id", "cost_input"))
            for row in rows:
                _gather_served(catalogue, row, row.text("provider"), row.text("model_id"), _nested(row))
            facts["models at providers"] = f"{len(rows)} of {document}"
        return facts


def _newest_release(catalogue: Catalogue) -> datetime | None:
    """The day of the newest model that it lists: it was changed then or later."""
    return midnight(max((one.released_on for one in catalogue.names.values() if one.released_on), default=None))


def _nested(row: Fields) -> Fields:
    """A flattened row as the catalogue has it; cells that are empty are not there."""
    values = {key: value for key, value in row.values.items() if value != ""}
    cost = {measure: values[f"cost_{measure}"] for measure in _PRICES if f"cost_{measure}" in values}
    limit = {"context": values["context"]} if "context" in values else {}
    return replace(row, values={**values, "cost": cost, "limit": limit})


def _gather_providers(catalogue: Catalogue, document: str, providers: Mapping[str, Any]) -> dict[str, str]:
    served = 0
    for provider, each in providers.items():
        row = catalogue.row(document, provider, each)
        models = row.inner("models") if row else None
        if row and not row.holds("models"):
            row.refuse("models", "there are none")
        for key, model in models.values.items() if models else ():
            model_row = catalogue.row(document, f"{provider}, {key}", model)
            if model_row:
                served += 1
                _gather_served(catalogue, model_row, provider, key, model_row)
    return {"providers": str(len(providers)), "models at providers": str(served)}


def _gather_served(catalogue: Catalogue, row: Fields, provider: str, key: str, model: Fields) -> None:
    if not provider or not key:
        row.refuse("", "names no provider or no model")
        return
    raw_name = f"{provider}:{key}"
    base = model.text("base_model") or model.text("canonical_model_id")
    name = _model_name(model, base)
    own = ModelName(
        raw_name,
        title=name.title,
        organisation=name.organisation,
        hugging_face_id=hugging_face_id(key) if provider == "huggingface" else "",
        openrouter_id=key.partition(":")[0] if provider == "openrouter" else "",
        models_dev_id=base,
        others=(key,),
        family=name.family,
        released_on=name.released_on,
        open_weights=name.open_weights,
    )
    if not catalogue.add_name(row, own):
        return
    cost, limit = model.inner("cost"), model.inner("limit")
    flags = tuple(_flags(model, cost))
    is_unpriced = cost.values.get("input") in (0, "0", "0.0")
    for measure, key_of_price in _PRICES.items():
        # Where input costs, a zero for output is one: models that embed write nothing.
        price = cost.figure(key_of_price, most=_DEAREST, zero_is_missing=is_unpriced)
        catalogue.add(row, raw_name, "price", measure, price, flags=flags)
    for measure, key_of_limit in _LIMITS.items():
        tokens = limit.figure(key_of_limit, most=_LONGEST, zero_is_missing=True)
        catalogue.add(row, raw_name, "context", measure, tokens, flags=flags)


def _flags(model: Fields, cost: Fields) -> Iterator[str]:
    status = model.text("status")
    if status:
        yield status
    if model.holds("tiers") or cost.holds("tiers") or cost.holds("context_over_200k"):
        yield "tiered"


def _owner(model_id: str) -> str:
    return model_id.partition("/")[0] if "/" in model_id else ""


def _model_name(row: Fields, model_id: str) -> ModelName:
    return ModelName(
        model_id,
        title=row.text("name"),
        organisation=_owner(model_id),
        models_dev_id=model_id,
        family=row.text("family"),
        released_on=row.day("release_date"),
        open_weights=row.boolean("open_weights"),
    )


def _gather_model(catalogue: Catalogue, document: str, key: str, each: object) -> None:
    row = catalogue.row(document, key, each)
    if row is None:
        return
    links = (hugging_face_id(weights.text("url")) for weights in row.rows("weights"))
    name = replace(_model_name(row, key), hugging_face_id=next(filter(None, links), ""))
    if not catalogue.add_name(row, name):
        return
    for benchmark in row.rows("benchmarks"):
        _gather_benchmark(catalogue, benchmark, key)


def _gather_benchmark(catalogue: Catalogue, row: Fields, raw_name: str) -> None:
    title, version = row.text("name"), row.text("version")
    spelling = " ".join(title.casefold().replace("-", " ").replace("’", " ").replace("'", " ").split())
    if spelling.startswith(_VERSIONED) and spelling[len(_VERSIONED) :].replace(".", "").isdigit():
        spelling, version = _VERSIONED.strip(), version or spelling[len(_VERSIONED) :]
    if spelling not in _BENCHMARKS:
        row.refuse("name", f"{shown(title)} is no benchmark that is read; known: {', '.join(_BENCHMARKS)}")
        return
    benchmark, measure = _BENCHMARKS[spelling]
    harness, url = row.text("harness"), web_link(row.values.get("source"))
    parts = {"version": version, "dataset": row.text("dataset"), "harness": harness, "variant": row.text("variant")}
    flags = ("agent_system",) if harness else ()
    catalogue.add(
        row,
        raw_name,
        benchmark,
        measure,
        row.figure("score", most=100),
        config=", ".join(f"{part} {value}" for part, value in parts.items() if value),
        channel=CHANNEL,
        measured_on=row.day("date"),
        url=url,
        flags=flags if _host(url) in _BOARDS else (*flags, "self_reported"),
    )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
