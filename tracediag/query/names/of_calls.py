"""Names that are read of the call itself: its name, its result, its arguments."""

from __future__ import annotations

from tracediag.evidence.complaints import target
from tracediag.evidence.lengths import LENGTHS, MARKS
from tracediag.evidence.named_paths import calls_with_paths, paths_of
from tracediag.query import facts, reads
from tracediag.query.names.name import Name
from tracediag.query.types import Type

OF_CALLS = (
    Name("call", Type.CALL, "the name of the call", lambda it: it.call.name or None),
    Name("errno", Type.ERRNO, "the error that the call returned", lambda it: it.call.errno),
    Name("errno.text", Type.TEXT, "what that error means: Bad address", facts.error_text),
    Name("failed", Type.TRUTH, "whether the call returned an error", lambda it: it.call.errno is not None),
    Name("returned", Type.TRUTH, "whether the call returned", reads.read_returned),
    Name("result", Type.NUMBER, "the result; -1 for an error", lambda it: it.call.result),
    Name(
        *("bytes", Type.NUMBER, "what a read, write or copy moved", reads.read_moved),
        *("bytes", False, lambda: reads.TRANSFERS),
    ),
    Name("detail", Type.TEXT, "what strace adds to the result: Timeout, a path", reads.read_detail),
    Name("duration", Type.SECONDS, "the time inside the call (-T)", lambda it: it.call.duration, "s"),
    Name("time", Type.NUMBER, "the time of the line in seconds, as recorded", lambda it: it.call.time, "s"),
    Name("line", Type.NUMBER, "the line of the trace", lambda it: it.call.line),
    Name("pid", Type.NUMBER, "the pid of the line: that of the thread", lambda it: it.call.pid),
    Name("path", Type.TEXT, "each path that the call names", lambda it: paths_of(it.call), "", False, calls_with_paths),
    Name("flags", Type.FLAGS, "the constants among the arguments", lambda it: it.call.has),
    Name(
        *("length.negative", Type.NUMBER, "a negative length that the call is passed", facts.negative_length, "count"),
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
        *("address", Type.TEXT, "an address among the arguments; of an abstract name it begins with @"),
        lambda it: reads.read_text(reads.read_address(it)),
    ),
    Name("target", Type.TEXT, "the path or address that it is about", lambda it: reads.read_text(target(it.call))),
    Name("address.port", Type.NUMBER, "its port", lambda it: reads.read_port(reads.read_address(it))),
)
"""Names of the call itself."""
