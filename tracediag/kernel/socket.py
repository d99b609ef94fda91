"""The known state of a socket: its addresses, options and peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracediag.trace.events import Syscall
from tracediag.trace.values import Macro, Structure, Text, Value, bare, number_of, text_of

if TYPE_CHECKING:
    from tracediag.kernel.descriptor import OpenFile


class Socket(msgspec.Struct, eq=False):
    """One socket. A field is None if the trace has not shown it."""

    family: str | None = None
    type: str | None = None
    """"SOCK_STREAM", "SOCK_DGRAM", ... without the SOCK_NONBLOCK and SOCK_CLOEXEC bits."""
    protocol: str | None = None
    """"TCP", "UDP", "UNIX-STREAM", ... as `-yy` names it."""
    local: str | None = None
    peer: str | None = None
    named: bool = False
    """Whether an annotation has shown both names, so that later ones hold nothing new."""
    other: OpenFile | None = None
    """The other end of the connection, if the trace shows both."""
    guessed: bool = False
    """Whether `other` was chosen only because no other socket in the trace fits."""
    listening: Syscall | None = None
    accepting: bool = False
    """Whether it is a listener: listen or accept was called on it."""
    accepted: Syscall | None = None
    """The accept that created it."""
    connected: Syscall | None = None
    last_read: Syscall | None = None
    """The last call that received data."""
    last_write: Syscall | None = None
    """The last call that sent data successfully."""
    reply: Syscall | None = None
    """The first write after the last read that a write followed: the head of a reply stands there."""
    ended: Syscall | None = None
    """The first call that received 0 bytes on a stream: the peer has closed its side."""
    hung_up: Syscall | None = None
    """The first wait that reported HUP, RDHUP or ERR for it."""
    hung_up_events: frozenset[str] = frozenset()
    """What that wait reported."""
    broken: Syscall | None = None
    """The first call that failed with EPIPE or ECONNRESET, or to which SO_ERROR reported it."""
    shut: Syscall | None = None
    """The first shutdown(2) called on it."""
    options: dict[str, Value] = msgspec.field(default_factory=dict)

    @property
    def stream(self) -> bool | None:
        """Whether it is a byte stream; None where not known."""
        if self.accepted is not None or self.accepting:
            return True
        if self.protocol is not None:
            return self.protocol.startswith("TCP") or self.protocol == "UNIX-STREAM"
        return None if self.type is None else self.type == "SOCK_STREAM"


def format_address(value: Value | None) -> str | None:
    """Return a socket address in its usual notation ("127.0.0.1:80", "[::1]:80", "/run/x.sock"), or None."""
    address = bare(value)
    if not isinstance(address, Structure):
        return None
    if (path := text_of(address.get("sun_path") or address.get("path"))) is not None:
        return f"@{path}" if path.abstract else str(path)
    host = _inet_host(address)
    port = _port(address.get("sin_port") or address.get("sin6_port"))
    if host is None or port is None:
        return None
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _port(value: Value | None) -> int | None:
    found = bare(value)
    if isinstance(found, Macro) and found.args:
        return number_of(found.args[0])
    return number_of(found)


def _inet_host(address: Structure) -> str | None:
    """Find the host in `sin_addr=inet_addr("...")` or in the bare `inet_pton(AF_INET6, "...", &sin6_addr)`."""
    for _, value in address.fields:
        found = bare(value)
        if isinstance(found, Macro) and found.name in ("inet_addr", "inet_pton"):
            text = next((arg for arg in found.args if isinstance(arg, Text)), None)
            return None if text is None else str(text)
    return None
