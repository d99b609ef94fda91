"""Every name that a query reads: its type, its unit, what it means and how it is read. Listed here and nowhere else.

The list serves the compiler, `tracediag grep --names`, completion and docs/query.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tracediag.evidence.flag_mixups import CONFUSIONS
from tracediag.evidence.lengths import LENGTHS, MARKS
from tracediag.evidence.named_paths import calls_with_paths, paths_of
from tracediag.kernel.descriptor import Kind
from tracediag.query import ends, facts, reads
from tracediag.query.classes import classes
from tracediag.query.subject import Subject
from tracediag.query.types import Type
from tracediag.trace.calls import CONTROLS, KILLS
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.values import names_of, number_of, text_of

CLASSES = classes()
"""The classes of calls by name."""


class Name(msgspec.Struct, frozen=True):
    """One name that a query reads."""

    name: str
    type: Type
    doc: str
    read: Callable[[Subject], Any]
    """Returns the value, None where the call has none or the trace does not show it; a tuple of strings for text."""
    unit: str = ""
    model: bool = False
    """Whether it is read from the model of the kernel, which must then see the events before."""
    calls: Callable[[], frozenset[str]] | None = None
    """Returns the only calls that have it; None if any may."""
    words: frozenset[str] = frozenset()
    """The values that it can have, if they are few."""
    texts: tuple[str, ...] = ()
    """Texts of which the arguments of a call that has it show at least one; () if none is known."""


_LIMITS = (
    ("as", "bytes", "address space"),
    ("fsize", "bytes", "the size of a file"),
    ("memlock", "bytes", "locked memory"),
    ("nofile", "", "open descriptors"),
    ("nproc", "", "processes of the user"),
)
_ENDS = (
    Name("end.failed", Type.TRUTH, "whether the process ended badly, by status or signal", ends.failed, "", True),
    Name("end.excerpt", Type.TRUTH, "whether the recording has no start or no end", lambda it: it.excerpt, "", True),
    Name("end.status", Type.NUMBER, "its exit status", ends.status, "", True),
    Name("end.signal", Type.TEXT, "the signal that killed it", ends.signal, "", True),
    Name("end.lines", Type.NUMBER, "the lines from the call to its end", ends.lines, "", True),
    Name("end.last", Type.TRUTH, "whether the call is the last before it", ends.last, "", True),
    Name("end.fault", Type.TEXT, "what is shown of the last signal after the call", ends.fault, "", True),
    Name("end.how", Type.TEXT, "how the process ended, in words", ends.how, "", True),
    Name("end.said", Type.TEXT, "what `end.report` is, in words", ends.said, "", True),
)
"""How the process of the call ended: for pages with `ended`."""
_ALL = (
    *_ENDS,
    Name("call", Type.CALL, "the name of the call", lambda it: it.call.name),
    Name("errno", Type.ERRNO, "the error that the call returned", lambda it: it.call.errno),
    Name("errno.text", Type.TEXT, "what that error means: Bad address", facts.error_text),
    Name("failed", Type.TRUTH, "whether the call returned an error", lambda it: it.call.errno is not None),
    Name("returned", Type.TRUTH, "whether the call returned", reads.read_returned),
    Name("result", Type.NUMBER, "the result; -1 for an error", lambda it: it.call.result),
    Name(
        "bytes",
        Type.NUMBER,
        "what a read, write or copy moved",
        reads.read_moved,
        "bytes",
        False,
        lambda: reads.TRANSFERS,
    ),
    Name("detail", Type.TEXT, "what strace adds to the result: Timeout, a path", reads.read_detail),
    Name("duration", Type.SECONDS, "the time inside the call (-T)", lambda it: it.call.duration, "s"),
    Name("time", Type.NUMBER, "the time of the line in seconds, as recorded", lambda it: it.call.time, "s"),
    Name("line", Type.NUMBER, "the line of the trace", lambda it: it.call.line),
    Name("pid", Type.NUMBER, "the pid of the line: that of the thread", lambda it: it.call.pid),
    Name("path", Type.TEXT, "each path that the call names", lambda it: paths_of(it.call), "", False, calls_with_paths),
    Name("flags", Type.FLAGS, "the constants among the arguments", lambda it: it.call.has),
    Name(
        *("flags.confused", Type.WORD, "what F_SETFL or F_SETFD is passed of the other", facts.confused, "", True),
        *(lambda: CONTROLS, CONFUSIONS),
    ),
    Name(
        "flags.cleared",
        Type.TEXT,
        "the status flags that F_SETFL clears",
        facts.cleared_flags,
        "",
        True,
        lambda: CONTROLS,
    ),
    Name(
        "length.negative",
        Type.NUMBER,
        "a negative length that the call is passed",
        facts.negative_length,
        "count",
        calls=lambda: LENGTHS,
        texts=MARKS,
    ),
    Name(
        *("length.unsigned", Type.NUMBER, "the same as the kernel takes it", facts.unsigned_length),
        *("count", False, lambda: LENGTHS),
    ),
    Name(
        *("length.errno", Type.TEXT, "the error whose negative number it is", facts.length_error),
        *("", False, lambda: LENGTHS),
    ),
    Name("text", Type.TEXT, "the strings among the arguments, joined: data, paths", reads.read_shown),
    Name(
        "address",
        Type.TEXT,
        "an address among the arguments; of an abstract name it begins with @",
        lambda it: reads.read_text(reads.read_address(it)),
    ),
    Name("address.port", Type.NUMBER, "its port", lambda it: reads.read_port(reads.read_address(it))),
    Name("fd.number", Type.NUMBER, "the descriptor that the call is made on, or creates", reads.read_number, "", True),
    Name(
        *("fd.kind", Type.WORD, "what the descriptor refers to", reads.read_kind, "", True, None),
        frozenset(map(str, Kind)),
    ),
    Name("fd.path", Type.TEXT, "the path of the open file", reads.read_path, "", True),
    Name("fd.flags", Type.FLAGS, "the status flags: O_NONBLOCK, O_APPEND, O_RDWR", reads.read_flags, "", True),
    Name("fd.cloexec", Type.TRUTH, "whether an execve closes it", reads.read_cloexec, "", True),
    Name(
        "fd.protocol", Type.TEXT, "TCP, UDP, UNIX-STREAM", lambda it: reads.read_text(reads.read_protocol(it)), "", True
    ),
    Name("fd.family", Type.TEXT, "AF_INET, AF_INET6, AF_UNIX", facts.family, "", True),
    Name(
        "fd.breaks",
        Type.TRUTH,
        "whether this call is the first to fail with EPIPE or ECONNRESET",
        facts.breaks,
        "",
        True,
    ),
    Name(
        "fd.hangup_known",
        Type.TRUTH,
        "whether an earlier turn of the loop reported a hang-up",
        facts.hangup_known,
        "",
        True,
    ),
    Name("peer.closing", Type.TEXT, "what closed the other end, in words", facts.closing, "", True),
    Name("fd.answered", Type.TRUTH, "whether data of the peer came after the last write", facts.answered, "", True),
    Name("fd.datagram", Type.TRUTH, "whether the socket is one for datagrams", facts.datagram, "", True),
    Name("fd.listening", Type.TRUTH, "whether the socket accepts connections", reads.read_listening, "", True),
    Name(
        "fd.local",
        Type.TEXT,
        "the own address of the socket",
        lambda it: reads.read_text(reads.read_local(it)),
        "",
        True,
    ),
    Name("fd.local.port", Type.NUMBER, "its port", lambda it: reads.read_port(reads.read_local(it)), "", True),
    Name(
        "fd.peer",
        Type.TEXT,
        "the other end; of a failed connect, what it names",
        lambda it: reads.read_text(reads.read_peer(it)),
        "",
        True,
    ),
    Name(
        "fd.peer.host",
        Type.TEXT,
        "its host",
        lambda it: reads.read_text(reads.read_host(reads.read_peer(it))),
        "",
        True,
    ),
    Name("fd.peer.port", Type.NUMBER, "its port", lambda it: reads.read_port(reads.read_peer(it)), "", True),
    Name("process.pid", Type.NUMBER, "the pid of the process, not of the thread", reads.read_pid, "", True),
    Name("process.comm", Type.TEXT, "the file name of its program, at most 15 characters", reads.read_comm, "", True),
    Name(
        "process.program",
        Type.TEXT,
        "the path of its program",
        lambda it: reads.read_text(reads.read_program(it)),
        "",
        True,
    ),
    Name("process.command", Type.TEXT, "its arguments, joined by blanks", reads.read_command, "", True),
    Name("process.uid", Type.NUMBER, "its effective user, once the trace shows it", reads.read_uid, "", True),
    Name("process.filtered", Type.TRUTH, "whether the trace shows its seccomp filter", reads.read_filtered, "", True),
    Name(
        *(
            "process.itself",
            Type.TRUTH,
            "whether a signal is sent to the process itself",
            reads.read_to_itself,
            "",
            True,
        ),
        lambda: KILLS,
    ),
    *(
        Name(
            f"process.limit.{name}",
            Type.NUMBER,
            f"its limit on {what}",
            reads.read_limit(f"RLIMIT_{name.upper()}"),
            unit,
            True,
        )
        for name, unit, what in _LIMITS
    ),
)

NAMES: dict[str, Name] = {each.name: each for each in _ALL}
"""All names; arguments, `arg("flags")`, are beside them."""


def shown(value: Any) -> str:
    """Return a value that a name has read as text: for grouping, and to say why a query matches."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | str):
        return str(value)
    if isinstance(value, Syscall | Begun):
        return f"line {value.line}"
    if (text := text_of(value)) is not None:
        return str(text)
    if names := names_of(value):
        return "|".join(sorted(names))
    number = number_of(value)
    return "" if number is None else str(number)
