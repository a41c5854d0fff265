"""What the tests of the documents share."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_IN_THE_TREE = re.compile(
    r"`((?:Task\d|benchmarks|dags|demo|docker|docs|include|k8s|plugins|tests)\b[^` ]*)`"
)
_LINK = re.compile(r"\]\((?!http)([^)#]+)")


def dead_ends(text: str, folder: Path) -> list[str]:
    """The links of a document in `folder`, and paths of this repository in its text, that lead nowhere."""
    places = {target: folder / target for target in _LINK.findall(text)}
    places |= {path: ROOT / path for path in _IN_THE_TREE.findall(text)}
    return [name for name, place in places.items() if not place.exists()]
