"""What a process has been told, and where it works."""

from __future__ import annotations

import pytest
from test_process_table import FORK, THREAD, kernel_of

SENT = "{si_signo=SIGTERM, si_code=SI_USER, si_pid=9, si_uid=0} ---"


def test_the_last_successful_chdir_is_known() -> None:
    (process,) = kernel_of('1 chdir("/a") = 0', '1 chdir("/b") = -1 ENOENT (No such file or directory)').processes
    assert process.place.moved is not None
    assert process.place.moved.line == 1


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"])
def test_an_order_to_stop_is_known_whichever_thread_receives_it(signal: str) -> None:
    kernel = kernel_of(f"1 {THREAD} = 2", f"2 --- {signal} {SENT}", f"2 --- SIGUSR1 {SENT}")
    (process,) = kernel.processes
    assert process.order is not None
    assert (process.order.name, process.order.line) == (signal, 2)


def test_both_are_dropped_once_the_process_has_ended() -> None:
    kernel = kernel_of(
        f"1 {FORK} = 2", '2 chdir("/a") = 0', f"2 --- SIGTERM {SENT}", "2 +++ exited with 0 +++", "1 getpid() = 1"
    )
    child = kernel.processes[1]
    assert (child.exit is not None, child.place.moved, child.order) == (True, None, None)
