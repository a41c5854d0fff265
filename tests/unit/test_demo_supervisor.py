"""The group of processes, with trivial commands in the place of Airflow."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from demo.supervisor import Part, PartDied, Supervisor

ROOT = Path(__file__).resolve().parents[2]

# Each is ended by its test long before; should the test itself be killed, it ends by itself.
SLEEPER = "import time; time.sleep(300)"

# A part that ignores SIGTERM, with a child in another process group, as Airflow's tasks have.
STUBBORN = f"""
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", {SLEEPER!r}], process_group=0)
print(os.getpid(), child.pid, flush=True)
{SLEEPER}
"""


def part(folder: Path, name: str, code: str) -> Part:
    return Part(name, [sys.executable, "-c", code], dict(os.environ), folder / f"{name}.log")


def wait_for(condition: Callable[[], object], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def alive(pids: list[int]) -> list[int]:
    found = []
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
        except psutil.NoSuchProcess:
            pass
    return found


def pids_in(log: Path) -> list[int]:
    wait_for(lambda: log.exists() and log.read_text().endswith("\n"))
    return [int(pid) for pid in log.read_text().split()]


def test_a_part_that_dies_is_named_with_its_last_words_and_its_log(tmp_path):
    group = Supervisor()
    group.start(part(tmp_path, "steady", SLEEPER))
    group.start(part(tmp_path, "doomed", "print('all well'); raise SystemExit('the port is taken')"))
    try:
        with pytest.raises(PartDied) as died:
            wait_for(lambda: group.check())
    finally:
        group.stop_all(grace=1)
    assert died.value.name == "doomed"
    assert died.value.code == 1
    assert "the port is taken" in str(died.value)
    assert str(tmp_path / "doomed.log") in str(died.value)


def test_a_part_killed_by_a_signal_is_told_as_such(tmp_path):
    group = Supervisor()
    group.start(part(tmp_path, "killed", SLEEPER))
    os.kill(group.pid("killed"), signal.SIGKILL)
    with pytest.raises(PartDied, match="killed was killed by signal 9"):
        wait_for(lambda: group.check())
    group.stop_all(grace=1)


def test_stopping_ends_children_and_grandchildren_that_do_not_heed_it(tmp_path):
    group = Supervisor()
    group.start(part(tmp_path, "stubborn", STUBBORN))
    pids = pids_in(tmp_path / "stubborn.log")
    assert alive(pids) == pids
    group.stop_all(grace=0.3)
    assert alive(pids) == []
    assert group.running() == []


def test_what_a_part_left_behind_is_ended_too(tmp_path):
    code = STUBBORN.rsplit(SLEEPER, 1)[0]
    group = Supervisor()
    group.start(part(tmp_path, "gone", code))
    pids = pids_in(tmp_path / "gone.log")
    wait_for(lambda: alive(pids) == pids[1:])
    group.stop_all(grace=0.3)
    assert alive(pids) == []


def test_a_stopped_part_is_not_missed_and_starts_again(tmp_path):
    group = Supervisor()
    sleeper = part(tmp_path, "sleeper", SLEEPER)
    group.start(sleeper)
    first = group.pid("sleeper")
    group.stop("sleeper", grace=1)
    group.check()
    group.start(sleeper)
    assert group.pid("sleeper") != first
    group.stop_all(grace=1)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's word about a parent's end is Linux's")
def test_nothing_survives_a_supervisor_that_is_killed(tmp_path):
    code = f"""
import os, sys, time
from pathlib import Path
from demo.supervisor import Part, Supervisor
folder = Path({str(tmp_path)!r})
group = Supervisor()
group.start(Part("stubborn", [sys.executable, "-c", {STUBBORN!r}], dict(os.environ), folder / "stubborn.log"))
{SLEEPER}
"""
    supervisor = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    pids = pids_in(tmp_path / "stubborn.log")
    guards = [child.pid for child in psutil.Process(supervisor.pid).children() if child.pid not in pids]
    assert alive(pids) == pids
    assert len(guards) == 1
    supervisor.kill()
    supervisor.wait()
    wait_for(lambda: not alive(pids + guards))
