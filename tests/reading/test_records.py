"""Records other than calls, and lines without information."""

from __future__ import annotations

import pytest

from tracediag.reading import read
from tracediag.trace.events import Event
from tracediag.trace.records import Elision, Exit, Notice, NotUnderstood, Other, Signal, Stop, Superseded


def one(line: str) -> Event:
    (event,) = read([line])
    return event


@pytest.mark.parametrize(
    ("line", "name", "info"),
    [
        ("--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=4570, si_uid=0} ---", "SIGUSR1",
         "si_signo=SIGUSR1, si_code=SI_USER, si_pid=4570, si_uid=0"),
        ("--- {si_signo=SIGALRM, si_code=SI_KERNEL} (Alarm clock) ---", "SIGALRM",
         "si_signo=SIGALRM, si_code=SI_KERNEL"),  # 4.6
        ("--- SIGALRM (Alarm clock) @ 0 (0) ---", "SIGALRM", ""),  # 4.5.20
        ("--- SIGALRM {si_signo=14 /* SIGALRM */, si_code=0x80 /* SI_KERNEL */} ---", "SIGALRM",
         "si_signo=SIGALRM, si_code=SI_KERNEL"),  # -X verbose
        ("- SIGCHLD (Child exited) @ 0 (0) ---", "SIGCHLD", ""),  # truncated at the front
    ],
)  # fmt: skip
def test_signals(line: str, name: str, info: str) -> None:
    event = one(line)
    assert isinstance(event, Signal)
    assert (event.name, event.info, event.text) == (name, info, line)


@pytest.mark.parametrize(
    ("line", "status", "signal", "core"),
    [
        ("+++ exited with 3 +++", 3, None, False),
        ("+++ killed by SIGKILL +++", None, "SIGKILL", False),
        ("+++ killed by SIGSEGV (core dumped) +++", None, "SIGSEGV", True),
        ("+++ killed by SIGRT_3 +++", None, "SIGRT_3", False),
    ],
)
def test_exits(line: str, status: int | None, signal: str | None, core: bool) -> None:
    event = one("[pid 12] " + line)
    assert isinstance(event, Exit)
    assert (event.pid, event.status, event.signal, event.core_dumped, event.text) == (12, status, signal, core, line)


def test_stop_and_superseded() -> None:
    stop = one("13395 --- stopped by SIGSTOP ---")
    assert isinstance(stop, Stop)
    assert (stop.pid, stop.signal) == (13395, "SIGSTOP")
    superseded = one("13402 +++ superseded by execve in pid 13404 +++")
    assert isinstance(superseded, Superseded)
    assert (superseded.pid, superseded.by) == (13402, 13404)


@pytest.mark.parametrize(
    ("line", "kind", "subject"),
    [
        ("strace: Process 15512 attached", "attached", 15512),
        ("strace: Process 21985 attached with 6 threads", "attached", 21985),
        ("Process 16800 attached - interrupt to quit", "attached", 16800),  # 4.6
        ("Process 16800 attached (waiting for parent)", "attached", 16800),  # 4.5
        ("Process 16471 resumed (parent 16470 ready)", "message", 16471),  # 4.5
        ("Processus 10354 attaché", "attached", 10354),
        ("strace: Process 22029 detached", "detached", 22029),
        ("[ Process PID=17 runs in 32 bit mode. ]", "message", 17),  # 4.8
        ("strace: [ Process PID=24066 runs in 32 bit mode. ]", "message", 24066),  # 5.3
        ("[pid 22166] [ Process PID=22166 runs in 32 bit mode. ]", "message", 22166),  # 6.1
        ("strace: Cannot stat '/nonexistent/x': No such file or directory", "message", None),
        ("/usr/bin/strace: exec: Permission denied", "message", None),
        ("Try 'strace -h' for more information.", "message", None),
        ("strace: [wait(0x00857f) = 16013] WIFSTOPPED,sig=133", "message", None),  # -d
    ],
)
def test_notices(line: str, kind: str, subject: int | None) -> None:
    event = one(line)
    assert isinstance(event, Notice), event
    assert (event.kind, event.subject) == (kind, subject)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("blank", ""),
        ("blank", "   "),
        ("frame", " > /usr/lib/x86_64-linux-gnu/libc.so.6(__write+0x10) [0xf8350]"),
        ("frame", " > /usr/bin/cat() [0x5d86]"),
        ("frame", " > /usr/bin/true(+0x0) [0x23f1] "),
        ("frame", " > /srv/stack(ns::f3(int)+0x9d) [0x13b7]"),
        ("frame", " > /srv/net(main+0x1e) [0x1397] /srv/net.c:20 "),  # -kk
        ("frame", " > too many stack frames "),
        ("frame", " > No DWARF information found"),  # 5.3
        ("dump", " | 00000  76 6d 0a                                          vm.              |"),
        ("dump", " * 3 bytes in buffer 0"),
        ("dump", " = 2 buffers in vector 0"),
        ("summary", "% time     seconds  usecs/call     calls    errors syscall"),
        ("summary", "------ ----------- ----------- --------- --------- ----------------"),
        ("summary", "  0.00    0.000000           0         1           write"),
        ("summary", "100.00    0.002215         276         8         3 wait4"),
        ("summary", "System call usage summary for 32 bit mode:"),
        ("prompt", "$ strace -f ./a"),
        ("prompt", "user@host:~$ sudo strace -p 17 -o x"),
        ("prompt", "# strace cp -f src dst"),
        ("remark", "# this is where it hangs"),
        ("remark", "/* the parent */"),
        ("remark", "  <-- here"),
        ("continuation", ")      = 6"),
        ("continuation", '"msg", 256, MSG_DONTWAIT, NULL, NULL) = 92'),
    ],
)
def test_silent_lines(kind: str, line: str) -> None:
    event = one(line)
    assert isinstance(event, Other), event
    assert event.kind == kind


@pytest.mark.parametrize(
    "line",
    ["...", "…", "[...]", "......", "……", "<snip>", "[snip]", "--snip--", "   ...", "... # Loop", "(...)",
     "[... 200 lines ...]", "> ..."],
)  # fmt: skip
def test_elisions(line: str) -> None:
    assert isinstance(one(line), Elision)


@pytest.mark.parametrize(
    "line",
    ["then it does a SELECT from the table, which works", "int main(void) {", "close(fd);", 'printf("hello', "a(b) = c",
     "x = read(fd, buf, 10);", "Traceback (most recent call last):", "Restart=(always)", "\x00\x01\x02"],
)  # fmt: skip
def test_what_strace_did_not_write(line: str) -> None:
    event = one(line)
    assert isinstance(event, NotUnderstood)
    assert event.text == line


def test_tables_and_tips() -> None:
    table = [
        "syscall           longest shortest     calls    errors",  # -U name,max-time,min-time,calls,errors
        "---------------- -------- -------- --------- ---------",
        "access           0.000071 0.000071         1         1",
        "total            0.000071 0.000071         1         1",
        "close(3) = 0",
        "  ______________________________________________         ____",  # --tips, 6.1
        " /                                              \\       /    \\",
        " | If strace is too chatty to your taste, you   |      |-. .-.|",
        "                                                         [  ]",
        "close(4) = 0",
    ]
    kinds = [getattr(event, "kind", "call") for event in read(table)]
    assert kinds == [*["summary"] * 4, "call", *["tip"] * 4, "call"]


def test_output_is_known_by_the_call_that_wrote_it() -> None:
    lines = ['7 write(1, "first\\nsecond \\"line\\"\\n", 20 <unfinished ...>', "first", 'second "line"', "third"]
    kinds = [getattr(event, "kind", type(event).__name__) for event in read(lines)]
    assert kinds == ["Begun", "output", "output", "NotUnderstood", "Syscall"]
