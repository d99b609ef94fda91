"""Results and halves in the forms of old versions, of unusual options, and of people who retype them."""

from __future__ import annotations

import pytest

from tracediag.reading import Reader, read
from tracediag.trace.annotations import parse_annotation
from tracediag.trace.errnos import all_errors
from tracediag.trace.events import Event, Syscall
from tracediag.trace.values import Annotated


def events(*lines: str) -> list[Event]:
    reader = Reader(lines)
    found = list(reader)
    assert reader.counts.not_understood == 0, reader.counts.samples
    return found


def calls(*lines: str) -> list[Syscall]:
    return [event for event in events(*lines) if isinstance(event, Syscall)]


@pytest.mark.parametrize("prefix", ["", "4021 ", "[pid 4021] ", "10:22:31.000001 ", "> ", "4021 [ffffffff] ", "| "])
@pytest.mark.parametrize("duration", ["", " <0.000012>"])
def test_every_error_is_read_on_every_path(prefix: str, duration: str) -> None:
    errors = all_errors()
    lines = [f'{prefix}mkdir("d", 0777) = -1 {error.name} ({error.text}){duration}' for error in errors]
    assert [(call.result, call.errno, call.detail) for call in calls(*lines)] == [
        (-1, error.name, error.text) for error in errors
    ]


@pytest.mark.parametrize("cut", [1, 2])
def test_every_error_is_read_from_a_wrapped_line(cut: int) -> None:
    for error in all_errors():
        text = error.text.rsplit(" ", 1)
        if len(text) < 2:
            continue
        first = f'execve("/bin/x", ["x"], [/* 9 vars */]) = -1 {error.name} ({text[0]}'
        lines = (f"> {first}", f"> {text[1]})") if cut == 1 else (first, f"{text[1]})")
        (call,) = calls(*lines)
        assert (call.result, call.errno) == (-1, error.name), lines


@pytest.mark.parametrize(
    "text",
    [
        ")=-1 EBADF (Bad file descriptor)",
        ") =-1 EBADF (Bad file descriptor)",
        ") = -1 errno 9 (Bad file descriptor)",
        ") = -1 errno=9 (Bad file descriptor)",
        ") = -1 (errno 9)",
        ") = -1 (EBADF)",
        ") = -1 [EBADF]",
        ") = -EBADF",
        ") = -9 EBADF (Bad file descriptor)",
        ") = EBADF",
        ") => -1 EBADF",
        ") → -1 EBADF (Bad file descriptor)",
        ") returned -1 EBADF (Bad file descriptor)",
        "): -1 EBADF",
        ") -1 EBADF (Bad file descriptor)",
    ],
)
def test_a_retyped_error(text: str) -> None:
    (call,) = calls(f"close(5{text}")
    assert (call.name, call.number(0), call.result, call.errno, call.returned) == ("close", 5, -1, "EBADF", True)


@pytest.mark.parametrize(
    "line", ['read(3,"a",1)=1', 'read(3, "a", 1) =1', 'read (3, "a", 1) = 1', 'read(3, "a", 1): 1']
)
def test_a_retyped_result(line: str) -> None:
    (call,) = calls(line)
    assert (call.name, call.number(0), len(call.args), call.result) == ("read", 3, 3, 1)


def test_a_field_in_parentheses_is_no_result() -> None:
    (call,) = calls("recvmsg(3, {msg_name(0)=0,", " msg_iov(1)=[{NULL, 0}], msg_flags=0}, 0) = 7")
    assert (call.result, call.end_line) == (7, 2)


def test_debugging_messages_inside_calls() -> None:
    found = calls(
        "brk(NULLstrace: [wait(0x00857f) = 1613] WIFSTOPPED,sig=133",
        "strace: next_event: queued pid 1613",
        ")                               = 0x5651f314c000",
        'access("/nope", F_OKstrace: [wait(0x00857f) = 1613] WIFSTOPPED,sig=133',
        ") = -1 ENOENT (No such file or directory)",
        "mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, -1, 0 [wait(0x057f) = 23] WIFSTOPPED,sig=SIGTRAP",
        ")      = 0x7f0000001000",
    )
    assert [(call.name, call.result, call.errno) for call in found] == [
        ("brk", 0x5651F314C000, None), ("access", -1, "ENOENT"), ("mmap", 0x7F0000001000, None)
    ]  # fmt: skip


def test_debugging_messages_cost_no_failure_where_names_are_filtered() -> None:
    lines = (
        'access("/nope", F_OKstrace: [wait(0x00857f) = 1613] WIFSTOPPED,sig=133',
        ") = -1 ENOENT (No such file or directory)",
    )
    (call,) = [event for event in Reader(lines, calls=(), begun=()) if isinstance(event, Syscall)]
    assert (call.name, call.errno) == ("access", "ENOENT")


def test_a_line_break_in_a_note() -> None:
    found = calls(
        'openat(AT_FDCWD, "d/a\\nb", O_RDWR) = 3</srv/d/a',
        'b"q\\>',
        "write(3</srv/d/a",
        'b"q\\>, "data", 4) = 4',
        "close(3</srv/d/a",
        'b"q\\>) = 0',
    )
    assert [(call.name, call.number(0) if call.name != "openat" else None, call.result) for call in found] == [
        ("openat", None, 3), ("write", 3, 4), ("close", 3, 0)
    ]  # fmt: skip
    assert [len(call.args) for call in found] == [3, 3, 1]


def test_a_thread_that_executes_in_its_own_file() -> None:
    found = calls(
        '102 execve("/bin/true", ["true"], 0x7ffc /* 8 vars */ <pid changed to 100 ...>',
        "100 +++ superseded by execve in pid 102 +++",
        "100 <... execve resumed>) = 0",
    )
    assert [(call.name, call.pid, call.result, call.returned) for call in found] == [("execve", 100, 0, True)]


def test_a_half_that_is_closed() -> None:
    (call,) = calls('execve("/bin/sleep", ["sleep", "1"], [/* 12 vars */]) <unfinished ...>')
    assert (call.name, len(call.args), call.returned) == ("execve", 3, False)


def test_the_second_half_that_successes_only_prints() -> None:
    found = calls(
        "7 wait4(-1,  <unfinished ...>",
        "[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 9",
        "8 read(3,  <unfinished ...>",
        "7 wait4(-1,  <unfinished ...>",
        "[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 10",
        '8 <... read resumed>"a", 1) = 1',
    )
    assert [(call.name, call.pid, call.result, call.end_line) for call in found] == [
        ("wait4", 7, 9, 2), ("wait4", 7, 10, 5), ("read", 8, 1, 6)
    ]  # fmt: skip


def test_a_bare_rest_ends_no_exit_and_no_call_further_up() -> None:
    found = calls("7 exit_group(0 <unfinished ...>", ") = 3")
    assert [(call.name, call.result, call.returned) for call in found] == [("exit_group", None, False)]
    found = calls(
        "7 read(3,  <unfinished ...>", "8 read(4,  <unfinished ...>", "9 close(3) = 0", '"a", 1) = 1',
    )  # fmt: skip
    assert [call.result for call in found if call.name == "read"] == [None, None]


def test_notes_in_hexadecimal() -> None:
    found = calls(
        r'read(3<\x2f\x65\x74\x63>, "\x61", 1) = 1',
        r"close(4<\x2f\x64\x65\x76\x2f\x6e\x75\x6c\x6c<char 1:3>>) = 0",
    )
    notes = [call.args[0] for call in found]
    assert [parse_annotation(note.note).path for note in notes if isinstance(note, Annotated)] == ["/etc", "/dev/null"]


def test_the_recording_shows_its_hexadecimal_notes() -> None:
    reader = Reader([r'openat(AT_FDCWD<\x2f>, "\x61", O_RDONLY) = 3<\x2f\x61>'])
    list(reader)
    assert reader.dialect.has_fd_paths


def test_blanks_in_fields() -> None:
    (call,) = calls("prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {len = 4, filter = 0x7ffe8f089590}) = 0")
    assert call.args[2] is not None
    assert getattr(call.args[2], "fields", ())[0] == ("len", 4)


def test_an_array_that_could_not_be_read() -> None:
    (call,) = read(["recvmsg(15, {msg_name(-6058400)={...}, msg_iov(30064771072)=[?] 0, msg_flags=0}, 0) = 3"])
    assert isinstance(call, Syscall)
    assert [name for name, _ in getattr(call.args[1], "fields", ())] == ["msg_name", "msg_iov", "msg_flags"]
