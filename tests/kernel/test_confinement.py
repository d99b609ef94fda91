"""The seccomp filter or mode in force: by either call, in names or numbers, inherited over fork and execve."""

from __future__ import annotations

import pytest
from test_process_table import kernel_of

FILTER = "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {len=8, filter=0x7ffd}) = 0"


@pytest.mark.parametrize(
    ("call", "strict"),
    [
        (FILTER, False),
        ("prctl(PR_SET_SECCOMP, 0x2, 0x7ffebee3d970, 0x7f91ed70b45d, 0) = 0", False),
        ("prctl(PR_SET_SECCOMP, 0x1, 0, 0, 0) = 0", True),
        ("prctl(PR_SET_SECCOMP,SECCOMP_MODE_STRICT) = 0", True),
        ("seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL) = 0", True),
        ("seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, {len=5, filter=0x7f}) = 3", False),
    ],
)
def test_what_is_in_force(call: str, strict: bool) -> None:
    (process,) = kernel_of(call).processes
    assert process.seccomp is not None
    assert process.seccomp.call.line == 1
    assert process.strictly_confined is strict


@pytest.mark.parametrize(
    "call",
    [
        "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {len=8, filter=0x7ffd}) = -1 EACCES (Permission denied)",
        "prctl(PR_GET_SECCOMP) = 0",
        "prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) = 0",
        "seccomp(SECCOMP_GET_ACTION_AVAIL, 0, [SECCOMP_RET_LOG]) = 0",
    ],
)
def test_what_puts_nothing_in_force(call: str) -> None:
    (process,) = kernel_of(call).processes
    assert process.seccomp is None


def test_a_child_and_a_new_program_keep_it() -> None:
    kernel = kernel_of(
        f"7 {FILTER}",
        "7 fork() = 8",
        '8 execve("/bin/true", ["true"], 0x7f /* 3 vars */) = 0',
    )
    parent, child = kernel.processes
    assert child.seccomp is not None
    assert child.seccomp is parent.seccomp


def test_a_child_made_before_it_is_not_confined() -> None:
    parent, child = kernel_of("7 fork() = 8", f"7 {FILTER}", "8 getuid() = 0").processes
    assert parent.seccomp is not None
    assert child.seccomp is None
