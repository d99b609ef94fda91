"""Names that are read of the descriptor of the call, and of the socket and the flags behind it."""

from __future__ import annotations

from tracediag.evidence.flag_mixups import CONFUSIONS
from tracediag.kernel.descriptor import Kind
from tracediag.query import facts, flags, reads
from tracediag.query.names.name import of_model
from tracediag.query.types import Type
from tracediag.trace.calls import CONTROLS

_SETFL = (
    of_model(
        *("flags.confused", Type.WORD, "what F_SETFL or F_SETFD is passed of the other", flags.confused),
        calls=lambda: CONTROLS,
        words=CONFUSIONS,
    ),
    *(
        of_model(name, kind, doc, read, calls=lambda: CONTROLS)
        for name, kind, doc, read in (
            ("flags.cleared", Type.TEXT, "the status flags that F_SETFL clears", flags.cleared),
            ("flags.added", Type.TEXT, "those that it turns on", flags.added),
            ("flags.passed", Type.TEXT, "those that it is passed, of those that it can change", flags.passed),
            ("flags.all_known", Type.TRUTH, "whether the trace shows all that were on before", flags.all_known),
            ("flags.from_getfl", Type.TRUTH, "whether they look like a result of F_GETFL", flags.from_getfl),
            ("flags.new_mode", Type.TRUTH, "whether the access mode among them is another", flags.new_mode),
        )
    ),
)
"""What fcntl does to the status flags."""
OF_DESCRIPTORS = (
    *_SETFL,
    of_model("fd.number", Type.NUMBER, "the descriptor that the call is made on, or creates", reads.read_number),
    of_model(
        *("fd.kind", Type.WORD, "what the descriptor refers to", reads.read_kind), words=frozenset(map(str, Kind))
    ),
    of_model("fd.path", Type.TEXT, "the path of the open file", reads.read_path),
    of_model(
        *("path.filesystem", Type.TEXT, "the type of the file system that the path lies on: tmpfs, nfs4"),
        facts.file_system,
    ),
    of_model("fd.flags", Type.FLAGS, "the status flags: O_NONBLOCK, O_APPEND, O_RDWR", reads.read_flags),
    of_model("fd.cloexec", Type.TRUTH, "whether an execve closes it", reads.read_cloexec),
    of_model("fd.protocol", Type.TEXT, "TCP, UDP, UNIX-STREAM", lambda it: reads.read_text(reads.read_protocol(it))),
    of_model("fd.family", Type.TEXT, "AF_INET, AF_INET6, AF_UNIX", facts.family),
    of_model("fd.breaks", Type.TRUTH, "whether this call is the first to fail with EPIPE or ECONNRESET", facts.breaks),
    of_model(
        "fd.hangup_known", Type.TRUTH, "whether an earlier turn of the loop reported a hang-up", facts.hangup_known
    ),
    of_model("peer.closing", Type.TEXT, "what closed the other end, in words", facts.closing),
    of_model("fd.answered", Type.TRUTH, "whether data of the peer came after the last write", facts.answered),
    of_model("fd.datagram", Type.TRUTH, "whether the socket is one for datagrams", facts.datagram),
    of_model("fd.listening", Type.TRUTH, "whether the socket accepts connections", reads.read_listening),
    of_model("fd.local", Type.TEXT, "the own address of the socket", lambda it: reads.read_text(reads.read_local(it))),
    of_model("fd.local.port", Type.NUMBER, "its port", lambda it: reads.read_port(reads.read_local(it))),
    of_model(
        *("fd.peer", Type.TEXT, "the other end; of a failed connect, what it names"),
        lambda it: reads.read_text(reads.read_peer(it)),
    ),
    of_model("fd.peer.host", Type.TEXT, "its host", lambda it: reads.read_text(reads.read_host(reads.read_peer(it)))),
    of_model("fd.peer.port", Type.NUMBER, "its port", lambda it: reads.read_port(reads.read_peer(it))),
)
"""Names of the descriptor."""
