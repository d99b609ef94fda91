"""`why`: from words to the write that printed them, and to what is behind it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracediag.overviews.why.cause import NotPrintedError, find_cause
from tracediag.report.base import Look
from tracediag.report.cause import picture
from tracediag.results.cause import Origin
from tracediag.results.grades import Confidence

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture
def why(tmp_path):
    def ask(text, message):
        path = tmp_path / "trace"
        path.write_text(text)
        return find_cause(str(path), message)

    return ask


@pytest.mark.parametrize(
    ("sample", "message", "call"),
    [
        ("failed-call-behind-exit/bug", "run/service.pid: No such file", "ENOENT"),
        ("descriptor-limit-reached/bug", "too many open files", "users/9.*EMFILE"),
        ("child-failure-behind/bug", "open failed: reports/today.txt: No such file or directory", "today.*ENOENT"),
        ("eagain-treated-as-error/bug", "read from worker: Resource temporarily unavailable", r"read\(.*EAGAIN"),
        ("nonblocking-shared-terminal/bug", "cat: -: Resource temporarily unavailable", r"read\(.*EAGAIN"),
        ("peer-reset/bug", "recv: Connection reset by peer", r"recv.*ECONNRESET"),
        ("leaked-into-exec/bug", "Address already in use", "EADDRINUSE"),
        ("epollserver/accept-once", "40870 broken PIPE", r"sendto.*40870.*EPIPE"),
        ("failed-call-behind-exit/bug-python", "FileNotFoundError", "ENOENT"),
    ],
)
def test_the_failed_call_behind_a_message(sample, message, call):
    found = find_cause(str(SAMPLES / f"{sample}.strace"), message)
    assert found.origin is Origin.FAILED_CALL
    primary = next(step for step in found.steps if step.primary)
    assert re.search(call, primary.text)
    assert primary.line < found.line
    assert found.steps[-1].text.startswith(("write(", "writev("))


def test_a_message_in_pieces_is_one():
    found = find_cause(str(SAMPLES / "child-failure-behind" / "bug.strace"), "sort: open failed")
    assert found.text == "sort: open failed: reports/today.txt: No such file or directory"


def test_a_child_behind_a_message(why, snapshot):
    text = (
        "7 fork() = 8\n"
        '8 execve("/bin/cat", ["cat", "/x"], 0x1 /* 1 vars */) = 0\n'
        '8 open("/x", O_RDONLY) = -1 EACCES (Permission denied)\n'
        '8 write(2, "cat: /x: Permission denied\\n", 27) = 27\n'
        "8 exit_group(1) = ?\n"
        "8 +++ exited with 1 +++\n"
        "7 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 1}], 0, NULL) = 8\n"
        '7 write(2, "make: *** [all] Error 1\\n", 24) = 24\n'
    )
    found = why(text, "[all] Error 1")
    assert found.origin is Origin.CHILD
    assert found.reason == (
        "its child cat (pid 8) exits with status 1, because open of /x fails with EACCES (permission denied)"
    )
    assert picture(found, Look()) == snapshot


def test_a_text_that_a_peer_sent(why):
    text = (
        "socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3\n"
        'connect(3, {sa_family=AF_INET, sin_port=htons(5432), sin_addr=inet_addr("10.0.0.5")}, 16) = 0\n'
        'read(3, "E\\0\\0FATAL: password wrong\\0", 99) = 26\n'
        'write(2, "psql: FATAL: password wrong\\n", 28) = 28\n'
    )
    found = why(text, "fatal: password  wrong")
    assert (found.origin, found.reason) == (
        Origin.READ,
        "the text came from TCP -> 10.0.0.5:5432: the program read it and printed it",
    )
    assert [step.line for step in found.steps] == [3, 4]


def test_the_text_of_a_script_is_not_read_from_a_peer(why):
    text = (
        'open("/x.py", O_RDONLY) = 3\n'
        'read(3, "print(\\"hello there\\")\\n", 99) = 22\n'
        'write(1, "hello there\\n", 12) = 12\n'
    )
    found = why(text, "hello there")
    assert (found.origin, found.reason) == (Origin.OWN, "no call failed: the text is the program's own")


def test_a_failure_that_the_message_does_not_name(why):
    text = (
        'unlink("/run/x") = -1 EROFS (Read-only file system)\n'
        "getpid() = 7\n"
        "getpid() = 7\n"
        'write(2, "stopping now\\n", 13) = 13\n'
    )
    found = why(text, "stopping now")
    assert (found.origin, found.confidence) == (Origin.OWN, Confidence.POSSIBLE)
    assert "unlink of /run/x fails with EROFS" in found.reason


def test_a_log_and_syslog(why):
    failing = 'open("/etc/app.conf", O_RDONLY) = -1 EACCES (Permission denied)\n'
    log = (
        'open("/var/log/app.log", O_WRONLY) = 4\n' + failing + 'write(4, "E app.conf: Permission denied\\n", 30) = 30\n'
    )
    assert why(log, "app.conf: permission").where == "fd 4 = /var/log/app.log"
    syslog = (
        "socket(AF_UNIX, SOCK_DGRAM, 0) = 4\n"
        'connect(4, {sa_family=AF_UNIX, sun_path="/dev/log"}, 110) = 0\n'
        f"{failing}"
        'sendto(4, "<27>Nov 1 app[7]: app.conf: Permission denied", 45, MSG_NOSIGNAL, NULL, 0) = 45\n'
    )
    found = why(syslog, "app.conf: permission denied")
    assert (found.origin, "/dev/log" in found.where) == (Origin.FAILED_CALL, True)


def test_words_that_strace_cut(why):
    text = (
        'open("/etc/app.conf", O_RDONLY) = -1 EACCES (Permission denied)\n'
        'write(2, "app: cannot read /etc/app.c"..., 48) = 48\n'
    )
    found = why(text, "cannot read /etc/app.conf: Permission denied")
    assert (found.complete, found.confidence, found.origin) == (False, Confidence.LIKELY, Origin.FAILED_CALL)
    assert "only the beginning of the words is shown" in picture(found, Look())


def test_what_the_program_printed_between_the_records(why):
    text = (
        'openat(AT_FDCWD, "/etc/shadow", O_RDONLY) = -1 EACCES (Permission denied)\n'
        "cat: /etc/shadow: Permission denied\n"
        "exit_group(1) = ?\n"
        "+++ exited with 1 +++\n"
    )
    found = why(text, "shadow: Permission denied")
    assert (found.origin, found.line) == (Origin.FAILED_CALL, 2)


def test_the_first_of_several_and_how_many(why):
    found = why('write(2, "oh no, again\\n", 13) = 13\n' * 3, "oh no, again")
    assert (found.line, found.times, found.last_line) == (1, 3, 3)


@pytest.mark.parametrize(
    ("message", "end"),
    [
        ("connection refusal", "the nearest text, at line 1, is 'connection refused'"),
        ("config.toml is missing", "the nearest text, at line 2, is 'no config.toml here'"),
        ("entirely different", "no write shows 'entirely different'"),
    ],
)
def test_what_no_write_shows(why, message, end):
    text = 'write(2, "connection refused\\n", 19) = 19\nwrite(2, "no config.toml here\\n", 20) = 20\n'
    with pytest.raises(NotPrintedError) as error:
        why(text, message)
    assert str(error.value).endswith(end)


def test_a_usual_failure_of_a_named_object_is_not_behind_a_message(why):
    """EINVAL says that the file is no symbolic link, which realpath(3) asks of every component."""
    failed = '7 readlink("/srv/b/util.c", 0x7ffc, 1023) = -1 EINVAL (Invalid argument)\n'
    assert why(failed + '7 write(2</srv/log>, "util.c: hello\\n", 14) = 14\n', "hello").origin is Origin.OWN
    told = why(failed + '7 write(2</srv/log>, "util.c: Invalid argument\\n", 25) = 25\n', "Invalid")
    assert told.origin is Origin.FAILED_CALL
