"""Calls that have returned although their result is not in the text: their output is.

Before a call runs, strace prints the arguments that the program passes in; what the kernel fills in it prints after the
return. A line that breaks off after such an argument is cut, and the thread does not stand in that call.
"""

from __future__ import annotations

from tracediag.trace.calls import ACCEPTS, EPOLL_WAITS, POLLS, POSITIONED_READS, READS
from tracediag.trace.syscalls import Syscall
from tracediag.trace.values import Array, Structure, Text, Value

_OUTPUT = (
    dict.fromkeys(READS | POSITIONED_READS | ACCEPTS | EPOLL_WAITS | {"wait4", "waitpid"}, 1)
    | dict.fromkeys(POLLS, 0)
    | {"waitid": 2}
)
"""The position of the first argument that is printed after the return; that of poll is printed twice."""


def settle(call: Syscall) -> None:
    """Mark a call without a result as returned, and its record as cut, if an output argument is filled in.

    An address there proves nothing: `-e raw` and other tracers print it before the call runs.
    """
    place = _OUTPUT.get(call.name)
    output = None if place is None else call.arg(place)
    if not isinstance(output, Text | Array | Structure) or (call.name in POLLS and not _answered(output)):
        return
    call.cut = call.returned = True
    call.result = _result(call, output)


def _result(call: Syscall, output: Value) -> int | None:
    """Return the result that the output proves; None if it only proves that the call did not fail."""
    if isinstance(output, Text):
        return None if output.shortened or call.arg(2) is None else len(output.data)
    if isinstance(output, Array) and output.complete and call.name in EPOLL_WAITS:
        return len(output.items)
    if isinstance(output, Array) and output.complete and call.name in POLLS:
        return sum(_reported(item) for item in output.items)
    child = call.number(0) if call.name in ("wait4", "waitpid") else None
    return child if child is not None and child > 0 else None


def _answered(output: Value) -> bool:
    return isinstance(output, Array) and any(_reported(item) for item in output.items)


def _reported(item: Value) -> bool:
    return isinstance(item, Structure) and item.get("revents") not in (None, 0)
