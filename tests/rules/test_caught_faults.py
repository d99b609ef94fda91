"""A runtime that catches SIGSEGV and reports the crash itself has crashed all the same; and memory before a SIGKILL."""

from __future__ import annotations

import pytest

from tracediag.api import analyze

STARTED = 'execve("./m", ["./m"], 0x7ffe /* 3 vars */) = 0'
PRELOAD = 'access("/etc/ld.so.preload", R_OK) = -1 ENOENT (No such file or directory)'
MAPPED = "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_ANONYMOUS|MAP_PRIVATE, -1, 0) = 0x7f4f2cfb8000"
STRUCK = (
    "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---",
    "rt_sigreturn({mask=[]}) = 0",
    "nanosleep({tv_sec=0, tv_nsec=1000000}, NULL) = 0",
)
PANIC = (
    'write(2, "panic: ", 7) = 7',
    'write(2, "runtime error: invalid memory address or nil pointer dereference", 64) = 64',
    'write(2, "\\n[signal ", 9) = 9',
    'write(2, "SIGSEGV: segmentation violation", 31) = 31',
    *('write(2, " addr=", 6) = 6', 'write(2, "0x0", 3) = 3') * 10,
    'write(2, "]\\n", 2) = 2',
)
END = ("exit_group(2) = ?", "+++ exited with 2 +++")


def names(*lines: str) -> list[str]:
    return [finding.name for finding in analyze([f"{line}\n" for line in (STARTED, MAPPED, *lines)]).findings]


def test_a_crash_that_the_runtime_reports_is_a_crash() -> None:
    report = analyze([f"{line}\n" for line in (STARTED, MAPPED, *STRUCK, *PANIC, *END)])
    (finding,) = report.findings
    assert finding.title == "m crashes with SIGSEGV at a null pointer"
    assert "from line 9 on" in finding.fix
    words = report.ending[0].words
    assert words is not None
    assert words.text.startswith("panic: runtime error: invalid memory address"), "kept although written in 26 pieces"
    assert report.scope.successes_only is False, "a static program has no loader, whose calls fail"


@pytest.mark.parametrize(
    "lines",
    [
        (*STRUCK, 'write(2, "java.lang.NullPointerException\\n", 31) = 31', *END),
        (*STRUCK, *PANIC, "exit_group(0) = ?", "+++ exited with 0 +++"),
    ],
)
def test_a_caught_fault_that_is_no_crash_is_none(lines: tuple[str, ...]) -> None:
    assert "crashed" not in names(*lines)


def growth(flags: str) -> list[str]:
    return [
        f"mmap(NULL, 8388608, {flags}, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = {0x7F0000000000 + number * 8388608:#x}"
        for number in range(20)
    ]


@pytest.mark.parametrize(
    ("lines", "grown"),
    [
        (growth("PROT_READ|PROT_WRITE"), "160 MiB"),
        (["brk(NULL) = 0x10000000", "brk(0x20000000) = 0x20000000"], "256 MiB"),
        (growth("PROT_NONE"), ""),
        ([], ""),
    ],
)
def test_much_memory_before_sigkill_hints_at_the_out_of_memory_killer(lines: list[str], grown: str) -> None:
    whole = (STARTED, PRELOAD, MAPPED, "kill(77, 0) = 0", *lines, "+++ killed by SIGKILL +++")
    (finding,) = analyze([f"{line}\n" for line in whole]).findings
    assert ("possibly the out-of-memory killer" in finding.title) == bool(grown)
    assert grown in finding.title


REFUSED = "--- SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_syscall=__NR_openat} ---"
HANDLED = ("--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=7, si_uid=0} ---", "rt_sigreturn({mask=[]}) = 0")
EMULATED = (
    "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {len=4, filter=0x7ffd07017370}) = 0",
    'openat(AT_FDCWD, "/srv/fonts", O_RDONLY) = 257',
    REFUSED,
    "rt_sigreturn({mask=[]}) = 3",
)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ((*EMULATED[:3], "exit_group(1) = ?", "+++ exited with 1 +++"), False),  # it may show no rt_sigreturn
        ((*HANDLED, *EMULATED[:3], "exit_group(1) = ?", "+++ exited with 1 +++"), True),
        ((*EMULATED, "exit_group(1) = ?", "+++ exited with 1 +++"), False),
        ((*EMULATED[:3], STRUCK[0], "+++ killed by SIGSEGV +++"), True),
        ((*EMULATED, STRUCK[0], "+++ killed by SIGSEGV +++"), False),
        ((*EMULATED, "+++ killed by SIGSYS +++"), True),
        ((*EMULATED[:3], "+++ killed by SIGSYS +++"), True),
        ((*EMULATED[:2], "+++ killed by SIGSYS +++"), True),
        (EMULATED[:3], True),
        (EMULATED, False),
    ],
)
def test_a_call_that_a_handler_emulates_is_not_why_the_process_ends(lines: tuple[str, ...], found: bool) -> None:
    assert names(*lines).count("killed-by-seccomp") == found


def test_a_frame_that_cannot_be_restored_is_no_later_crash() -> None:
    kernel = "--- SIGSEGV {si_signo=SIGSEGV, si_code=SI_KERNEL, si_addr=NULL} ---"
    usual = (*HANDLED, kernel)
    assert "signal-frame-corrupt" in names(*usual, "+++ killed by SIGSEGV +++")
    assert "signal-frame-corrupt" in names(*usual)
    survived = (*usual, "rt_sigreturn({mask=[]}) = 0", "getpid() = 7")
    assert "signal-frame-corrupt" not in names(*survived, STRUCK[0], "+++ killed by SIGSEGV +++")
