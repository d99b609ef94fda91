"""A call without a result whose output is shown has returned."""

from __future__ import annotations

import pytest

from tracediag.api import analyze, read
from tracediag.trace.events import Syscall

ACCEPTED = 'accept(3, {sa_family=AF_INET, sin_port=htons(4444), sin_addr=inet_addr("10.0.0.1")}, [16'


def _last(text: str) -> Syscall:
    call = list(read(["1 listen(3, 5) = 0\n", f"1 {text}\n"]))[-1]
    assert isinstance(call, Syscall)
    return call


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (ACCEPTED, None),
        ('read(3, "abc"..., 4096', None),
        ('read(3, "abc", 4096', 3),
        ('recvmsg(3, {msg_name=NULL, msg_iov=[{iov_base="abc", iov_len=64', None),
        ("wait4(12, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0", 12),
        ("wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0", None),
        ("epoll_wait(4, [{events=EPOLLIN, data={u32=5, u64=5}}], 8", 1),
        ("poll([{fd=3, events=POLLIN, revents=POLLIN}, {fd=4, events=POLLIN, revents=0}], 2", 1),
    ],
)
def test_a_filled_output_is_a_return(text: str, result: int | None) -> None:
    call = _last(text)
    assert (call.returned, call.cut, call.result) == (True, True, result)


@pytest.mark.parametrize(
    "text",
    ["read(3, ", "accept(3, <unfinished ...>", "poll([{fd=3, events=POLLIN}], 1, -1", "read(0x3, 0x7ffd1000, 0x40"],
)
def test_what_is_printed_before_the_call_runs_is_no_output(text: str) -> None:
    call = _last(text)
    assert (call.returned, call.cut) == (False, False)


def test_no_thread_stands_in_a_call_that_has_returned() -> None:
    start = ["1 socket(AF_INET, SOCK_STREAM, 0) = 3\n", "1 listen(3, 5) = 0\n"]
    assert analyze([*start, "1 accept(3, <unfinished ...>\n"]).waiting
    assert not analyze([*start, f"1 {ACCEPTED}\n"]).waiting
