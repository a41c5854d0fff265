"""`python -m pipelines.price_lists`, ended by Ctrl-C: whenever it comes, nothing is left behind."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests.integration.price_lists import MORE_GOODS, started, wait_for_a_batch, workers_of


@pytest.mark.parametrize("moment", [workers_of, wait_for_a_batch], ids=["workers start", "lists are made"])
def test_an_interrupt_leaves_nothing_behind(shop, moment):
    """As a terminal sends it: to all processes of the command at once."""
    shop.sql(MORE_GOODS)
    with started(shop) as process:
        while not (workers := moment(shop, process)):
            pass
        os.killpg(process.pid, signal.SIGINT)
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, out) == (130, "")
        # Beside it, a worker that had not begun yet says so too.
        assert "error: interrupted\n" in errors
        assert not psutil.wait_procs(workers, timeout=30)[1]
    assert not list((shop.root / ".work").iterdir())
    assert not list(shop.root.rglob("datapackage.json"))


INTERRUPTED_AT_THE_START_OF_THE_POOL = """
import os, signal, sys
from concurrent.futures import process
from pipelines.price_lists.command import main

class Manager(process._ExecutorManagerThread):
    def start(self):
        os.kill(os.getpid(), signal.SIGINT)
        super().start()

if __name__ == "__main__":
    process._ExecutorManagerThread = Manager
    sys.exit(main())
"""


def test_an_interrupt_while_the_pool_starts_is_one_too(shop, tmp_path):
    """Python's pool cannot be ended while it is half started; a moment that chance hits one time in ten."""
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED_AT_THE_START_OF_THE_POOL, encoding="utf-8")
    command = [sys.executable, str(script), "--dsn", shop.dsn, "--to", str(shop.root), "--workers", "2"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "error: interrupted\n")
    assert not list((shop.root / ".work").iterdir())
