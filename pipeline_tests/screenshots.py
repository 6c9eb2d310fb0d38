"""Pictures of the pages for README, out of a running server.

Called as ``python -m pipeline_tests.screenshots [ADDRESS] [NAME ...]``.

Needs the bundled boards published (``podium run``), ``podium serve`` and Chromium; writes
``pipeline/docs/page_*.png``.
"""

import sys
from collections.abc import Collection
from dataclasses import dataclass

from playwright.sync_api import sync_playwright

from pipeline.settings import PROJECT_ROOT
from pipeline_tests.reports.browser.conftest import CHROMIUM, QUIET

FOLDER = PROJECT_ROOT / "pipeline" / "docs"


@dataclass(frozen=True)
class Shot:
    """A page, in the colours and the size that it is shown in."""

    name: str
    path: str
    scheme: str = "light"
    width: int = 1280
    height: int = 800


SHOTS = (
    Shot("board", "/boards/sp500_risk?include_ensembles=true"),
    Shot("model", "/boards/sp500/models/momentum_12_1", "dark", height=1000),
    Shot("compare", "/boards/sp500_risk/compare?models=garch&models=constant&models=last_move"),
    Shot("phone", "/boards/sp500", "dark", 390, 800),
    Shot("rankings", "/rankings", height=900),
    Shot("experiments", "/experiments/reading", width=1400, height=900),
)


def take(address: str, names: Collection[str] = ()) -> None:
    """Take every picture, or those that are named."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for shot in [one for one in SHOTS if not names or one.name in names]:
            size = {"width": shot.width, "height": shot.height}
            page = browser.new_page(color_scheme=shot.scheme, viewport=size)
            answer = page.goto(f"{address}{shot.path}")
            if answer is None or not answer.ok:
                raise SystemExit(f"{shot.path} is not there: publish the bundled competitions first (podium run)")
            page.wait_for_load_state("networkidle")
            page.screenshot(path=FOLDER / f"page_{shot.name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    take(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000", sys.argv[2:])
