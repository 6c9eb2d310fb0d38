"""What the page on the API of experiments shows works, word by word, against a server that runs."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from pipeline.reports.experiments import posting
from pipeline.reports.experiments.declaring import MOST
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline_tests.reports.experiments.asked import Bench
from pipeline_tests.reports.submissions.test_documented import serving

PAGE = (PROJECT_ROOT / "pipeline" / "docs" / "experiments_api.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.slow


@pytest.fixture
def address(bench: Bench) -> Iterator[str]:
    with serving(bench.folder) as found:
        yield found


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_shell_reads_and_writes(bench: Bench, address: str) -> None:
    reading, writing = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    experiments, runs, best, grouped = answers(bench, address, reading)
    assert experiments["total"] == 1
    assert len(runs["items"]) == 5
    assert [entry["rank"] for entry in best["entries"]] == [1, 1, 1]
    assert grouped["group_by"] == "configuration"
    run, cancelled, score, posted = answers(bench, address, writing)
    assert (score["value"], score["is_own"]) == (0.75, True)
    assert (run["status"], cancelled["status"]) == ("pending", "cancelled")
    assert (posted["name"], posted["runs"]["pending"]) == ("sums", 1)


def test_the_limits_are_as_the_page_says() -> None:
    said = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", PAGE.partition("| limit |")[2])}
    assert {posting.MOST_PROMPT, posting.MOST_PARAMS, posting.MOST_INPUT, posting.MOST_METADATA} <= said
    assert {posting.MOST_ASKED, Settings.model_fields["runs_per_minute"].default} <= said
    assert {MOST[name] for name in ("prompts", "models", "configurations", "inputs", "scorers", "runs")} <= said


def answers(bench: Bench, address: str, code: str) -> list[dict[str, object]]:
    key = bench.key("Ann")["Authorization"].removeprefix("Bearer ")
    command = ["sh", "-ec", code.replace("127.0.0.1:8000", address).replace("curl ", "curl -sSf -w '\\n' ")]
    ended = subprocess.run(
        command, cwd=bench.folder, env=os.environ | {"BENCH_KEY": key}, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in ended.stdout.splitlines() if line.strip()]
