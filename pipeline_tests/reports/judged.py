"""A published judged track, as small as it can be and tell: names that mean something in HTML and in addresses."""

import warnings
from pathlib import Path

from dagster_shared.utils.warnings import BetaWarning

from pipeline_tests.reports.served import files_in
from pipeline_tests.track_graph import NAME, TrackGraph, track, write_run

MARKUP, PLAIN, SLASH, LACKING = "<b>best&", "second", "team/third", "last"
"""Runs, the best first; the last one lacks a topic."""
JUDGE = "umbrela"
TOPICS = [str(number) for number in (1, 2, 10, 11, 12, 13, 14, 15, 16, 17)]
REFUSED = "broken<i>.eval"
LEVELS = {MARKUP: 0.8, PLAIN: 0.6, SLASH: 0.59, LACKING: 0.1}
JUDGED = {MARKUP: 0.7, PLAIN: 0.9, SLASH: 0.5, LACKING: 0.2}
"""What the judge makes of them: the first two change places."""


def publish_track(folder: Path) -> str:
    """Judge the track in the warehouse of a folder, and publish it; returns its name."""
    graph = TrackGraph(folder, track(title="A <track>", correlations={"methods": ["kendall", "tau_ap_b"]}))
    for number, run in enumerate(LEVELS):
        topics = TOPICS[:-1] if run == LACKING else TOPICS
        _write(graph.official, run, {topic: _value(LEVELS[run], number, at) for at, topic in enumerate(topics)})
        _write(graph.judge(), run, {topic: _value(JUDGED[run], number, at) for at, topic in enumerate(topics)})
    (graph.judge() / REFUSED).write_text("two <columns>\n", encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BetaWarning)
        graph.run()
    files_in(folder).publish()
    return NAME


def _write(folder: Path, run: str, values: dict[str, float]) -> None:
    """A run with two measures, of which the second has the opposite order."""
    path = write_run(folder, run.replace("/", "-"), {topic: [value] for topic, value in values.items()})
    text = path.read_text(encoding="utf-8").replace(run.replace("/", "-"), run)
    precision = "".join(f"P_10\t{topic}\t{1 - value:.4f}\n" for topic, value in values.items())
    path.write_text(text + precision, encoding="utf-8")


def _value(level: float, run: int, topic: int) -> float:
    """Near the level of the run, and on every topic another distance from it."""
    return round(level + 0.01 * ((3 * topic + 5 * run) % 7 - 3), 4)
