"""Rules that are a page and nothing else: what a head may say, what a finding says, what mistakes are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.checking.heads import check_head
from tracediag.engine import Engine
from tracediag.reading import Reader
from tracediag.results.findings import Confidence, Severity
from tracediag.rules import all_rules
from tracediag.rules.late_pages import LatePage
from tracediag.rules.page_rules import PageError, rule_of

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "epipe-still-registered" / "bug.strace"
PAGE = """\
---
severity: warning
summary: a program waits for a connection that failed with EPIPE

match: sequence by description
  [call in %send and errno == EPIPE]
  [call in %wait and reports it]
title: {process.comm|the program} waits for {object} after {1.errno}
notes: the peer {fd.peer|of it} has closed | still waits
why: a connection that failed with EPIPE never works again: send(2)
fix: close the descriptor at line {1.line}
---
# send-again (XY1)

## What it finds
A program waits for a dead connection.
"""
CREATED = """\
---
severity: note
summary: a pipe is created

match: call in (pipe, pipe2) and not failed
title: {call} creates a pipe
why: pipe(2)
fix: close both ends
---
# created-pipe (XY2)
"""


def found(text, lines, folder="/srv/rules", name="send-again"):
    engine = Engine([rule_of(Path(folder) / f"{name}.md", text)])
    return list(engine.run(Reader(lines))), engine


def test_a_sequence_becomes_a_finding():
    (finding,), _ = found(PAGE, str(SAMPLE))
    assert (finding.code, finding.name, finding.severity) == ("XY1", "send-again", Severity.WARNING)
    assert finding.title == "bug waits for fd 5 = TCP 127.0.0.1:40743 <- 127.0.0.1:59198 after EPIPE"
    assert [(step.line, step.note, step.primary) for step in finding.steps] == [
        (54, "the peer 127.0.0.1:59198 has closed", False),
        (55, "still waits", True),
    ]
    assert finding.fix == "close the descriptor at line 54"
    assert finding.confidence is Confidence.CERTAIN


def test_an_excerpt_costs_a_sequence_its_certainty_and_a_call_nothing():
    lines = SAMPLE.read_text().splitlines(keepends=True)[30:58]
    (finding,), _ = found(PAGE, lines)
    assert finding.confidence is Confidence.LIKELY
    (finding, *_), _ = found(CREATED, ["pipe2([3, 4], O_CLOEXEC) = 0\n"], name="created-pipe")
    assert finding.confidence is Confidence.CERTAIN
    assert finding.steps[0].note == "returns 0"


def test_a_part_that_the_trace_does_not_show_has_its_words():
    page = CREATED.replace("{call} creates", "{process.comm|some program} at {duration} creates")
    (finding,), _ = found(page, ["pipe2([3, 4], O_CLOEXEC) = 0\n"])
    assert finding.title == "some program at (not shown) creates a pipe"


WHOLE = """\
execve("/srv/a", ["a"], 0x7ffe /* 3 vars */) = 0
openat(AT_FDCWD, "/srv/new", O_WRONLY|O_CREAT, 0644) = 3
write(3, "x", 1) = 1
{}rename("/srv/new", "/srv/old") = 0
exit_group(0) = ?
+++ exited with 0 +++
"""
UNSYNCED = CREATED.replace(
    "call in (pipe, pipe2) and not failed",
    "absent [call == fsync] between [call == write] and [call == rename] by file",
)


def test_what_is_absent_must_be_recorded():
    findings, engine = found(UNSYNCED, WHOLE.format("").splitlines(keepends=True))
    assert findings == []
    (blind,) = engine.blind()
    assert "fsync" in blind.needs
    findings, engine = found(UNSYNCED, WHOLE.format("fsync(9) = 0\n").splitlines(keepends=True))
    assert [finding.steps[-1].line for finding in findings] == [5]
    assert list(engine.blind()) == []


def test_a_page_matches_what_another_does(tmp_path):
    (tmp_path / "created-pipe.md").write_text(CREATED)
    (tmp_path / "_hidden.md").write_text("---\nmatch: created-pipe\n---\n")
    for name in ("created-pipe", "_hidden"):
        page = CREATED.replace("match: call in (pipe, pipe2) and not failed", f"match: {name}")
        (finding,), _ = found(page, ["pipe([3, 4]) = 0\n"], folder=tmp_path, name="other")
        assert finding.title == "pipe creates a pipe"


def test_the_object_is_what_a_call_is_made_on_or_names():
    page = CREATED.replace("call in (pipe, pipe2) and not failed", "call in (close, unlink)").replace(
        "{call} creates a pipe", "{object}"
    )
    lines = ['openat(AT_FDCWD, "/srv/a", O_RDONLY) = 3\n', "close(3) = 0\n", 'unlink("/srv/a") = 0\n']
    findings, _ = found(page, lines)
    assert [finding.object for finding in findings] == ["fd 3 = /srv/a", "/srv/a"]


def test_parts_are_read_of_the_descriptor_that_a_sequence_is_by():
    page = CREATED.replace(
        "call in (pipe, pipe2) and not failed", "sequence by descriptor [call == openat] [call == read]"
    ).replace("{call} creates a pipe", "fd {fd.number} of {fd.path}, {count} call")
    lines = ['openat(AT_FDCWD, "/srv/a", O_RDONLY) = 3\n', 'read(3, "", 8) = 0\n']
    (finding,), _ = found(page, lines)
    assert finding.title == "fd 3 of /srv/a, 1 call"


def test_a_page_of_our_own_has_the_name_of_a_module(tmp_path):
    (tmp_path / "created_pipe.md").write_text(CREATED)
    page = CREATED.replace("match: call in (pipe, pipe2) and not failed", "match: created-pipe")
    assert found(page, ["pipe([3, 4]) = 0\n"], folder=tmp_path, name="other")[0]


def test_a_page_that_is_referred_to_may_come_from_windows(tmp_path):
    (tmp_path / "_windows.md").write_bytes(b"\xef\xbb\xbf---\r\nmatch: call == pipe\r\n---\r\n")
    page = CREATED.replace("match: call in (pipe, pipe2) and not failed", "match: _windows")
    assert found(page, ["pipe([3, 4]) = 0\n"], folder=tmp_path, name="other")[0]


def test_very_many_cases_are_no_page():
    case = CREATED[CREATED.index("match:") : CREATED.index("---\n#")]
    with pytest.raises(PageError, match=r":505: a page has at most 100 cases"):
        rule_of(Path("/srv/created-pipe.md"), CREATED.replace(case, "\n".join([case] * 101)))


def test_a_page_that_is_referred_to_is_bounded(tmp_path):
    (tmp_path / "_large.md").write_text("---\nmatch: failed\n---\n" + "x" * (1 << 20))
    with pytest.raises(PageError, match="more than 1,048,576 bytes"):
        rule_of(tmp_path / "other.md", CREATED.replace("call in (pipe, pipe2) and not failed", "_large"))


def test_pages_that_refer_to_one_another_end(tmp_path):
    (tmp_path / "_one.md").write_text("---\nmatch: _two\n---\n")
    (tmp_path / "_two.md").write_text("---\nmatch: _one\n---\n")
    page = CREATED.replace("match: call in (pipe, pipe2) and not failed", "match: _one")
    with pytest.raises(PageError, match="in a circle"):
        rule_of(tmp_path / "other.md", page)


CASES = """\
---
severity: note
summary: a file is closed

match: call == close
shows: fd.created: {call} ends what line {fd.created.line} began | fd.last_write: never shown
title: {fd} is closed{, opened with {fd.created.path}}{ by {detail}}
why: close(2)
notes: closed{: fails with {errno}|; the number is free}
fix: none

when: fd.created
severity: warning
explains: double-close

when: fd.created.flags has O_CREAT
severity: error
confidence: possible
title: {fd.created.call} created {object} and {process.comm|a program} closed it
shows: fd.created: made here
absent: fd.created: fsync of fd {fd.number}
---
# closed-file (XY3)
"""
CLOSES = """\
openat(AT_FDCWD, "/srv/a", O_RDONLY) = 3
close(3) = 0
openat(AT_FDCWD, "/srv/b", O_RDWR|O_CREAT, 0644) = 3
close(3) = 0
close(3) = -1 EBADF (Bad file descriptor)
"""


def test_a_condition_replaces_what_is_said_and_the_later_one_wins():
    plain, created, failed = found(CASES, CLOSES.splitlines(keepends=True), name="closed-file")[0]
    assert (plain.severity, created.severity, failed.severity) == (Severity.WARNING, Severity.ERROR, Severity.NOTE)
    assert (plain.confidence, created.confidence) == (Confidence.CERTAIN, Confidence.POSSIBLE)
    assert plain.title == "fd 3 (/srv/a) is closed, opened with /srv/a"
    assert created.title == "openat created fd 3 = /srv/b and a program closed it"
    assert [(each.name, each.line) for each in created.explains] == [("double-close", 4)]
    assert [(each.text, each.first_line, each.last_line) for each in created.absent] == [("no fsync of fd 3", 3, 4)]
    assert not failed.explains


def test_earlier_events_are_steps_where_the_trace_shows_them():
    plain, created, failed = found(CASES, CLOSES.splitlines(keepends=True), name="closed-file")[0]
    assert [(step.line, step.note) for step in plain.steps] == [
        (1, "close ends what line 1 began"),
        (2, "closed; the number is free"),
    ]
    assert [step.note for step in created.steps] == ["made here", "closed; the number is free"]
    assert [step.note for step in failed.steps] == ["closed: fails with EBADF"]


ENDS = """\
---
severity: note
summary: a connect fails

match: call == connect and failed
ended: end.failed or end.lines > 9 or errno == ETIMEDOUT
title: {call} fails with {errno}
why: connect(2)
fix: none

when: end.failed
severity: error
title: {call} fails with {errno}, and {end.how}
shows: end.report: {end.said} | end.exit: {end.how}
---
# failed-connect (XY4)
"""
ENDED = """\
{0} execve("./a", ["./a"], 0x7ffe /* 3 vars */) = 0
{0} connect(3, {{sa_family=AF_UNIX, sun_path="/x"}}, 110) = -1 {1}
{0} write(2, "./a: {2}\\n", 20) = 20
{0} exit_group({3}) = ?
{0} +++ exited with {3} +++
"""


def test_a_match_may_wait_for_the_end_of_its_process():
    refused, timeout = "ECONNREFUSED (Connection refused)", "ETIMEDOUT (Connection timed out)"
    lines = ENDED.format(7, refused, "Connection refused", 1) + ENDED.format(8, refused, "Connection refused", 0)
    lines += ENDED.format(9, timeout, "Connection timed out", 0)
    bad, slow = found(ENDS, lines.splitlines(keepends=True), name="failed-connect")[0]
    assert (bad.severity, slow.severity) == (Severity.ERROR, Severity.NOTE)
    assert bad.title == "connect fails with ECONNREFUSED, and the process exits with status 1"
    assert [(step.line, step.note) for step in bad.steps] == [
        (2, "fails with ECONNREFUSED"),
        (3, "the program reports the error on fd 2"),
        (5, "the process exits with status 1"),
    ]
    assert (slow.title, len(slow.steps)) == ("connect fails with ETIMEDOUT", 1)


SIGNALLED = """\
---
severity: warning
summary: a worker is told to stop, and is killed

match: signal == SIGTERM and si_pid == 1
ended: end.signal == "SIGKILL"
title: {process.name} is killed after {signal} from pid {si_pid}
shows: thread.last: the last call | end.exit: {end.how}
primary: end.exit
why: signal(7)
fix: stop in time
explains: killed-from-outside at end.exit
---
# worker-killed (XY4)
"""
STOPPED = """\
7 execve("./w", ["./w"], 0x7ffe) = 0
7 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---
7 openat(AT_FDCWD, "/a", O_RDONLY) = 3
7 +++ killed by SIGKILL +++
""".splitlines(keepends=True)


def test_a_page_is_about_a_signal_and_shows_the_end():
    (finding,), _ = found(SIGNALLED, STOPPED, name="worker-killed")
    assert finding.title == "w (pid 7) is killed after SIGTERM from pid 1"
    assert finding.object == "w (pid 7)"
    assert [(step.line, step.note, step.primary) for step in finding.steps] == [
        (1, "the last call", False),
        (2, "SIGTERM is delivered", False),
        (4, "the process is killed by SIGKILL", True),
    ]
    assert [(each.name, each.line) for each in finding.explains] == [("killed-from-outside", 4)]
    assert found(SIGNALLED, [*STOPPED[:3], "7 +++ exited with 0 +++\n"], name="worker-killed")[0] == []


def test_a_page_is_about_an_end_alone_or_after_a_signal():
    last = SIGNALLED.replace(
        'signal == SIGTERM and si_pid == 1\nended: end.signal == "SIGKILL"', "exit.signal == SIGKILL"
    )
    last = last.replace(" after {signal} from pid {si_pid}", "").replace(
        " | end.exit: {end.how}\nprimary: end.exit", ""
    )
    (finding,), _ = found(last.replace(" at end.exit", ""), STOPPED, name="worker-killed")
    assert [(step.line, step.note, step.primary) for step in finding.steps] == [
        (3, "the last call", False),
        (4, "the process ends", True),
    ]
    both = "sequence by process [signal == SIGTERM] [exit.signal == SIGKILL]"
    pair = (
        last.replace("exit.signal == SIGKILL", both).replace(" at end.exit", "").replace("{process.name}", "{object}")
    )
    (finding,), _ = found(pair, STOPPED, name="worker-killed")
    assert finding.title == "pid 7 is killed"
    assert [step.note for step in finding.steps] == ["SIGTERM is delivered", "the last call", "the process ends"]


def test_a_finding_explains_what_is_found_at_another_event():
    page = ENDS.replace(
        "shows: end.report", "explains: missing-file, child-failure-behind at end.exit\nshows: end.report"
    )
    lines = ENDED.format(7, "ECONNREFUSED (Connection refused)", "Connection refused", 1).splitlines(keepends=True)
    (finding,) = found(page, lines, name="failed-connect")[0]
    assert [(each.name, each.line) for each in finding.explains] == [("missing-file", 2), ("child-failure-behind", 5)]


@pytest.mark.parametrize("rests", ["", "rests_on: write\n", "rests_on: fsync\n"])
def test_a_finding_is_held_back_where_the_recording_hides_what_it_rests_on(rests):
    """The lines show writes, and are so many that a call without a trace of itself was not recorded."""
    page = CREATED.replace("match: call in (pipe, pipe2) and not failed", f"match: call == connect\n{rests}".rstrip())
    lines = ENDED.format(7, "ECONNREFUSED (Connection refused)", "x", 0).splitlines(keepends=True)
    lines += ['7 write(1, "x", 1) = 1\n'] * 500
    findings, engine = found(page, lines, name="created-pipe")
    assert bool(findings) is ("fsync" not in rests)
    assert [each.rule for each in engine.blind()] == (["created-pipe"] if "fsync" in rests else [])


def test_a_page_about_the_last_call_is_read_only_where_such_a_call_is_the_last(monkeypatch):
    """Each program begins with an execve: the page about those that end in it would else be read at each start."""
    (rule,) = (rule for rule in all_rules() if rule.name == "exec-broke-process")
    read = []
    monkeypatch.setattr(
        "tracediag.rules.page_rules.rule_of", lambda path, *rest: read.append(path) or rule_of(path, *rest)
    )
    assert list(Engine([rule]).run(Reader(ENDED.format(7, "EACCES (x)", "x", 1).splitlines(keepends=True)))) == []
    assert not read
    killed = ['7 execve("./a", ["./a"], 0x7ffe /* 3 vars */) = -1 ENOMEM (x)\n', "7 +++ killed by SIGKILL +++\n"]
    assert [found.code for found in Engine([rule]).run(Reader(killed))] == ["TD520"]
    assert read


def test_a_process_that_the_trace_leaves_alive_has_not_failed():
    lines = ENDED.format(7, "ECONNREFUSED (Connection refused)", "x", 1).splitlines(keepends=True)[:3]
    assert found(ENDS, lines, name="failed-connect")[0] == []
    (finding,) = found(ENDS.replace("ended: end.failed", "ended: not end.failed"), lines, name="failed-connect")[0]
    assert (finding.severity, finding.primary.line) == (Severity.NOTE, 2)


def test_only_the_first_match_of_an_object_is_reported():
    page = CASES.replace("match: call == close", "match: call == read\nonce: descriptor")
    read = 'read(3, "", 9) = 0\n'
    reads = ['openat(AT_FDCWD, "/srv/a", O_RDONLY) = 3\n', read, read, "close(3) = 0\n"]
    findings, _ = found(page, reads * 2, name="closed-file")
    assert [finding.primary.line for finding in findings] == [2, 6]


def test_pages_of_our_own_are_read_late_and_subscribe_to_all_that_they_match():
    late = [rule for rule in all_rules() if issubclass(rule, LatePage)]
    assert late
    for rule in late:
        text = rule.page_file().read_text("utf-8")
        read = rule_of(rule.page_file(), text)
        heard = set(rule.subscriptions())
        for kind, name in set(read.subscriptions()) - {("end", "")}:
            assert heard & {(kind, name), ("errno", name.rpartition(" ")[2])}, (rule.name, kind, name)
        assert (read.name, read.code, read.severity, read.summary) == (
            rule.name,
            rule.code,
            rule.severity,
            rule.summary,
        )
        assert set(read.rests_on) == set(rule.rests_on)
        assert (read.rests_on_successes, read.rests_on_failures) == (rule.rests_on_successes, rule.rests_on_failures)
        assert list(check_head(rule.page_file(), text)) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("summary:", "sumary:", 3, "no field of a head is named sumary; here may stand severity, summary"),
        ("summary: a program waits for a connection that failed with EPIPE\n", "", 2, "the paragraph lacks summary"),
        ("severity: warning", "severity: bad", 2, "bad is none of error, warning, note"),
        ("severity: warning", "severity: note\nneeds: time", 3, "time is none of times, durations"),
        ("severity: warning", "severity: note\nconfidence: sure", 3, "sure is none of certain, likely, possible"),
        ("[call in %send", "[cal in %send", 6, "match: column 4: nothing is named cal; did you mean call?"),
        ("match: sequence by description\n ", "match: no-such-page\n#", 6, "no field"),
        ("title:", "# title:", 8, "no field"),
        ("{object}", "{objekt}", 8, "{objekt}: nothing is named objekt"),
        ("{1.errno}", "{3.errno}", 8, "{3.errno}: a match has 2 calls"),
        ("{1.errno}", "{1.fd.peer}", 8, "fd.peer is read from the model, which is known only at the last call"),
        (" | still waits", "", 9, "notes: 1, but a match has 2 steps"),
        ("why: a", "why a", 10, "no field: why a"),
        ("why: a", "why:\nx: a", 10, "why is empty"),
        ("# send-again (XY1)", "# Send again", 13, "below the head stands the title: # name-of-the-rule (XY123)"),
        ("---\nseverity", "severity", 1, "the page has no head"),
    ],
)
def test_each_mistake_has_its_line(old, new, line, message):
    with pytest.raises(PageError) as caught:
        rule_of(Path("/srv/rules/send-again.md"), PAGE.replace(old, new, 1))
    assert message in caught.value.message or message in str(caught.value)
    assert caught.value.line == line
