"""`make evidence`: the documents' pictures, taken from a real run in a real, headless Chromium.

Needs the `browser` dependency group and a Chromium on the machine (Debian: the package `chromium`).
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from demo.errors import DemoError, run_as
from demo.jobs import runs
from demo.show import perform
from demo.stack import PROJECT, Stack

PICTURES = PROJECT / "docs"


def chromium() -> str:
    """The path of the machine's Chromium. Raises DemoError when there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise DemoError("no Chromium found: install one (Debian, Ubuntu: apt install chromium)")


@contextmanager
def tab(width: int, height: int) -> Iterator[Page]:
    """A page of a headless Chromium, of this size in pixels."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": width, "height": height}, locale="en-GB")
        browser.close()


def _graph(page: Page, url: str, picture: Path) -> None:
    page.goto(url)
    page.get_by_label("Show Graph").first.click()
    page.wait_for_selector(".react-flow__node", timeout=60_000)
    page.add_style_tag(content=".react-flow__minimap { display: none }")
    # The tasks' states come after their boxes.
    page.wait_for_timeout(3000)
    page.get_by_label("Collapse Details Panel").click()
    page.wait_for_timeout(1000)
    page.get_by_label("Fit View").click()
    page.wait_for_timeout(1500)
    page.screenshot(path=picture)


def _deliverables(page: Page, url: str, picture: Path) -> None:
    page.goto(f"{url}/plugin/deliverables")
    page.frame_locator("iframe").get_by_role("heading", name="Deliverables", level=1).wait_for()
    page.wait_for_timeout(2000)
    page.screenshot(path=picture)


def main() -> int:
    """Run the jobs; picture a run over its threshold, one with held lists, and what was delivered."""
    PICTURES.mkdir(exist_ok=True)
    with Stack(PROJECT / ".local", tell=print) as stack:
        outcomes = perform(stack, runs(stack.day), print)
        if problems := [problem for outcome in outcomes for problem in outcome.problems]:
            raise DemoError("; ".join(problems))
        with tab(1280, 430) as page:
            for outcome, picture in (
                (outcomes[0], "run-over-threshold.png"),
                (outcomes[-1], "run-with-held-lists.png"),
            ):
                _graph(page, f"{stack.url}/dags/{outcome.job}/runs/{outcome.run_id}", PICTURES / picture)
            page.set_viewport_size({"width": 1280, "height": 560})
            _deliverables(page, stack.url, PICTURES / "deliverables.png")
    return 0


if __name__ == "__main__":
    run_as("evidence", main)
