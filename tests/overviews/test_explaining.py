"""`explain TRACE:LINE`: the sentence, the verdict, what stands around the call, and what uses it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracediag.library.lines import explain_line
from tracediag.overviews.explaining.call import NoCallError
from tracediag.report.base import Look
from tracediag.report.explanation import document, picture
from tracediag.results.explanation import Verdict

SAMPLES = Path(__file__).parents[2] / "samples"
ACCEPT_ONCE = SAMPLES / "epollserver" / "accept-once.strace"


@pytest.fixture
def explain(tmp_path):
    def ask(text, line):
        path = tmp_path / "trace"
        path.write_text(text)
        return explain_line(str(path), line)

    return ask


def first(path, pattern):
    lines = path.read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if re.search(pattern, line))


@pytest.mark.parametrize("pattern", [r"sendto.*EPIPE", r" accept4\(", r"epoll_ctl.*ADD, 7"])
def test_pictures(pattern, snapshot, monkeypatch):
    monkeypatch.chdir(ACCEPT_ONCE.parent)
    found = explain_line(ACCEPT_ONCE.name, first(ACCEPT_ONCE, pattern))
    assert picture(found, Look()) == snapshot
    assert all(len(line) <= 80 for line in picture(found, Look(width=80)).splitlines())


def test_a_failed_write_and_the_finding_that_uses_it():
    line = first(ACCEPT_ONCE, r"sendto.*EPIPE")
    found = explain_line(str(ACCEPT_ONCE), line)
    assert found.sentence.startswith("pid 13569 (python3) fails to send 997 bytes on fd 9 (TCP ")
    assert found.verdict is Verdict.FAILED
    assert [(use.code, use.step) for use in found.findings] == [("TD202", 5)]
    assert [moment.note for moment in found.after] == ["fd 9", "closes fd 9"]
    assert found.before[0].note == "creates fd 9"


@pytest.mark.parametrize(
    ("call", "verdict", "reason"),
    [
        ("connect(3, {sa_family=AF_UNIX}, 16) = -1 EINPROGRESS (Operation now in progress)", "normal", "non-blocking"),
        ("read(3, 0x1, 8) = -1 EAGAIN (Resource temporarily unavailable)", "normal", "does not block"),
        ("read(4, 0x1, 8) = -1 EAGAIN (Resource temporarily unavailable)", "notable", "SO_RCVTIMEO"),
        ('read(3, "", 8) = 0', "normal", "every stream"),
        ('write(3, "abcdefgh", 8) = 5', "notable", "write the rest"),
        ("read(3, 0x1, 8) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)", "normal", "restarts"),
        ('mkdir("/x", 0777) = -1 EEXIST (File exists)', "normal", "mkdir -p"),
        ('open("/x", O_RDONLY) = -1 ENOENT (No such file or directory)', "notable", "last one"),
        ('open("/x", O_RDONLY) = -1 EACCES (Permission denied)', "failed", "permissions"),
        ("lseek(3, 0, SEEK_CUR) = -1 ESPIPE (Illegal seek)", "normal", "no offset"),
        ("wait4(-1, 0x1, 0, NULL) = -1 ECHILD (No child processes)", "normal", "no child"),
        ("epoll_wait(5, [], 8, 100) = 0", "normal", "what is due"),
    ],
)
def test_whether_it_is_normal(explain, call, verdict, reason):
    before = (
        "socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK, 0) = 3\n"
        "socket(AF_UNIX, SOCK_STREAM, 0) = 4\n"
        "epoll_create1(0) = 5\n"
    )  # fmt: skip
    found = explain(f"{before}{call}\n", 4)
    assert (str(found.verdict), reason in found.reason) == (verdict, True), found.reason


def test_one_try_of_a_search(explain):
    text = (
        'open("/a/lib.so", O_RDONLY) = -1 ENOENT (No such file or directory)\n'
        'open("/b/lib.so", O_RDONLY) = -1 ENOENT (No such file or directory)\n'
        'open("/c/lib.so", O_RDONLY) = 3\n'
    )
    found = explain(text, 2)
    assert (found.verdict, found.reason) == (Verdict.NORMAL, "one try of a search: line 3 finds /c/lib.so")
    assert [(moment.line, moment.note) for moment in (*found.before, *found.after)] == [
        (1, "the same name"),
        (3, "the same name"),
    ]
    assert explain(text.replace("c/lib", "c/other"), 2).verdict is Verdict.NOTABLE


def test_either_half_of_a_call(explain):
    text = '7 read(3,  <unfinished ...>\n8 getpid() = 8\n7 <... read resumed>"x", 1) = 1\n'
    assert explain(text, 1) == explain(text, 3)
    assert (explain(text, 1).line, explain(text, 1).last_line, explain(text, 1).result) == (1, 3, "1 byte")


def test_a_call_that_never_returned(explain):
    found = explain('open("/x", O_RDONLY) = 3\nread(3, ', 2)
    assert (found.verdict, found.sentence.startswith("the process is inside read, to read")) == (Verdict.PENDING, True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (2, "line 2 is no call but a signal: --- SIGCHLD {si_signo=SIGCHLD} ---; the nearest call is at line 1"),
        (
            4,
            "is no call but the end of a process or thread: +++ exited with 0 +++; the nearest call is at line 3",
        ),
    ],
)
def test_a_line_that_is_no_call(explain, line, message):
    text = "getpid() = 7\n--- SIGCHLD {si_signo=SIGCHLD} ---\nexit_group(0) = ?\n+++ exited with 0 +++\n"
    with pytest.raises(NoCallError) as error:
        explain(text, line)
    assert str(error.value).endswith(message)


def test_a_row_of_a_table_of_counts_is_no_call():
    trace = "tests/overviews/recorded/counts.columns.strace"
    with pytest.raises(NoCallError, match="line 3 is no call but a row of the table of strace -c: read "):
        explain_line(trace, 3)


def test_no_such_line(explain):
    with pytest.raises(NoCallError, match=r"has 1 line: there is no line 9$"):
        explain("getpid() = 7\n", 9)


def test_every_call_of_a_sample_has_a_sentence_of_its_own():
    path = SAMPLES / "failed-call-behind-exit" / "bug-python.strace"
    lines = path.read_text().splitlines()
    calls: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if (name := re.search(r" (\w+)\(", line)) is not None:
            calls.setdefault(name[1], number)
    for name, number in calls.items():
        found = explain_line(str(path), number)
        assert not re.search(rf"calls? {name}\b", found.sentence), found.sentence
        assert "?" not in found.sentence, found.sentence
        document(found)


def test_of_several_traces_in_a_file_the_one_with_the_line(tmp_path):
    path = tmp_path / "trace"
    part = 'open("/etc/x", O_RDONLY) = 3\nread(3, "", 10) = 0\nclose(3) = 0\nexit_group(0) = ?\n+++ exited with 0 +++\n'
    path.write_text(f"=== good run ===\n{part}\n=== bad run ===\n{part.replace('/etc/x', '/etc/y')}")
    assert "/etc/y" in explain_line(str(path), 10).sentence


def test_what_changed_the_same_path_in_another_process_or_directory(explain):
    text = (
        '1 openat(AT_FDCWD</srv>, "a/new", O_WRONLY|O_CREAT, 0600) = 3</srv/a/new>\n'
        '2 openat(AT_FDCWD</srv>, "a/new", O_RDONLY) = 3</srv/a/new>\n'
        '3 openat(AT_FDCWD</other>, "a/new", O_WRONLY|O_CREAT, 0600) = 3</other/a/new>\n'
        '4 openat(AT_FDCWD</srv/a>, "x", O_RDONLY) = 3</srv/a/x>\n'
        '4 rename("new", "old") = 0\n'
        '1 unlink("a/old") = -1 EACCES (Permission denied)\n'
        '1 unlink("a/old") = 0\n'
    )
    found = explain(text, 5)
    assert [(moment.line, moment.note) for moment in found.before] == [(1, "the same path")]
    assert [(moment.line, moment.note) for moment in found.after] == [(7, "the same path")]
