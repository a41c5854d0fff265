"""The page of deliverables as people use it, in a real headless Chromium inside a real Airflow."""

import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from tests.dags.jobs import DAG
from tests.deliverables_page import BEFORE, DAY, publish

pytestmark = [pytest.mark.airflow, pytest.mark.browser]

DATASET = "seen_in_a_browser"
RUN = "manual__2026-11-21T03:00:00+00:00"
LISTS = {f"C{number:04}_{DAY}.csv": f"sku;price\r\n{number};1,10\r\n".encode() for number in range(12)}
PAGES = ("", f"{DATASET}/", f"{DATASET}/{DAY}/", f"{DATASET}/{DAY}/check/")

# Of every text that is seen: its contrast with what is behind it, where that is less than WCAG's AA asks for.
PALE = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (color) => {
    const [r, g, b] = color.map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const color = rgb(getComputedStyle(element).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  let seen = 0;
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest("svg")) continue;
    seen += 1;
    const style = getComputedStyle(element);
    const pair = [light(rgb(style.color)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) found.push(`${element.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return { seen, found };
}"""


@pytest.fixture(scope="module")
def airflow(jobs):
    """The address of an Airflow with two days of a dataset."""
    root = Path(jobs.stack.published)
    publish(root, DATASET, BEFORE, files={"index.csv": b"code\nA\n"})
    held = [{"name": 'B2B/"7"<i>\\', "reason": "3 prices are zero"}]
    released = [{"name": "B2B-0002", "reason": "× 100", "by": "an operator"}]
    publish(root, DATASET, files=LISTS, held=held, released=released, run={"dag": DAG, "id": RUN})
    yield jobs.stack.url
    shutil.rmtree(root / DATASET)


@pytest.fixture
def opened(chromium, airflow):
    """Opens a page in a browser of its own; a message in the browser's console fails the test."""
    contexts, complaints = [], []

    def note(message):
        # What Chromium thinks of Airflow's own frame and requests is not the page's.
        own = not re.search("/(api|ui)/", message.location["url"]) and "sandboxing" not in message.text
        if own and message.type in ("error", "warning"):
            complaints.append(message.text)

    def open_page(path, *, width=1280, **options):
        context = chromium.new_context(
            viewport={"width": width, "height": 800}, **({"locale": "en-GB"} | options)
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", note)
        page.goto(f"{airflow}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def test_from_airflows_navigation_to_a_file(opened, airflow):
    page = opened("/")
    page.get_by_role("link", name="Deliverables").click()
    inside = page.frame_locator("iframe")
    inside.get_by_role("heading", name="Deliverables", level=1).wait_for()
    icon = page.get_by_role("link", name="Deliverables").locator("img")
    assert icon.evaluate("image => image.complete && image.naturalWidth") > 0
    inside.get_by_role("link", name=DATASET).click()
    inside.get_by_role("row").filter(has_text="1 released").get_by_role(
        "link", name="21 Nov 2026", exact=True
    ).click()
    inside.get_by_role("heading", name="21 Nov 2026", level=1).wait_for()
    page.wait_for_url(f"{airflow}/plugin/deliverables/deliverables/{DATASET}/{DAY}/")
    assert inside.get_by_role("rowheader", name='B2B/"7"<i>\\').is_visible()

    name = f"C0007_{DAY}.csv"
    with page.expect_download() as download:
        inside.get_by_role("link", name=f"Download {name}").click()
    assert download.value.suggested_filename == name
    assert download.value.path().read_bytes() == LISTS[name]


def test_a_page_can_be_opened_again_by_its_address(opened):
    page = opened(f"/plugin/deliverables/deliverables/{DATASET}/{DAY}/?lang=ru")
    inside = page.frame_locator("iframe")
    inside.get_by_role("heading", name="21 ноя 2026", level=1).wait_for()
    inside.get_by_role("link", name=DATASET).click()
    inside.get_by_role("heading", name=DATASET, level=1).wait_for()
    page.go_back()
    inside.get_by_role("heading", name="21 ноя 2026", level=1).wait_for()
    assert f"{DATASET}/{DAY}" in page.url


def test_a_check_is_asked_for_and_its_outcome_is_told(opened):
    page = opened(f"/plugin/deliverables/deliverables/{DATASET}/{DAY}/")
    inside = page.frame_locator("iframe")
    inside.get_by_role("button", name="Check now").click()
    inside.get_by_role("status").get_by_text("All as described. Files: 12").wait_for()


def test_a_run_opens_in_airflow_itself(opened, airflow):
    page = opened(f"/plugin/deliverables/deliverables/{DATASET}/")
    page.frame_locator("iframe").get_by_role("link", name="Open the run of 21 Nov 2026").click()
    page.wait_for_url(re.compile(rf"{airflow}/dags/{DAG}/runs/manual__2026-11-21T03"))
    assert not page.locator("iframe").count()


@pytest.mark.parametrize("inside_airflow", [True, False])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_a_phone(opened, path, inside_airflow):
    prefix = "/plugin/deliverables/deliverables/" if inside_airflow else "/deliverables/"
    page = opened(prefix + path, width=360, locale="ru-RU")
    frame = page.locator("iframe").element_handle().content_frame() if inside_airflow else page.main_frame
    frame.get_by_role("heading", level=1).wait_for()
    wide = """() => [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility() &&
        element.getBoundingClientRect().right > innerWidth + 0.5).map((element) => element.outerHTML)"""
    assert frame.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert frame.evaluate(wide) == []
    if path:
        # A row has become a card, and still is a row to a screen reader.
        assert frame.get_by_role("rowheader").first.is_visible()
        cell = frame.get_by_role("cell").first
        assert cell.evaluate("cell => getComputedStyle(cell, '::before').content").startswith('"Состояние"')


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_has_enough_contrast(opened, theme):
    for path in PAGES:
        page = opened(f"/deliverables/{path}", color_scheme=theme)
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 29, 45)"}[theme]
        pale = page.evaluate(PALE)
        assert pale["seen"] > 10
        assert pale["found"] == []


def test_the_theme_of_airflow_is_followed_when_it_is_changed(opened):
    page = opened(f"/plugin/deliverables/deliverables/{DATASET}/", color_scheme="light")
    frame = page.locator("iframe").element_handle().content_frame()
    frame.get_by_role("table").wait_for()
    page.evaluate("localStorage.setItem('theme', 'dark')")
    frame.wait_for_function("getComputedStyle(document.body).backgroundColor === 'rgb(22, 29, 45)'")
    frame.get_by_role("link", name="21 Nov 2026", exact=True).click()
    frame.get_by_role("heading", name="21 Nov 2026").wait_for()
    assert frame.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 29, 45)"


def test_the_language_of_airflow_is_followed_unless_another_was_chosen(opened):
    page = opened("/plugin/deliverables")
    inside = page.frame_locator("iframe")
    inside.get_by_role("heading", name="Deliverables", level=1).wait_for()
    page.evaluate("localStorage.setItem('i18nextLng', 'ru')")
    inside.get_by_role("heading", name="Результаты", level=1).wait_for()
    page.reload()
    inside.get_by_role("heading", name="Результаты", level=1).wait_for()
    inside.get_by_role("link", name="English").click()
    inside.get_by_role("heading", name="Deliverables", level=1).wait_for()
    inside.get_by_role("link", name=DATASET).click()
    inside.get_by_role("columnheader", name="Published").wait_for()
    assert inside.get_by_role("link", name="English").get_attribute("aria-current") == "true"


def test_a_browser_in_russian_is_answered_in_russian(opened):
    page = opened(f"/deliverables/{DATASET}/{DAY}/", locale="ru-RU")
    assert page.locator("html").get_attribute("lang") == "ru"
    assert page.get_by_role("button", name="Проверить").is_visible()
    assert page.get_by_role("link", name="Русский").get_attribute("aria-current") == "true"


def focused(page):
    """What has the focus, as read aloud, whether it is seen on the page and marked as focused."""
    return page.evaluate("""() => {
      const element = document.activeElement;
      const box = element.getBoundingClientRect();
      return [
        element.getAttribute("aria-label") || element.textContent.trim() || element.id,
        box.width > 0 && box.left >= 0 && getComputedStyle(element).outlineStyle === "solid",
      ];
    }""")


def test_all_of_it_works_from_the_keyboard(opened, airflow):
    page = opened(f"/deliverables/{DATASET}/{DAY}/")
    stops = []
    for _ in range(7):
        page.keyboard.press("Tab")
        stops.append(focused(page))
    assert [name for name, _ in stops] == [
        "Skip to content",
        "Deliverables",
        DATASET,
        "English",
        "Русский",
        "Open the run",
        "Check now",
    ]
    assert all(seen for _, seen in stops)
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("All as described").wait_for()

    page.goto(f"{airflow}/deliverables/{DATASET}/{DAY}/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Tab")
    # The run, the check, the name to find, its button; past the header.
    assert focused(page) == ["Find", True]
    page.get_by_label("Find a file").press_sequentially("0003")
    page.keyboard.press("Enter")
    page.get_by_text("Files: 1 of 12").wait_for()
    page.get_by_role("link", name=f"Download C0003_{DAY}.csv").focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.path().read_bytes() == LISTS[f"C0003_{DAY}.csv"]


def test_the_pages_parts_are_named_for_those_who_do_not_see_them(opened):
    page = opened(f"/deliverables/{DATASET}/")
    for role in ("banner", "main"):
        assert page.get_by_role(role).count() == 1
    assert page.get_by_role("navigation", name="Language").count() == 1
    assert page.get_by_role("navigation", name="You are here").count() == 1
    assert page.get_by_role("columnheader").count() == 9
    assert page.get_by_role("rowheader").count() == 2
    assert "from 1 to 12 rows" in page.get_by_role("img").get_attribute("aria-label").replace("\xa0", " ")
    levels = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3')].map((each) => Number(each.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
