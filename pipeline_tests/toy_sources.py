"""Sources of a small ranking: a publisher's lists of models, one benchmark each, as tests write them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from pipeline.rankings import About, ModelName, Parsed, Result, SourceError, Wanted, Wanting

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Listed:
    """A list of models with what one benchmark says of them.

    Parameters
    ----------
    name, benchmark : str
    url : str
    needs : str
    is_frozen : bool
    changed_on : date, optional
    """

    name: str = "arena"
    benchmark: str = "humaneval_plus"
    url: str = "https://arena.test/list.json"
    needs: str = ""
    is_frozen: bool = False
    changed_on: date | None = None
    flags: ClassVar[Mapping[str, str]] = {"guessed": "the publisher guessed it"}

    @property
    def about(self) -> About:
        return About(
            self.name,
            self.name.title(),
            "https://arena.test",
            licence="MIT",
            is_frozen=self.is_frozen,
            days=1,
            needs=self.needs,
            changed_on=self.changed_on,
        )

    def wanted(self) -> Wanting:
        secrets = {"x-api-key": self.needs} if self.needs else {}
        yield Wanted("list.json", self.url, header_settings=secrets)

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        try:
            listed = json.loads(documents["list.json"])
            rows = listed["models"]
        except (ValueError, KeyError) as error:
            raise SourceError("list.json has no list of models") from error
        results = [Result(row["name"], self.benchmark, "pass_at_1", float(row["score"])) for row in rows]
        names = [
            ModelName(
                row["name"],
                title=row.get("title", ""),
                organisation="acme",
                hugging_face_id=row.get("link", ""),
                open_weights=True,
            )
            for row in rows
        ]
        said = listed.get("updated_at")
        updated_at = datetime.fromisoformat(said) if said else None
        return Parsed(tuple(results), tuple(names), updated_at, listed.get("version", ""))


class Mine(Listed):
    """The same, whose code fails at models that are called broken."""

    def parse(self, documents: Mapping[str, bytes]) -> Parsed:
        if b"broken" in documents["list.json"]:
            raise ZeroDivisionError("division by zero")
        return super().parse(documents)


def listed(models: Mapping[str, float] | Sequence[tuple[str, float]], version: str = "", **more: Any) -> bytes:
    """A list as the publisher sends it; names with a maker are links, too.

    Parameters
    ----------
    models : mapping of str to float
        Percentages by name.
    version : str
    """
    rows = [
        {"name": name, "score": score, **({"link": name} if "/" in name else {})}
        for name, score in dict(models).items()
    ]
    return json.dumps({"models": rows, "version": version, "made_on": date(2026, 1, 1).isoformat(), **more}).encode()
