"""How titles name a connection, its peer or a listener: by address where the trace shows one, else by descriptor."""

from __future__ import annotations

from tracediag.kernel.descriptor import Descriptor


def peer_of(descriptor: Descriptor) -> str:
    """Return the peer's address: "10.0.0.5:5432", or "the peer of fd 5"."""
    return _peer(descriptor) or f"the peer of fd {descriptor.number}"


def toward(descriptor: Descriptor) -> str:
    """Say where a call on a descriptor goes: "to 10.0.0.5:5432", or "on fd 5"."""
    address = _peer(descriptor)
    return f"to {address}" if address else f"on fd {descriptor.number}"


def connection(descriptor: Descriptor) -> str:
    """Name a connection from this side: "the connection to 10.0.0.5:5432", "... from ..." if it was accepted."""
    socket, address = descriptor.file.socket, _peer(descriptor)
    if socket is None or not address:
        return f"the connection on fd {descriptor.number}"
    return f"the connection {'to' if socket.accepted is None else 'from'} {address}"


def listens_on(descriptor: Descriptor) -> str:
    """Return the address that a socket listens on, or "fd 3"."""
    socket = descriptor.file.socket
    return (socket.local if socket is not None else None) or f"fd {descriptor.number}"


def _peer(descriptor: Descriptor) -> str | None:
    """Return the peer's address; strace -yy gives the number of an inode for a unix socket without a name."""
    socket = descriptor.file.socket
    return None if socket is None or not socket.peer or socket.peer.isdecimal() else socket.peer
