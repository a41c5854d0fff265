"""Killing a process at its n-th step, whatever it does.

The work runs in a process of its own, in which the system calls of module `os` are wrapped from outside: the
n-th is not made, or is made and nothing after it, because SIGKILL comes.
"""

import os
import signal
from collections.abc import Callable
from typing import Any

CALLS = ["open", "write", "pwrite", "ftruncate", "fsync", "mkdir", "rename", "replace", "symlink", "unlink"]
CALLS += ["rmdir", "link"]


def in_a_process(work: Callable[[], Any]) -> int:
    """Start `work` in a forked process; returns its id."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def every_call(name: str, arguments: tuple[Any, ...]) -> bool:
    return True


def killed_at(
    moment: int, work: Callable[[], Any], counted: Callable[[str, tuple[Any, ...]], bool] = every_call
) -> bool:
    """Run `work`, killed before (even) or after (odd) its call number `moment // 2`; False if it ended.

    Calls for which `counted` is false are no moments.
    """

    def under_the_knife() -> None:
        calls = 0

        def wrapped(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                nonlocal calls
                if not counted(name, args):
                    return real(*args, **kwargs)
                if moment == 2 * calls:
                    os.kill(os.getpid(), signal.SIGKILL)
                answer = real(*args, **kwargs)
                if moment == 2 * calls + 1:
                    os.kill(os.getpid(), signal.SIGKILL)
                calls += 1
                return answer

            return call

        for name in CALLS:
            setattr(os, name, wrapped(name, (lambda _: None) if name == "fsync" else getattr(os, name)))
        work()

    code = exit_code(in_a_process(under_the_knife))
    assert code in (0, -signal.SIGKILL)
    return code != 0
