"""Messages on fd 2: pieces joined into messages, the named error and object, all of it bounded."""

from __future__ import annotations

import pytest

from tracediag.engine import Engine
from tracediag.evidence.blame import find_blame
from tracediag.evidence.complaints import Complaint, report_step, said_by
from tracediag.evidence.last_words import shortened
from tracediag.kernel.process import Process
from tracediag.reading import read
from tracediag.trace.events import Syscall


def process_of(*lines: str) -> Process:
    engine = Engine([])
    list(engine.run(read([f"{line}\n" for line in lines])))
    return engine.kernel.processes[0]


def line_of(call: Syscall | None) -> int:
    assert call is not None
    return call.line


FAILED_TEXT = 'write(2, ": No such file or directory\\n", 28) = 28'
FAILED = 'openat(AT_FDCWD, "/etc/shadow", O_RDONLY) = -1 EACCES (Permission denied)'


def test_an_error_that_is_written_in_pieces_is_named() -> None:
    said = said_by(
        process_of(
            FAILED, 'write(2, "cat: ", 5) = 5', 'write(2, "Permission ", 11) = 11', 'write(2, "denied\\n", 7) = 7'
        )
    )
    assert said.text == "cat: Permission denied\n"
    assert line_of(said.names_error("EACCES")) == 4
    assert said.names_error("ENOENT") is None


def test_pieces_of_different_messages_are_not_joined() -> None:
    between = ["getuid() = 0"] * 20
    said = said_by(process_of('write(2, "Permission ", 11) = 11', *between, 'write(2, "denied\\n", 7) = 7'))
    assert [message.text for message in said.messages] == ["Permission ", "denied\n"]
    assert said.names_error("EACCES") is None


def test_the_buffers_of_a_writev_are_one_text() -> None:
    said = said_by(
        process_of('writev(2, [{iov_base="x: ", iov_len=3}, {iov_base="No space left on device", iov_len=23}], 2) = 26')
    )
    assert line_of(said.names_error("ENOSPC")) == 1


def test_perror_writes_to_a_dup_of_the_standard_error() -> None:
    opened = 'openat(AT_FDCWD, "/dev/pts/0", O_RDWR) = 2'
    said = said_by(process_of(opened, FAILED, "dup(2) = 3", 'write(3, "cat: Permission denied\\n", 23) = 23'))
    assert line_of(said.names_error("EACCES")) == 4


def test_a_text_that_strace_cut_names_its_error_and_object() -> None:
    cut = said_by(process_of(FAILED, 'write(2, "cat: /etc/shadow: Permiss"..., 36) = 36'))
    failed = process_of(FAILED).failures[0]
    assert line_of(cut.names_error("EACCES")) == 2
    assert line_of(cut.names_object(failed)) == 2


def test_only_what_was_said_after_a_line_counts() -> None:
    process = process_of('write(2, "Permission denied\\n", 18) = 18', FAILED, 'write(2, "bye\\n", 4) = 4')
    assert said_by(process).names_error("EACCES") is not None
    after = said_by(process, 2)
    assert after.names_error("EACCES") is None
    assert line_of(after.first) == 3
    assert not after.after(3)


def test_the_step_says_whether_the_error_was_reported() -> None:
    (call,) = said_by(process_of('write(2, "Permission denied\\n", 18) = 18')).calls
    assert report_step(call).note == "the program reports the error on fd 2"
    assert report_step(call, named=False, subject="child").note == "the child writes this to fd 2"


def test_megabytes_on_the_standard_error_are_not_searched_to_the_end() -> None:
    long = "x" * (4 << 20)
    (call,) = said_by(process_of(f'write(2, "{long}", {len(long)}) = {len(long)}')).calls
    said = Complaint((call,))
    assert len(said.text) < 100_000
    assert said.pieces[0].shortened


def test_a_writev_of_thousands_of_buffers_is_bounded() -> None:
    buffers = ", ".join('{iov_base="x", iov_len=1}' for _ in range(3000))
    (call,) = said_by(process_of(f"writev(2, [{buffers}], 3000) = 3000")).calls
    assert len(Complaint((call,)).pieces) < 100


SEARCHED = (
    'connect(3, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT (No such file or directory)'
)


@pytest.mark.parametrize(
    ("message", "blamed"),
    [
        (['write(2, "scp: c: No such file or directory\\r\\n", 35) = 35'], False),
        (['write(2, "ls: ", 4) = 4', "write(2, \"cannot access 'c'\", 17) = 17", FAILED_TEXT], False),
        (['write(2, "scp: c: No such file or director"..., 35) = 35'], False),
        (['write(2, "scp: No such file or directory\\n", 31) = 31'], True),
        (['write(2, "scp: /var/run/nscd/socket: No such file or directory\\n", 53) = 53'], True),
    ],
)
def test_a_search_is_not_blamed_for_a_message_about_another_object(message: list[str], blamed: bool) -> None:
    process = process_of(
        'execve("/usr/bin/scp", ["scp"], 0x1 /* 1 var */) = 0', SEARCHED, *message, "exit_group(1) = ?"
    )
    blame = find_blame(process, len(message) + 3)
    assert (blame is not None) is blamed


def byte_by_byte(text: str) -> list[str]:
    shown = {"\n": "\\n"}
    return [f'write(2, "{shown.get(one, one)}", 1) = 1' for one in text]


def test_a_message_that_is_written_byte_by_byte_is_kept_from_its_beginning() -> None:
    text = "curl: (7) Failed to connect to db port 80: Permission denied\n"
    advice = [f'write(2, "advice {number}\\n", 9) = 9' for number in range(3)]
    said = said_by(process_of(FAILED, *byte_by_byte(text), *advice))
    assert said.text == text + "advice 0\nadvice 1\nadvice 2\n"
    assert said.pieces[0].text == text
    assert line_of(said.names_error("EACCES")) == 2


def test_of_many_messages_the_last_sixteen_are_kept() -> None:
    said = said_by(process_of(*byte_by_byte("first\n"), *[f'write(2, "no. {n}\\n", 8) = 8' for n in range(16)]))
    assert said.text.startswith("no. 0\n")
    assert said.text.endswith("no. 15\n")


def test_the_last_words_begin_with_the_message_and_not_with_the_advice_behind_it() -> None:
    message = "curl: (60) SSL certificate problem: self-signed certificate"
    advice = "curl failed to verify the legitimacy of the server; " + "please visit the web page; " * 12
    assert shortened(f"{message}\n{advice}").startswith(message)
    assert "kept back" not in shortened("kept back " * 40 + "\napp: fatal: no disk")
