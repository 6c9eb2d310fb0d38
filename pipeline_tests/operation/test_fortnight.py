"""A fortnight of a live contest, through the inbox, day by day, in which all goes wrong that can.

At its end the boards are those of a warehouse made from scratch out of what was kept, table by table.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.landing import inbox
from pipeline.tables import FILES, LEADERBOARD, MODEL_VERSIONS, MODELS, QUARANTINE, SNAPSHOTS, SUBMISSIONS, TRUTH
from pipeline_tests.components.inbox_contest import SUBJECTS, InboxContest
from pipeline_tests.operation.contest import bring, rebuilt
from pipeline_tests.stories import seeds
from pipeline_tests.toy_contest import ToyContest
from pipeline_tests.toy_graph import assert_same_tables

FIRST = datetime(2026, 3, 2)
DAYS = 14
HOUR = timedelta(hours=1)
NOON, EVENING = 12 * HOUR, 20 * HOUR
"""The deadline of a day's predictions, and when its outcomes come in on the next."""
JOINS, LEAVES = 5, 8
WITHHELD, RESOLVED = 6, 10
"""A day whose outcomes come days later."""
DECLARED = {
    "predictions": {"source": "inbox", "deadline": "12h"},
    "truth": {"source": "inbox", "known_at": "arrival"},
    "metrics": ["ic", "ic_sharpe", "turnover", "hit_rate", "contribution"],
    "windows": {"week": {"cycles": 7}, "all": {}},
    "ensembles": [{"name": "main", "strategy": "inverse_variance", "min_history": 2, "window": 5}],
    "leaderboard": {"rank_by": "all.ic", "tie_breakers": ["week.ic"], "inactive_after": 3},
}
BROKEN: list[tuple[str, str | bytes, str]] = [
    ("predictions", b"\x00\x01\xff\xfe" * 50, "unreadable"),
    ("predictions", "who,what\na,1\n", "unreadable"),
    ("predictions", "", "unreadable"),
    ("truth", "subject,value\n01,1\n", "rejected"),
    ("predictions", "model_id,cycle,subject,value\na,yesterday,01,1\n", "rejected"),
    ("predictions", "model_id,cycle,subject,value\na,2026-03-02,01,much\na,2026-03-02,nobody,\n", "rejected"),
    ("truth", "cycle,subject,value\n2026-03-02,01,inf\n", "rejected"),
]
"""Files that say nothing that can be used, and what becomes of them."""


@dataclass
class Season:
    """The contest, and its clock: files arrive when it says.

    Parameters
    ----------
    contest : InboxContest
    seed : int
    """

    contest: InboxContest
    seed: int
    now: datetime = FIRST
    arrivals: dict[int, datetime] = field(default_factory=dict)
    n_files: int = 0
    broken: dict[str, str] = field(default_factory=dict)

    def at(self, day: int, offset: timedelta) -> None:
        self.now = FIRST + timedelta(days=day) + offset

    def drop(self, folder: str, content: pd.DataFrame | str | bytes) -> str:
        """Let a file arrive now; its name."""
        name = f"{self.n_files:03}.csv"
        path = self.contest.drop(folder, content if isinstance(content, pd.DataFrame) else "", name)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content)
        self.n_files += 1
        self.arrivals[path.stat().st_ino] = self.now
        self.now += timedelta(seconds=1)
        return name

    def predicts(self, model: str, day: int, again: int = 0) -> None:
        noise = np.random.default_rng([self.seed, day, again, *model.encode()]).normal(size=len(SUBJECTS))
        signal = self.outcomes(day) + (1.0 + "abcde".find(model[0])) * noise
        self.drop("predictions", self._rows(day, signal).assign(model_id=model))

    def resolves(self, day: int, **revised: float) -> None:
        values = self.outcomes(day) + pd.Series(revised).reindex(SUBJECTS).fillna(0).to_numpy()
        self.drop("truth", self._rows(day, values))

    def outcomes(self, day: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        return np.random.default_rng([self.seed, day]).normal(size=len(SUBJECTS))

    def breaks(self, day: int) -> None:
        """A file that nobody can use; every day another one."""
        folder, content, status = BROKEN[(day + self.seed) % len(BROKEN)]
        if isinstance(content, str) and content:
            content = content.rstrip("\n") + "\n" * (day // len(BROKEN) + 1)  # the second week's is another file
        elif content:
            content = content + bytes([day])
        else:
            content = "\n" * (day // len(BROKEN))
        self.broken[self.drop(folder, content)] = status

    def morning(self, day: int) -> None:
        """Predictions: some join, leave, are absent, come again, or come late."""
        self.at(day, 9 * HOUR)
        for model in self.models(day):
            self.predicts(model, day)
        if day in (3, 7):
            self.at(day, 11 * HOUR)
            self.predicts("a", day, again=1)  # a correction in time
        self.at(day, 11.5 * HOUR)
        self.breaks(day)
        if day == 6:
            self.at(day, NOON + HOUR)
            self.predicts("b", day, again=1)  # a correction that comes too late
        if day in (2, 11):
            self.at(day, NOON + 2 * HOUR)
            self.predicts("d", day)  # late, and nothing before

    def models(self, day: int) -> list[str]:
        there = {
            "a": True,
            "b": True,
            "c": day not in (4, 9),
            "d": day not in (2, 11),
            "e": day >= JOINS,
            "leaver": day <= LEAVES,
        }
        return [model for model, is_there in there.items() if is_there]

    def evening(self, day: int) -> None:
        """Outcomes of the day before; some are late, some are revised or withdrawn."""
        self.at(day, EVENING)
        if day and day - 1 != WITHHELD:
            self.resolves(day - 1)
        if day == RESOLVED:
            self.resolves(WITHHELD)
        if day == 9:
            self.resolves(4, **{"01": 2.0, "05": -1.0})
        if day == 12:
            self.resolves(4, **{"01": 0.5, "05": -1.0})
            withdrawn = self._rows(7, self.outcomes(7)).assign(value=None)
            self.drop("truth", withdrawn.iloc[[2]])
        if day in (0, 7):
            self.drop("models", f"model_id,title,version\nb,The second model,{1 + day // 7}\n")

    def _rows(self, day: int, values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> pd.DataFrame:
        return pd.DataFrame({"cycle": FIRST + timedelta(days=day), "subject": SUBJECTS, "value": values})


@pytest.fixture
def begin(toy: ToyContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Season]:
    """A contest on the morning of its first day."""

    def begun(seed: int) -> Season:
        season = Season(InboxContest(tmp_path, DECLARED), seed)
        monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0.0)
        monkeypatch.setattr(inbox, "arrival", lambda found: season.arrivals.get(found.st_ino, season.now))
        return season

    return begun


def boards(contest: InboxContest) -> dict[str, pd.DataFrame]:
    with contest.graph.open() as store:
        return {spec.name: store.read(spec, "toy") for spec in (SNAPSHOTS, LEADERBOARD)}


def assert_past_stays(before: dict[str, pd.DataFrame], after: dict[str, pd.DataFrame], moment: datetime) -> None:
    for name, rows in before.items():
        overall = [one[(one["as_of"] < moment) & (one["category"] == "overall")] for one in (rows, after[name])]
        pd.testing.assert_frame_equal(*[one.reset_index(drop=True) for one in overall], check_exact=True, obj=name)


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds())
def test_whatever_happens_in_a_fortnight_its_boards_are_those_of_a_warehouse_made_from_scratch(
    begin: Callable[[int], Season], seed: int
) -> None:
    season = begin(seed)
    contest = season.contest
    before = boards(contest)
    for day in range(DAYS):
        season.morning(day)
        if day % 3 == 1:  # on other days all is landed in the evening, at once
            bring(contest)
        season.evening(day)
        bring(contest)
        after = boards(contest)
        assert_past_stays(before, after, FIRST + timedelta(days=day))
        before = after

    tables = contest.tables()
    bring(contest)
    assert_same_tables(contest.tables(), tables)  # nothing new changes nothing

    files, submissions = contest.table(FILES), contest.table(SUBMISSIONS)
    assert len(files) == season.n_files
    assert (files["n_rows"] == files["n_accepted"] + files["n_rejected"]).all()
    refused = files[files["status"] != "accepted"].set_index("name")["status"].str.partition(":")[0]
    assert refused.to_dict() == season.broken
    assert contest.table(QUARANTINE)["reason"].str.len().min() > 10
    late = submissions[submissions["is_late"]]
    assert sorted(zip(late["model_id"], (late["cycle"] - FIRST).dt.days, strict=True)) == [
        ("b", 6),
        ("d", 2),
        ("d", 11),
    ]
    assert len(submissions[submissions["superseded_by"].notna()]) == 3  # two corrections in time, one too late
    assert contest.table(TRUTH).groupby(["subject", "target_time"]).size().max() == 3
    assert set(contest.table(MODEL_VERSIONS).query("model_id == 'b'")["version"]) == {"1", "2"}
    first_seen = contest.table(MODELS).set_index("model_id")["first_seen"]
    assert first_seen["e"] == FIRST + timedelta(days=JOINS)
    board = contest.table(LEADERBOARD)
    newest = board[(board["as_of"] == board["as_of"].max()) & (board["category"] == "overall")].set_index("model_id")
    assert newest.loc["leaver", "status"] == "unranked: inactive"
    assert newest.loc[["a", "b", "c", "d", "e"], "status"].tolist() == ["ranked"] * 5

    report = rebuilt(contest)
    assert report.differing == [], report.differing
    assert report.out_of_date == ()
    assert {one.table for one in report.tables} >= {
        f"competition.{spec.name}" for spec in (FILES, SUBMISSIONS, TRUTH, SNAPSHOTS, LEADERBOARD)
    } | {"competition.ensemble_weights", "competition.member_metrics", "quarantine.rows"}
