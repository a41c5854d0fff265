"""What do the engines of Task2's comparison cost? `python benchmarks/engines.py [--rounds N] [--rest S]`

Airflow: memory and processor time of its parts and its database at rest, and the seconds from a trigger to
the start of the run's first task, on the embedded stack. A plain process, Spark in local mode and Spring
Batch: the whole life of a process that writes the same 10,000 rows to one CSV file, as seconds and as peak
memory of its process tree. Each with the lines of code that it takes; for Airflow those of the DAG of the
price lists, with its form, retries, branch, mails and deadline.

Needs `make setup DEPENDENCY_GROUPS="dev browser spark"`; Spark needs Java too, Spring Batch Java, Maven and
Maven Central. What is missing is left out and named in `left_out`. The last line is one of JSON. Exit 0
whatever was measured, 1 when nothing could be.
"""

import argparse
import ast
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
ROWS = 10_000
RUN_SECONDS = 120
BUILD_SECONDS = 600


class LeftOut(Exception):
    """Why an engine cannot be measured on this machine."""


def life(command: Callable[[Path], Sequence[str]], rounds: int) -> dict[str, float]:
    """Seconds and peak MB of processes, each of which writes the rows to the path it is given."""
    from benchmarks.processes import measure

    taken = []
    with tempfile.TemporaryDirectory(prefix="engines-") as folder:
        for turn in range(rounds):
            output = Path(folder) / f"rows-{turn}.csv"
            # Else Spark asks the name service for this machine's name, which takes seconds on some.
            named = {"SPARK_LOCAL_HOSTNAME": "localhost"}
            taken.append(measure(command(output), cwd=Path(folder), environment=named, with_children=True))
            files = sorted(output.glob("part-*.csv")) if output.is_dir() else [output]
            if (lines := sum(file.read_bytes().count(b"\n") for file in files)) != ROWS:
                raise RuntimeError(f"{lines} rows were written, not {ROWS}")
    return {
        # The fastest: whatever else the machine does only ever adds.
        "seconds": round(min(one.seconds for one in taken), 2),
        "peak_mb": round(statistics.median(one.peak_mb for one in taken)),
    }


def code_lines(*files: Path) -> int:
    """Lines of code: without blank lines, lines of comment alone, and a module's docstring."""
    total = 0
    for file in files:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".py":
            first = ast.parse(text).body[0]
            is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            text = "\n".join(text.splitlines()[first.end_lineno if is_docstring else 0 :])
        stripped = [line.strip() for line in text.splitlines()]
        total += sum(bool(line) and not line.startswith(("#", "//", "/*", "<!--")) for line in stripped)
    return total


def process(rounds: int) -> dict[str, Any]:
    """A Python process without an engine: what a Kubernetes Job's container runs."""
    script = ROOT / "benchmarks" / "process_export.py"
    measured = life(lambda file: [sys.executable, str(script), str(file)], rounds)
    return {"version": platform.python_version(), "code_lines": code_lines(script), **measured}


def spark(rounds: int) -> dict[str, Any]:
    """Spark in local mode. Raises LeftOut without Java or pyspark."""
    if shutil.which("java") is None:
        raise LeftOut("no Java (Debian, Ubuntu: apt install default-jre-headless)")
    if find_spec("pyspark") is None:
        raise LeftOut('no pyspark: make setup DEPENDENCY_GROUPS="dev browser spark"')
    script = ROOT / "benchmarks" / "spark_export.py"
    measured = life(lambda file: [sys.executable, "-W", "ignore", str(script), str(file)], rounds)
    return {"version": version("pyspark"), "code_lines": code_lines(script), **measured}


def spring_batch(rounds: int) -> dict[str, Any]:
    """Spring Batch in a jar that Maven builds, untimed. Raises LeftOut when it cannot be built."""
    if shutil.which("java") is None or shutil.which("mvn") is None:
        raise LeftOut("no Java with Maven (Debian, Ubuntu: apt install maven)")
    with tempfile.TemporaryDirectory(prefix="engines-") as folder:
        project = Path(folder) / "project"
        shutil.copytree(ROOT / "benchmarks" / "spring_batch_export", project)
        built = subprocess.run(
            ["mvn", "-q", "-B", "package"],
            cwd=project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
        )
        if built.returncode:
            raise LeftOut(f"Maven could not build it: {built.stdout.strip()[:300]}")
        jar = project / "target" / "export.jar"
        names = zipfile.ZipFile(jar).namelist()
        (core,) = (name.rpartition("/")[2] for name in names if "/spring-batch-core-" in name)
        measured = life(lambda file: ["java", "-jar", str(jar), f"--file={file}"], rounds)
        return {
            "version": core.removeprefix("spring-batch-core-").removesuffix(".jar"),
            "code_lines": code_lines(project / "pom.xml", *project.glob("src/**/*.java")),
            **measured,
        }


def memory_mb(process: psutil.Process) -> float:
    """A process's memory in MB (10^6 bytes), pages that it shares divided among those which do (PSS)."""
    information = process.memory_full_info()
    return float(getattr(information, "pss", information.rss)) / 1e6


def at_rest(groups: dict[str, list[psutil.Process]], seconds: float) -> dict[str, dict[str, float]]:
    """Memory, and percent of one core over `seconds`, of each group of processes."""

    def used() -> dict[str, float]:
        return {name: sum(sum(member.cpu_times()[:4]) for member in group) for name, group in groups.items()}

    before, started = used(), time.monotonic()
    time.sleep(seconds)
    after, passed = used(), time.monotonic() - started
    return {
        name: {
            "mb": round(sum(memory_mb(member) for member in group)),
            "cpu_percent": round(100 * (after[name] - before[name]) / passed, 1),
        }
        for name, group in groups.items()
    }


def airflow(rounds: int, rest: float) -> dict[str, Any]:
    """Airflow's parts and database at rest, and how soon the first task of a triggered run starts."""
    from demo.airflow import COMMANDS
    from demo.processes import with_descendants
    from demo.stack import Stack

    def part(name: str) -> int:
        for child in psutil.Process().children():
            # Some parts change their title, which then is their command line.
            line = " ".join(child.cmdline()).replace("_", "-")
            if f"airflow {name}" in line or child.name() == name:
                return child.pid
        raise RuntimeError(f"{name} was not found among the stack's processes")

    with (
        tempfile.TemporaryDirectory(prefix="engines-") as folder,
        Stack(Path(folder), sql_scale=0.001) as stack,
    ):
        time.sleep(rest / 2)
        groups = {name: with_descendants([part(name)]) for name in (*COMMANDS, "postgres")}
        resting = at_rest(groups, rest)
        stack.api("PATCH", "/dags/delivery_status_analysis", {"is_paused": False})
        starts = [first_task_seconds(stack.api) for _ in range(rounds)]
    return {
        "version": version("apache-airflow"),
        "code_lines": code_lines(ROOT / "dags" / "price_list_export.py"),
        "at_rest": resting,
        "total_mb": sum(part["mb"] for part in resting.values()),
        "total_cpu_percent": round(sum(part["cpu_percent"] for part in resting.values()), 1),
        "first_task_seconds": round(statistics.median(starts), 1),
    }


def first_task_seconds(api: Callable[..., Any]) -> float:
    """Seconds from the trigger of a run to the start of its first task; the run has ended on return."""
    runs = "/dags/delivery_status_analysis/dagRuns"
    triggered = datetime.now(UTC)
    # A file that is not there ends the run soon after its first task.
    made = api("POST", runs, {"logical_date": None, "conf": {"file": "none.csv"}})
    run = f"{runs}/{made['dag_run_id']}"
    deadline = time.monotonic() + RUN_SECONDS
    while api("GET", run)["state"] not in ("success", "failed"):
        if time.monotonic() > deadline:
            raise RuntimeError(f"run {made['dag_run_id']} did not end within {RUN_SECONDS} s")
        time.sleep(1)
    started = api("GET", f"{run}/taskInstances/resolve_input")["start_date"]
    return (datetime.fromisoformat(started) - triggered).total_seconds()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="of each (default: 3)")
    parser.add_argument("--rest", type=float, default=60, help="seconds to watch Airflow (default: 60)")
    options = parser.parse_args()
    engines: dict[str, Callable[[], dict[str, Any]]] = {
        "process": lambda: process(options.rounds),
        "spring_batch": lambda: spring_batch(options.rounds),
        "spark": lambda: spark(options.rounds),
        "airflow": lambda: airflow(options.rounds, options.rest),
    }
    figures: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    for name, measured in engines.items():
        print(f"{name} ...", flush=True)
        try:
            figures[name] = measured()
            print(f"  {json.dumps(figures[name])}", flush=True)
        except (LeftOut, PackageNotFoundError) as reason:
            left_out[name] = str(reason)
            print(f"  left out: {reason}", flush=True)
        except Exception as error:
            left_out[name] = f"failed: {error}"
            print(f"  failed: {error}", file=sys.stderr, flush=True)
    print(json.dumps({"benchmark": "engines", **figures, "left_out": left_out}))
    return 0 if figures else 1


if __name__ == "__main__":
    if not __package__:
        # As a module, so that the project's root is where packages are looked for.
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.engines", *sys.argv[1:]])
    sys.exit(main())
