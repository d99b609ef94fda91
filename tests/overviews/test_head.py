"""The head of a report: what was recorded, how it ended, what it said last, and where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.api import analyze
from tracediag.report import Look, formatter
from tracediag.report.schema import schema
from tracediag.results.overview import MOST_ENTRIES
from tracediag.results.report import Report

RECORDED = Path(__file__).parent / "recorded"
EXEC = '7 execve("/usr/bin/{0}", ["{0}", "x"], 0x7ffe /* 9 vars */) = 0'
FORK = "7 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 8"


def head(*lines: str) -> Report:
    return analyze([f"{line}\n" for line in lines])


def text(report: Report) -> str:
    return "".join(formatter("full", Look()).report(report)).partition("\n\n")[0]


def ends(pid: int, status: int) -> tuple[str, str]:
    return f"{pid} exit_group({status}) = ?", f"{pid} +++ exited with {status} +++"


def test_a_bad_end_is_told_even_if_nothing_else_is_found() -> None:
    report = head(
        EXEC.format("app"), '7 write(2, "no licence", 10) = 10', '7 write(2, " today\\n", 7) = 7', *ends(7, 3)
    )
    assert text(report) == (
        "traced      app x, pid 7\n"
        "recording   successful calls only; no calls of the families network, signal\n"
        "ended       app (pid 7) exited with status 3 at line 5\n"
        "            last words, on fd 2 at line 3: no licence today"
    )
    (fate,) = report.ending
    assert (fate.status, fate.line, fate.running) == (3, 5, False)


def test_what_is_said_on_fd_1_counts_only_before_a_bad_end() -> None:
    said = '7 write(1, "cannot go on\\n", 13) = 13'
    (bad,), (good,) = (head(EXEC.format("app"), said, *ends(7, status)).ending for status in (1, 0))
    assert bad.words is not None
    assert (bad.words.text, bad.words.to) == ("cannot go on", "fd 1")
    assert good.words is None


LOG = (
    '7 openat(AT_FDCWD, "/var/log/app.log", O_WRONLY|O_APPEND) = 4',
    '7 write(4, "starting\\n", 9) = 9',
    '7 write(4, "bad key: giving up\\n", 19) = 19',
)
SYSLOG = (
    "7 socket(AF_UNIX, SOCK_DGRAM|SOCK_CLOEXEC, 0) = 4",
    '7 connect(4, {sa_family=AF_UNIX, sun_path="/dev/log"}, 110) = 0',
    '7 sendto(4, "<27>Nov 28 09:13:41 app[7]: bad key", 35, MSG_NOSIGNAL, NULL, 0) = 35',
)
JOURNAL = (
    "7 socket(AF_UNIX, SOCK_DGRAM|SOCK_CLOEXEC, 0) = 4",
    '7 connect(4, {sa_family=AF_UNIX, sun_path="/run/systemd/journal/socket"}, 110) = 0',
    (
        '7 sendmsg(4, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="PRIORITY=3\\nMESSAGE=bad key\\n", iov_len=26}'
        "], msg_iovlen=1, msg_controllen=0, msg_flags=0}, MSG_NOSIGNAL) = 26"
    ),
)
REPLY = (
    "7 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 4",
    '7 connect(4, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.5")}, 16) = 0',
    '7 read(4, "HTTP/1.1 403 Forbidden\\r\\nServer: x\\r\\n", 4096) = 36',
)


@pytest.mark.parametrize("closed", [(), ("7 close(4) = 0",)])
@pytest.mark.parametrize(
    ("lines", "said", "to"),
    [
        (LOG, "bad key: giving up", "/var/log/app.log"),
        (SYSLOG, "app[7]: bad key", "syslog"),
        (JOURNAL, "bad key", "the journal"),
        (REPLY, "HTTP/1.1 403 Forbidden", "a reply from 10.0.0.5:80"),
    ],
)
def test_words_elsewhere(lines: tuple[str, ...], said: str, to: str, closed: tuple[str, ...]) -> None:
    (fate,) = head(EXEC.format("app"), *lines, *closed, *ends(7, 1)).ending
    assert fate.words is not None
    assert (fate.words.text, fate.words.to) == (said, to)


def test_long_words_are_kept_from_the_line_that_names_the_error() -> None:
    trace = "".join(f'  File \\"a.py\\", line {number}\\n    call()\\n' for number in range(20))
    said = f'7 write(2, "Traceback:\\n{trace}ValueError: no such key\\n", 900) = 900'
    (fate,) = head(EXEC.format("app"), said, *ends(7, 1)).ending
    assert fate.words is not None
    assert fate.words.text.endswith("\nValueError: no such key")
    assert len(fate.words.text) <= 300


def test_a_conventional_status_is_explained() -> None:
    report = head(EXEC.format("grep"), *ends(7, 1))
    assert "grep (pid 7) exited with status 1 (no match) at line 3" in text(report)


def test_a_child_that_failed_under_a_parent_that_did_not() -> None:
    child = ('8 execve("/usr/bin/tar", ["tar"], 0x7ffe /* 9 vars */) = 0', '8 write(2, "tar: disk full\\n", 15) = 15')
    report = head(EXEC.format("sh"), FORK, *child, *ends(8, 2), *ends(7, 0))
    assert [(fate.process, fate.status) for fate in report.ending] == [("tar (pid 8)", 2), ("sh (pid 7)", 0)]


def test_a_child_that_only_answers_is_named_where_it_explains_its_parent() -> None:
    grep = ('8 execve("/usr/bin/grep", ["grep"], 0x7ffe /* 9 vars */) = 0', *ends(8, 1))
    for status, named in ((0, ["sh (pid 7)"]), (1, ["grep (pid 8)", "sh (pid 7)"])):
        report = head(EXEC.format("sh"), FORK, *grep, *ends(7, status))
        assert [fate.process for fate in report.ending] == named


def test_the_sender_of_a_signal_is_named() -> None:
    report = head(EXEC.format("sh"), FORK, "7 kill(8, SIGKILL) = 0", "8 +++ killed by SIGKILL +++", *ends(7, 0))
    assert report.ending[0].sender == "sh (pid 7)"


def test_at_most_eight_entries_and_a_count_of_the_rest() -> None:
    lines = [EXEC.format("make")]
    for pid in range(10, 40):
        lines += [f"7 clone(child_stack=NULL, flags=SIGCHLD) = {pid}", *ends(pid, 2)]
    report = head(*lines, "7 wait4(-1,  <unfinished ...>")
    assert len(report.ending) + len(report.waiting) == 8
    assert report.overview.further == 30 - 6
    assert report.overview.processes == 31


def test_where_the_threads_stand() -> None:
    report = head(
        "7 getpid() = 7",
        "7 flock(3</srv/app.lock>, LOCK_EX <unfinished ...>",
        "8 futex(0x7f55, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>",
        "9 wait4(-1,  <unfinished ...>",
    )
    assert [(waiting.call, waiting.object) for waiting in report.waiting] == [
        ("flock", "fd 3 (/srv/app.lock)"), ("futex", "0x7f55"), ("wait4", "any child")
    ]  # fmt: skip
    assert "waiting     process 7 in flock(fd 3 (/srv/app.lock)) since line 2" in text(report)


@pytest.mark.parametrize(
    ("call", "what", "why"),
    [
        ("pselect6(7, [5<TCP:[0.0.0.0:80]> 6], NULL, NULL, {tv_sec=60, tv_nsec=0}, NULL", "fd 5", "for at most 60 s"),
        ("pselect6(0, NULL, NULL, NULL, {tv_sec=1, tv_nsec=0}, NULL", "", "it sleeps for 1 s"),
        ("select(4, [3], [], [], {tv_sec=0, tv_usec=500}", "fd 3", "it waits until fd 3 is ready, for at most 500 µs"),
        ("poll([{fd=3, events=POLLIN}, {fd=-1}], 2, 250", "fd 3", "it waits until fd 3 is ready, for at most 250 ms"),
        ("poll(NULL, 0, 500", "", "it sleeps for 500 ms"),
        ("poll([{fd=3, events=POLLIN}], 1, -1", "fd 3", "it waits until fd 3 is ready"),
        ("epoll_wait(3, ", "fd 3 (epoll set)", "it waits until a descriptor of the epoll set is ready"),
        ("read(3</srv/a>, ", "fd 3 (/srv/a)", "the device or file server: the read of a file waits for nothing else"),
        ("read(3</proc/kmsg>, ", "fd 3 (/proc/kmsg)", "it waits until fd 3 has something to read"),
    ],
)
def test_what_would_end_a_wait_for_descriptors(call: str, what: str, why: str) -> None:
    (waiting,) = head(f"7 {call} <unfinished ...>").waiting
    assert waiting.object.startswith(what)
    assert bool(what) == bool(waiting.object)
    assert waiting.reason.endswith(why)


def test_a_listener_in_a_poll_waits_for_a_connection() -> None:
    (waiting,) = head(
        "7 socket(AF_INET, SOCK_STREAM, 0) = 3", "7 listen(3, 5) = 0",
        "7 poll([{fd=3, events=POLLIN}], 1, 500 <unfinished ...>",
    ).waiting  # fmt: skip
    assert waiting.reason == "it waits for a connection, for at most 500 ms"


def test_a_call_that_never_waits_is_not_waited_in() -> None:
    report = head("7 getpid() = 7", "7 rt_sigprocmask(SIG_BLOCK, [CHLD],  <unfinished ...>")
    assert report.waiting == ()


def test_a_command_that_strace_cut_is_marked() -> None:
    report = head('7 execve("/bin/sh", ["sh", "-c", "ls | wc"...], 0x7ffe /* 9 vars */) = 0', *ends(7, 0))
    assert "traced      sh -c 'ls | wc' …, pid 7" in text(report)


def test_processes_that_ran_before_may_be_threads() -> None:
    lines = [f"{pid} futex(0x7f{pid}0, FUTEX_WAIT_PRIVATE, 0, NULL <unfinished ...>" for pid in (7, 8)]
    assert "2 processes or threads" in text(head(*lines))
    assert "2 processes\n" in text(head(EXEC.format("app"), FORK, "8 getpid() = 8", *ends(8, 0), *ends(7, 0)))


def test_not_all_threads_stand_in_futex_where_another_stranger_does_not() -> None:
    wait = "futex(0x7f{}0, FUTEX_WAIT_PRIVATE, 0, NULL <unfinished ...>"
    born = "8 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD) = 9"
    lines = (born, f"8 {wait.format(8)}", f"9 {wait.format(9)}")
    both, alone = (head(*more, *lines).waiting[-1] for more in ((), ("7 epoll_wait(5,  <unfinished ...>",)))
    assert both.reason.startswith("both threads of the trace wait in futex")
    assert alone.reason.startswith("it waits until another thread wakes it")


def test_the_span_and_the_clock() -> None:
    report = head(*(f"7 1700000000.{part}00000 getpid() = 7" for part in range(5)))
    assert (report.overview.start, report.overview.span) == ("2023-11-14T22:13:20.000000Z", pytest.approx(0.4))
    assert "400 ms from 2023-11-14 22:13:20.000000 UTC" in text(report)


def test_a_single_line_has_a_head() -> None:
    report = head('open("/etc/app.conf", O_RDONLY) = -1 EACCES (Permission denied)')
    assert text(report).startswith("traced      a program whose start is not shown")


def test_data_of_a_killed_program_is_no_word() -> None:
    data = '7 write(1, "1\\n2\\n3\\n", 6) = 6'
    (fate,) = head(EXEC.format("seq"), data, "7 +++ killed by SIGPIPE +++").ending
    assert fate.words is None


def test_a_child_that_strace_did_not_follow_is_named_by_its_wait() -> None:
    wait = "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 2}], 0, NULL) = 8"
    exec_, fork = (line.removeprefix("7 ") for line in (EXEC.format("sh"), FORK))
    report = head(exec_, fork, wait, "exit_group(0) = ?", "+++ exited with 0 +++")
    assert "ended       child 8, not followed, exited with status 2 at line 3" in text(report)


def test_pieces_that_strace_cut_are_told_apart() -> None:
    said = ('7 write(2, "cannot read the first fi"..., 90) = 90', '7 write(2, "and not the second ei"..., 90) = 90')
    (fate,) = head(EXEC.format("app"), *said, *ends(7, 1)).ending
    assert fate.words is not None
    assert fate.words.text == "cannot read the first fi…\nand not the second ei…"


def test_threads_in_one_futex_are_one_entry() -> None:
    waits = [f"{pid} futex(0x7f55, FUTEX_WAIT_BITSET, 0, NULL <unfinished ...>" for pid in (7, 8, 9)]
    (waiting,) = head(*waits).waiting
    assert waiting.threads == 3


def test_a_full_recording_gets_no_advice() -> None:
    report = analyze(RECORDED / "shell.strace")
    assert report.advice is None


def test_an_answer_that_the_parent_passes_on_stands_beside_other_ends() -> None:
    worker = ("7 clone(child_stack=NULL, flags=SIGCHLD) = 9", "9 +++ killed by SIGKILL +++")
    timeout = ('8 execve("/usr/bin/timeout", ["timeout"], 0x7ffe /* 9 vars */) = 0', *ends(8, 124))
    report = head(EXEC.format("sh"), FORK, *worker, *timeout, *ends(7, 124))
    assert [fate.pid for fate in report.ending] == [9, 8, 7]
    assert "timeout (pid 8) exited with status 124 (the time limit was reached)" in text(report)


def test_each_key_of_the_head_is_described() -> None:
    defined = schema("report")["$defs"]
    for name in ("Overview", "Fate", "Waiting", "Words"):
        assert any("description" in key for key in defined[name]["properties"].values()), name


def test_a_killed_process_was_in_a_call_and_no_debugger_is_advised_for_it() -> None:
    wait = "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 0, NULL, FUTEX_BITSET_MATCH_ANY"
    report = head(
        EXEC.format("app"),
        f"7 futex(0x7f55, {wait}) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)",
        "7 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---",
        "7 +++ killed by SIGTERM +++",
    )
    assert (
        "            was in futex(0x7f55) since line 2: it waits until another thread wakes it: a lock is released, a"
        " condition signalled or a thread ends"
    ) in text(report).splitlines()


def test_calls_that_have_not_returned_are_no_recording_of_failures() -> None:
    attached = ("7 flock(3</srv/app.lock>, LOCK_EX <unfinished ...>", "8 accept(4,  <unfinished ...>")
    failed = [f"7 {name} = -1 EBADF (Bad file descriptor)" for name in ("close(3)", "fsync(3)", "fchdir(3)")]
    assert "failed calls only" not in text(head(*attached, "9 wait4(-1,  <unfinished ...>"))
    assert "failed calls only" in text(head(*failed))


def test_the_stack_after_the_last_record_does_not_hide_how_long_it_took() -> None:
    sample = Path(__file__).parents[2] / "samples" / "stacks" / "write-error-ignored.strace"
    assert ", pid 26595, 55.7 ms from 2026-11-28 19:30:57.725613 UTC\n" in text(analyze(str(sample)))


def test_the_end_of_the_traced_program_is_always_named() -> None:
    """A recording of %file shows no clone: helpers that end with an answer must not hide the program's own end."""
    lines = ['10 execve("/usr/bin/app", ["app"], 0x7ffe /* 3 vars */) = 0\n']
    for pid in range(11, 31):
        lines.append(f'{pid} execve("/usr/bin/expr", ["expr", "0"], 0x7ffe /* 3 vars */) = 0\n')
        lines.append(f"{pid} +++ exited with 1 +++\n")
    ending = analyze([*lines, "10 +++ exited with 0 +++\n"]).ending
    assert (ending[-1].pid, ending[-1].status) == (10, 0)
    assert len(ending) == MOST_ENTRIES


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/lib/postgresql/15/bin/postgres", "/usr/lib/postgresql/15/bin/postgres"),
        ("/opt/postgres", "/usr/lib/postgresql/15/bin/postg"),
    ],
)
def test_a_program_whose_path_strace_cut_in_its_arguments(path: str, name: str) -> None:
    trace = f'1 execve("{path}", ["/usr/lib/postgresql/15/bin/postg"..., "-D"], 0x7ffd /* 2 vars */) = 0\n'
    overview = analyze([trace, "1 exit_group(0) = ?\n", "1 +++ exited with 0 +++\n"]).overview
    assert overview.command == (name, "-D")
    assert overview.shortened is (path != name)
