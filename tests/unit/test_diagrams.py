"""The documents' diagrams: drawn from the sources that stand beside them, and true to the schedule."""

import re

import pytest

from demo.diagrams import PLANTUML, PROJECT, sources, stamp
from pipelines.schedules import SCHEDULES

SOURCES = sources()
PRICES = SCHEDULES["price_list_export"]
LIMIT = 300_000


def name(path):
    return path.name


def elements(text):
    """What a source draws, without its words: each element and arrow with its names."""
    return re.findall(r"^\s*([A-Z]\w+)\((\w+)(?:, (\w+))?", text, re.MULTILINE)


def test_each_language_has_its_diagrams():
    names = {path.name for path in SOURCES}
    assert {"context.puml", "container.puml"} <= names
    assert {path.replace(".puml", ".ru.puml") for path in names if not path.endswith(".ru.puml")} == {
        path for path in names if path.endswith(".ru.puml")
    }


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_the_drawing_is_that_of_its_source(source):
    drawing = source.with_suffix(".svg").read_text(encoding="utf-8")
    assert stamp(source) in drawing, f"{source.name} was changed and not drawn again: make diagrams"


def test_a_changed_source_is_noticed(tmp_path):
    changed = tmp_path / SOURCES[0].name
    changed.write_text(SOURCES[0].read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert stamp(changed) not in SOURCES[0].with_suffix(".svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_the_drawing_is_small_whole_and_tells_nothing_of_the_machine(source):
    drawing = source.with_suffix(".svg")
    text = drawing.read_text(encoding="utf-8")
    assert drawing.stat().st_size < LIMIT
    assert text.startswith("<svg ")
    assert not re.search(r"Syntax Error|Assumed diagram type|\[From ", text)
    assert not re.search(r"/(work|home|root|tmp|Users|usr)/|file://", text)
    for word in re.findall(r'"([^"$]*)', source.read_text(encoding="utf-8"))[0::2]:
        # Long texts are broken into lines, but no word of one may be missing.
        missing = [part for part in re.split(r"[\s:]+", word) if part and part not in text]
        assert not [part for part in missing if not part.startswith("<U+")], word


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_the_diagram_names_the_times_of_the_schedule(source):
    text = source.read_text(encoding="utf-8")
    minutes = PRICES.at.hour * 60 + PRICES.at.minute + PRICES.deadline_minutes
    assert set(re.findall(r"\b\d\d:\d\d\b", text)) == {
        f"{PRICES.at:%H:%M}",
        f"{minutes // 60:02}:{minutes % 60:02}",
    }
    assert set(re.findall(r"\b[A-Z][a-z]+/[A-Z][a-z]+\b", text)) == {PRICES.timezone}


@pytest.mark.parametrize("source", [path for path in SOURCES if not path.stem.endswith(".ru")], ids=name)
def test_both_languages_draw_the_same(source):
    other = source.with_suffix(".ru.puml")
    assert elements(source.read_text(encoding="utf-8")) == elements(other.read_text(encoding="utf-8"))
    assert elements(source.read_text(encoding="utf-8"))


def test_every_diagram_is_shown_by_a_document():
    for source in SOURCES:
        language = ".ru" if source.stem.endswith(".ru") else ""
        document = (source.parents[1] / f"README{language}.md").read_text(encoding="utf-8")
        assert f"](diagrams/{source.stem}.svg)" in document


def test_the_tool_is_pinned():
    assert re.fullmatch(r"[a-z-]+@\d+(\.\d+)+", PLANTUML)
    assert "make diagrams" in (PROJECT / "Task2" / "README.md").read_text(encoding="utf-8")
