"""Output of other tools: refused by name, never read by half. Recorded, unless the tool does not run on Linux."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.overviews.counting.view import Groups
from tracediag.reading import Reader, UnreadableError
from tracediag.reading.counter import CallCounter
from tracediag.trace.events import Syscall

OTHERS = {
    "perf trace": [
        "         ? (         ): h/12243  ... [continued]: execve())                  = 0",
        "     0.041 ( 0.014 ms): h/12243 brk()                                        = 0x5636c7107000",
        "     1.438 ( 0.013 ms): h/12243 close(fd: 4<pipe:[365021]>)                  = 0",
    ],
    "ktrace (kdump)": [
        "  1234 ls       CALL  close(0x9)",
        "  1234 ls       RET   close -1 errno 9 Bad file descriptor",
    ],
    "truss of FreeBSD": [
        ' 1234: open("/etc/hosts",O_RDONLY,0666)         = 3 (0x3)',
        " 1234: close(3)                                 ERR#9 'Bad file descriptor'",
    ],
    "truss of Solaris": [
        'execve("/usr/bin/ls", 0x08047D34, 0x08047D3C)  argc = 1',
        'open("/etc/app.conf", O_RDONLY)                 Err#2 ENOENT',
        "close(3)                                        = 0",
    ],
    "dtruss": [
        "SYSCALL(args) \t\t = return",
        'open("/etc/hosts\\0", 0x0, 0x0)\t\t = 3 0',
        "close(0x3)\t\t = -1 Err#9",
    ],
    "ltrace": [
        "26597 SYS_openat(0xffffff9c, 0x7f1174a540b1, 0x80000, 0)    = 3",
        "26598 SYS_334(0x7f08d4e64fe0, 32, 0, 0x53053053 <unfinished ...>",
        "26597 SYS_close(3)                         = -9",
        '26597 printf("hello %d\\n", 3 <unfinished ...>',
        "26597 <... printf resumed> )                                = 8",
        "26597 +++ exited (status 1) +++",
    ],
    "strace of gVisor (runsc)": [
        "I1128 04:00:00.000001 1 strace.go:567] [   1:   1] ls E openat(AT_FDCWD /, 0x7f0a /etc/hosts, O_RDONLY, 0o0)",
        "I1128 04:00:00.000002 1 strace.go:605] [   1:   1] ls X openat(AT_FDCWD /, 0x7f0a /etc/hosts) = 3 (0x3) (5us)",
    ],
    "valgrind": ["==123== Memcheck, a memory error detector", "==123== ", "==123== Invalid read of size 4"],
    "bpftrace": ["Attaching 2 probes...", "@calls[close]: 12", "@calls[openat]: 3"],
    "ftrace": ["# tracer: nop", "      ls-123   [000] ..... 12.345: sys_close(fd: 3)"],
    "auditd": ["type=SYSCALL msg=audit(1700000000.1:2): arch=c000003e syscall=59 success=yes exit=0 a0=1"],
    "gdb": ["#0  0x00007f1 in read () from /lib/libc.so.6", "#1  0x0000555 in main (argc=1) at t.c:3"],
}
TEXTS = {
    "JSON": ["{", '  "calls": [', '    {"name": "close"},', "  ]", "}"],
    "a source file in C": ["#include <unistd.h>", "int main(void)", "{", "    close(3);", "    return 0;", "}"],
    "a source file in Python": ["import os", "def main():", "    os.close(3)", "    return 3", "print(main())"],
    "TOML": ["[project]", 'name = "x"', "classifiers = [", '  "a",', "]"],
    "a kernel log (dmesg)": ["[    0.000000] Linux version 6.1", "[  812.004412] eth0: link up"],
    "a list of processes (ps)": [
        "USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND",
        "root         1  0.4  0.0  45192 13420 ?        Ss   00:38   1:24 /sbin/init",
        "root         2  0.0  0.0      0     0 ?        S    00:38   0:00 [kthreadd]",
    ],
    "the mappings of a process (/proc/PID/maps)": ["55f5d779c000-55f5d779e000 r--p 00000000 fe:00 26 /usr/bin/cat"],
    "a Python traceback": [
        "Traceback (most recent call last):",
        '  File "a.py", line 3, in f',
        '    open("x")',
        "FileNotFoundError: [Errno 2] No such file or directory: 'x'",
    ],
    "base64 text": ["Y2xvc2UoMykgPSAwCmNsb3NlKDQpID0gLTEgRUJBREYgKEJhZCBmaWxlIGRlc2NyaXB0b3IpCg=="],
    "URL-encoded text": ["close%283%29%20%3D%200%0Aclose%284%29%20%3D%20-1%20EBADF%20%28Bad%20file%20descriptor%29%0A"],
    "blank lines": ["", "  ", ""],
    "a web page": ["<!DOCTYPE html>", "<html>", "<p>close(3) fails</p>"],
}


@pytest.mark.parametrize("tool", OTHERS)
def test_another_tracers_output_is_refused_by_name(tool: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        list(Reader(OTHERS[tool]))
    assert caught.value.reason == f"this is the output of {tool}, not of strace"


@pytest.mark.parametrize("kind", TEXTS)
def test_a_text_without_calls_is_refused_by_its_kind(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("\n".join(TEXTS[kind]))
    with pytest.raises(UnreadableError) as caught:
        list(Reader(path))
    assert caught.value.reason == f"not a single line of it is strace output; it looks like {kind}"


def test_a_file_in_which_calls_only_begin_is_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("Dear all,\nplease look at this:\nopen(my heart\nand tell me.\n")
    with pytest.raises(UnreadableError):
        list(Reader(path))


def test_one_call_that_is_cut_off_is_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "paste"
    path.write_text('It hangs here:\n\nconnect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0')
    reader = Reader(path)
    assert [getattr(event, "name", "") for event in reader if hasattr(event, "name")] == ["connect", "connect"]


@pytest.mark.parametrize(
    "lines",
    [
        ["write(2, \"close(3) ERR#9 'x'\", 18) = 18", "close(3) = -1 EBADF (Bad file descriptor)"],
        ['write(1, "==12== x\\n", 9) = 9', "==12== x", 'write(1, "==12== y\\n", 9) = 9'],
        ["strace: Process 7 attached", "[pid 7] close(3) = 0", "[pid 7] +++ exited with 0 +++"],
        ["SYS_330(1, 2) = 0", "close(3) = 0", "syscall_500(0) = -1 ENOSYS (Function not implemented)"],
    ],
)
def test_a_trace_that_mentions_others_is_read(lines: list[str]) -> None:
    assert [event for event in Reader(lines) if type(event).__name__ == "Syscall"]


def test_a_trace_read_by_half_says_so() -> None:
    reader = Reader([*["close(3) = 0"] * 19, "if (read(4, buf) == 5) abort"])
    list(reader)
    assert (reader.counts.not_understood, reader.counts.doubt) == (1, None)
    reader = Reader([*["close(3) = 0"] * 8, "if (read(4, buf) == 5) abort"])
    list(reader)
    assert reader.counts.doubt == "1 of 9 lines look like calls and were not read, or only in part"


def test_calls_that_break_off_are_read_in_part() -> None:
    reader = Reader(["close(3) = 0", 'openat(AT_FDCWD, "/etc/hosts", O_RDONLY) \u2248 nothing', "close(4) = 0"])
    list(reader)
    assert reader.counts.doubt == "1 of 3 lines look like calls and were not read, or only in part"


def test_the_last_call_may_break_off() -> None:
    reader = Reader(["close(3) = 0", "close(4) = 0", "flock(3, LOCK_EX"])
    list(reader)
    assert (reader.counts.open, reader.counts.doubt) == (1, None)


def test_the_end_of_a_call_whose_beginning_is_missing_is_not_dropped_silently() -> None:
    reader = Reader(["close(3) = 0", "{sa_family=AF_INET}, 16) = -1 ECONNREFUSED (Connection refused)"])
    list(reader)
    assert reader.counts.doubt is not None


def test_a_table_of_counts_has_no_calls() -> None:
    path = Path(__file__).parent / "recorded" / "summary.strace"
    reader = Reader(path)
    list(reader)
    assert reader.counts.doubt == ("no line shows a call" if not reader.counts.calls else None)


def test_a_trace_read_well_is_not_doubted() -> None:
    for path in (Path(__file__).parent / "recorded").glob("t*.strace"):
        reader = Reader(path)
        list(reader)
        assert reader.counts.doubt is None, (path, reader.counts)


QEMU = (
    '26620 openat(-100,"/etc/app.conf",O_RDONLY) = -1 errno=2 (No such file or directory)',
    "26620 Unknown syscall 334",
    "26620 close(3) = 0",
    "26620 close(3) = -1 errno=9 (Bad file descriptor)",
    "26620 clone(CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|0x11,child_stack=0x0000000000000000) = 26590",
    "26590 exit_group(3)",
    " = 26590",
    "26620 exit_group(0)",
)
"""Recorded with `qemu-x86_64 -strace` 7.2."""


def test_qemu_user_is_read() -> None:
    reader = Reader(QEMU)
    calls = [event for event in reader if isinstance(event, Syscall)]
    assert reader.counts.not_understood == 0
    assert [(call.pid, call.name, call.result, call.errno) for call in calls] == [
        (26620, "openat", -1, "ENOENT"),
        (26620, "close", 0, None),
        (26620, "close", -1, "EBADF"),
        (26620, "clone", 26590, None),
        (26590, "exit_group", None, None),
        (26620, "exit_group", None, None),
    ]


def test_threads_of_qemu_user_are_refused() -> None:
    thread = "26587 clone(CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD,child_stack=0x00000040010032f0)"
    with pytest.raises(UnreadableError, match="qemu-user -strace of a program with threads"):
        list(
            Reader((*QEMU, f"{thread}26587 set_robust_list(274894698912,24) = -1 errno=38 (Function not implemented)"))
        )


@pytest.mark.parametrize(
    "lines",
    [
        ["10 close(3) = 0", "retries(total) = 5", "10 close(4) = 0"],
        ["12:00:01 close(3) = 0", "retries(total) = 5", "12:00:01 close(4) = 0"],
        ["close(3)                                = 0", "retries(total) = 5", f"{'close(4)':40}= 0"],
    ],
    ids=["pids", "times", "columns"],
)
def test_output_in_the_form_of_a_call_is_none(lines: list[str]) -> None:
    reader = Reader(lines)
    assert [event.name for event in reader if isinstance(event, Syscall)] == ["close", "close"]
    assert reader.counts.not_understood == 1
    counter = CallCounter(lines, Groups(dict[str, int]))
    list(counter)
    assert counter.counts.calls == 2


@pytest.mark.parametrize("prefix", ["10 ", "[pid 10] ", "12:00:01 "])
def test_a_call_of_a_later_kernel_is_read(prefix: str) -> None:
    reader = Reader([f"{prefix}{call}" for call in ("close(3) = 0", "newest_call(3) = 5", "close(4) = 0")])
    assert [event.name for event in reader if isinstance(event, Syscall)] == ["close", "newest_call", "close"]


@pytest.mark.parametrize(
    "lines",
    [
        ["f(1) = 2", "f(2) = 2", "f(3) = 2"],
        ["f(1) = 2", "EXPECT_EQ(read(fd, buf, 3), 3);"] * 20,
        ['x = open("a.txt", "r")', "y(3) = 4", "assert close(fd) == 0"] * 20,
        ['{"a": [1, 2, 3], "log": "read(3, \\"x\\", 1) failed"}'],
    ],
    ids=["formulas", "test of C", "pseudo code", "JSON"],
)
def test_a_text_whose_calls_are_not_of_linux_is_refused(lines: list[str], tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(UnreadableError):
        list(Reader(path))
