"""Names that are read of the process that makes the call, and of how it ends."""

from __future__ import annotations

from tracediag.kernel.signals import Disposition
from tracediag.query import children, ends, reads, records
from tracediag.query.names.name import of_model
from tracediag.query.types import Type
from tracediag.trace.calls import CHILD_WAITS, KILLS

LIMITS = (
    ("as", "bytes", "address space"),
    ("fsize", "bytes", "the size of a file"),
    ("memlock", "bytes", "locked memory"),
    ("nofile", "", "open descriptors"),
    ("nproc", "", "processes of the user"),
    ("data", "bytes", "its data segment"),
    ("stack", "bytes", "its stack"),
)
_CHILDREN = (
    of_model("child.pid", Type.NUMBER, "the pid that a wait asks for", children.pid, calls=lambda: CHILD_WAITS),
    of_model("child.status", Type.TEXT, "what an earlier wait was told of the child", children.status),
    of_model("child.taken_here", Type.TRUTH, "whether the same thread made that wait", children.taken_here),
)
"""The child that a wait asks for."""
OF_PROCESSES = (
    *_CHILDREN,
    of_model("process.pid", Type.NUMBER, "the pid of the process, not of the thread", reads.read_pid),
    of_model("process.name", Type.TEXT, "how a report calls it: its program and pid", reads.read_name),
    of_model("process.comm", Type.TEXT, "the file name of its program, at most 15 characters", reads.read_comm),
    of_model(
        *("process.program", Type.TEXT, "the path of its program"),
        lambda it: reads.read_text(reads.read_program(it)),
    ),
    of_model("process.command", Type.TEXT, "its arguments, joined by blanks", reads.read_command),
    of_model("process.uid", Type.NUMBER, "its effective user, once the trace shows it", reads.read_uid),
    of_model("process.ignores", Type.FLAGS, "the signals that it ignores", reads.read_signals(Disposition.IGNORED)),
    of_model("process.handles", Type.FLAGS, "the signals that it handles", reads.read_signals(Disposition.HANDLED)),
    of_model("process.filtered", Type.TRUTH, "whether the trace shows its seccomp filter", reads.read_filtered),
    of_model("process.strict", Type.TRUTH, "whether that is seccomp strict mode", records.read_strict),
    of_model(
        *("process.itself", Type.TRUTH, "whether a signal is sent to the process itself", reads.read_to_itself),
        calls=lambda: KILLS,
    ),
    *(
        of_model(
            *(f"process.limit.{name}", Type.NUMBER, f"its limit on {what}"),
            *(reads.read_limit(f"RLIMIT_{name.upper()}"), unit),
        )
        for name, unit, what in LIMITS
    ),
)
"""Names of the process."""
OF_ENDS = (
    of_model("end.failed", Type.TRUTH, "whether the process ended badly, by status or signal", ends.failed),
    of_model("end.excerpt", Type.TRUTH, "whether the recording has no start or no end", lambda it: it.excerpt),
    of_model("end.status", Type.NUMBER, "its exit status", ends.status),
    of_model("end.signal", Type.TEXT, "the signal that killed it", ends.signal),
    of_model("end.lines", Type.NUMBER, "the lines from the call to its end", ends.lines),
    of_model("end.last", Type.TRUTH, "whether the call is the last before it", ends.last),
    of_model("end.silent", Type.TRUTH, "whether the thread makes no call after it", ends.silent),
    of_model("end.fault", Type.TEXT, "what is shown of the last signal after the call", ends.fault),
    of_model("end.how", Type.TEXT, "how the process ended, in words", ends.how),
    of_model("end.named", Type.TRUTH, "whether a message names the error of the call", ends.named),
    of_model("end.said", Type.TEXT, "what `end.report` is, in words", ends.said),
)
"""How the process of the call ended: for pages with `ended`."""
