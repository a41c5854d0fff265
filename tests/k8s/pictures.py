"""Task 3's terminal pictures, drawn from Task3/transcript.md: `python -m tests.k8s.pictures`.

Run by hand, after `tests.k8s.transcript`. Needs no cluster: a headless Chromium draws what stands there, long
lines cut, those of errors folded. The `browser` dependency group and a Chromium are needed, as for
`make evidence`.
"""

import html
import re
from pathlib import Path

from demo.errors import DemoError, run_as
from demo.evidence import tab
from tests.k8s.transcript import TRANSCRIPT

FOLDER = TRANSCRIPT.parent
# Picture: title, and what each command in it begins with, after the part of the transcript that it is from.
PICTURES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "run-by-hand.png": (
        "The export, run by hand",
        [
            ("The steps of the README", "create job"),
            ("The steps of the README", "wait"),
            ("The steps of the README", "logs"),
            ("The steps of the README", "exec reader-0 -- extracts verify"),
            ("The steps of the README", "exec reader-0 -- extracts freshness"),
            ("The schedule fires", "get cronjob"),
            ("The schedule fires", "get jobs"),
        ],
    ),
    "failures.png": (
        "What fails, and what is tried again",
        [
            ("Exit code 2 is not tried again", "get pods"),
            ("Exit code 2 is not tried again", "get job"),
            ("Exit code 1 is tried again", "get pods"),
            ("A second run at the same time is turned away", "logs"),
            ("A second run at the same time is turned away", "get pods"),
            ("A pod that is deleted leaves nothing half published", "logs"),
            ("Suspended and forgotten", "exec reader-0 -- extracts freshness"),
        ],
    ),
}
WIDTH = 132
STYLE = """
body { margin: 0; background: #10151c; color: #d6deea; font: 13px/1.45 "Liberation Mono", monospace }
h1 { margin: 0; padding: 8px 16px; background: #1d2733; color: #9fb1c8; font: 13px "Liberation Sans" }
pre { margin: 0; padding: 12px 16px 16px; font: inherit; white-space: pre-wrap; overflow-wrap: anywhere }
b { color: #7ee2a8; font-weight: normal } i { color: #ff9a8a; font-style: normal }
"""


def commands() -> dict[str, list[tuple[str, list[str]]]]:
    """By part of the transcript: each command, and the lines that it answered."""
    found = {}
    for part in TRANSCRIPT.read_text(encoding="utf-8").split("\n## ")[1:]:
        blocks = re.findall(r"```console\n\$ (.*?)\n(.*?)```", part, re.DOTALL)
        found[part.splitlines()[0]] = [(command, answer.splitlines()) for command, answer in blocks]
    return found


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def page(title: str, wanted: list[tuple[str, str]]) -> str:
    """The HTML of a picture. Raises DemoError when the transcript lacks a command."""
    there, lines = commands(), []
    for part, begins in wanted:
        # The last of its kind: how a thing ended.
        of_kind = [
            one
            for one in there.get(part, [])
            if one[0].removeprefix("kubectl -n logistics ").startswith(begins)
        ]
        if not of_kind:
            raise DemoError(f"{TRANSCRIPT.name} has no `{begins}` in {part!r}: make it again")
        command, answer = of_kind[-1]
        lines.append(f"<b>$</b> {html.escape(_cut(command))}")
        for line in answer:
            # A log tells a failure twice, once for people.
            if not line.startswith("error: "):
                bad = re.search(r'\bError\b|"error"|too old', line)
                shown = html.escape(line if bad else _cut(line), quote=False)
                lines.append(f"<i>{shown}</i>" if bad else shown)
        lines.append("")
    text = "\n".join(lines).rstrip()
    (version,) = re.findall(
        r"^Ran on (Kubernetes v[\d.]+)", TRANSCRIPT.read_text(encoding="utf-8"), re.MULTILINE
    )
    heading = html.escape(f"{title} · {version}")
    return f"<meta charset=utf-8><style>{STYLE}</style><h1>{heading}</h1><pre>{text}</pre>"


def main() -> int:
    """Draw all of them into the folder of the transcript."""
    with tab(1100, 200) as sheet:
        for name, (title, wanted) in PICTURES.items():
            sheet.set_content(page(title, wanted))
            sheet.screenshot(path=FOLDER / name, full_page=True)
            print(Path("Task3") / name)
    return 0


if __name__ == "__main__":
    run_as("pictures", main)
