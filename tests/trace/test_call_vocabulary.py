"""The vocabulary of calls: every name is a system call, old and wide spellings included; no set contradicts another."""

import itertools
import re
import shutil
import subprocess
from collections.abc import Set as AbstractSet

import pytest

from tracediag.trace import calls
from tracediag.trace.calls import SYSCALLS

SETS = {name: getattr(calls, name) for name in calls.__all__ if name != "SYSCALLS"}

APART = re.findall(
    r"\w+",
    """
    OPENS SOCKETS ACCEPTS PIPES EPOLL_CREATES EVENTFDS SIGNALFDS TIMERFDS INOTIFIES DUPS CONTROLS CLOSES EPOLL_CTLS
    SOCKET_LOOKS SOCKET_SETUP FILE_READS FILE_WRITES RECEIVES SENDS POSITIONED_READS POSITIONED_WRITES MOVES
    EPOLL_WAITS POLLS SELECTS SLEEPS SIGNAL_WAITS PAUSES CHILD_WAITS FUTEXES IO_WAITS SYSV_WAITS MQ_RECEIVES
    MQ_SENDS FORKS EXECS EXITS SIGNAL_SENDS SIGNAL_ACTIONS SIGNAL_MASKS SIGNAL_RETURNS SET_USERS SET_GROUPS
    SET_SUPPLEMENTARY RENAMES REMOVES LINKS SYMLINKS MKDIRS MKNODS CHDIRS CHMODS CHOWNS LOOKS FSTATS GETDENTS SEEKS
    SYNCS TRUNCATES FTRUNCATES MAPS
    """,
)
"""No call belongs to two of these."""

WIDER = re.compile(r"(?:_time64|64|32)$")


def test_each_name_is_a_system_call() -> None:
    assert [name for name, calls in SETS.items() if not calls] == []
    assert {name: calls - SYSCALLS for name, calls in SETS.items() if not calls <= SYSCALLS} == {}


def test_no_call_belongs_to_two_sets() -> None:
    shared = {f"{one} & {other}": SETS[one] & SETS[other] for one, other in itertools.combinations(APART, 2)}
    assert {pair: calls for pair, calls in shared.items() if calls} == {}


def test_a_call_and_its_wide_form_stand_together() -> None:
    lacking = {name: (wide(calls) | narrow(calls)) - calls for name, calls in SETS.items()}
    assert {name: calls for name, calls in lacking.items() if calls} == {}


def wide(calls: AbstractSet[str]) -> set[str]:
    return {call for call in SYSCALLS if (base := WIDER.sub("", call)) != call and base in calls}


def narrow(calls: AbstractSet[str]) -> set[str]:
    return {base for call in calls if (base := WIDER.sub("", call)) in SYSCALLS}


def test_the_manual_lists_each_name() -> None:
    """syscalls(2), if the manual is installed; it lacks only names that are strace's own."""
    text = manual() if shutil.which("man") else ""
    if "epoll_pwait2" not in text:
        pytest.skip("the manual is not installed")
    listed = set(re.findall(r"\b[a-z_]\w*(?=\(2\))", text))
    of_strace = {"_exit", "clone2", "epoll_wait_old", "epoll_ctl_old", "newfstatat", "old_mmap", "pread", "pwrite"}
    of_strace |= {"futex_time64", "io_pgetevents_time64", "mq_timedreceive_time64", "mq_timedsend_time64", "fchmodat2"}
    of_strace |= {"ppoll_time64", "pselect6_time64", "recvmmsg_time64", "rt_sigtimedwait_time64", "semtimedop_time64"}
    of_strace |= {
        "clock_nanosleep_time64",
        "futex_wait",
        "futex_waitv",
        "futex_wake",
        "futex_requeue",
        "open_tree_attr",
        "chown32",
    }
    of_strace |= {"clock_gettime64", "getxattrat", "listxattrat", "lchown32", "oldstat", "oldlstat", "oldfstat"}
    assert set().union(*SETS.values()) - listed <= of_strace


def manual() -> str:
    return subprocess.run(["man", "2", "syscalls"], capture_output=True, text=True, check=False).stdout
