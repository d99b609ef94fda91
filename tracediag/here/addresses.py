"""Which process listens at an address now, and whether the address is of this host."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.here.paths import owned, walk
from tracediag.recording.proc.holders import holders_of
from tracediag.recording.proc.sockets import sockets_of
from tracediag.recording.proc.texts import text
from tracediag.snapshot import SocketState

_WILD = frozenset({"0.0.0.0", "[::]"})
_LOCAL = ("127.", "[::1]", "0.0.0.0", "[::]")
_PRIVILEGED = "/proc/sys/net/ipv4/ip_unprivileged_port_start"


def address_facts(call: str, errno: str, address: str) -> Iterator[str]:
    """Yield what the host shows about an address of connect, bind or sendto."""
    if not address:
        return
    if address.startswith(("/", "@")):
        yield from _unix(address)
        return
    host, _, port = address.rpartition(":")
    local = _is_local(host)
    if not local and call != "bind":
        yield f"{host} is no address of this host: what listens there is not known here"
        yield from _routes(errno)
        return
    if not local:
        yield f"{host} is no address of this host: {_own_addresses()}"
        return
    yield from _listeners(host, port)
    if errno == "EACCES" and call == "bind":
        start = text(_PRIVILEGED).strip() or "1024 (the kernel has no such sysctl)"
        yield f"net.ipv4.ip_unprivileged_port_start is {start}: below it a port needs CAP_NET_BIND_SERVICE"


def _listeners(host: str, port: str) -> Iterator[str]:
    bound = [one for one in sockets_of("self") if one.local.rpartition(":")[2] == port and ":" in one.local]
    listening = [one for one in bound if one.state == "LISTEN" or one.protocol.startswith("UDP")]
    for one in listening:
        reachable = one.local.rpartition(":")[0] in _WILD | {host}
        other = "" if reachable else f", not at {host}"
        yield f"{one.protocol} {one.local} is open in {_holder(one)}{other}"
    if listening:
        return
    yield f"no socket listens on port {port}"
    for one in bound[:1]:
        yield f"port {port} is the local port of a connection to {one.peer or 'no peer'} in state {one.state}"


def _unix(path: str) -> Iterator[str]:
    bound = [one for one in sockets_of("self") if one.protocol.startswith("UNIX") and one.local == path]
    if path.startswith("/"):
        found = walk(path)
        yield from found.facts
        if found.status is not None:
            yield f"{found.real} exists: {owned(found.status)}; to connect takes write permission"
    listening = [one for one in bound if one.state == "LISTEN" or one.protocol == "UNIX-DGRAM"]
    for one in listening:
        yield f"{one.protocol} {path} is open in {_holder(one)}"
    if not listening:
        yield f"no socket listens at {path}"


def _holder(one: SocketState) -> str:
    holders = holders_of({f"socket:[{one.inode}]"}) if one.inode else []
    pids = sorted({holder.pid for holder in holders})
    names = [f"{text(f'/proc/{pid}/comm').strip()} (pid {pid})" for pid in pids[:3]]
    return ", ".join(names) if names else "a process that may not be looked at (root may)"


def _is_local(host: str) -> bool:
    return host.startswith(_LOCAL) or host.strip("[]") in _addresses()


def _addresses() -> set[str]:
    """Return the addresses of this host: /proc/net/fib_trie has each IPv4 one above a line "/32 host LOCAL"."""
    found, last = set[str](), ""
    for line in text("/proc/net/fib_trie").splitlines():
        if "|--" in line:
            last = line.split()[-1]
        elif "/32 host LOCAL" in line:
            found.add(last)
    for line in text("/proc/net/if_inet6").splitlines():
        digits = line.split(" ")[0]
        found.add(_shortened(":".join(digits[at : at + 4] for at in range(0, len(digits), 4))))
    return found


def _shortened(address: str) -> str:
    from ipaddress import IPv6Address  # noqa: PLC0415

    try:
        return str(IPv6Address(address))
    except ValueError:
        return address


def _own_addresses() -> str:
    known = sorted(_addresses() - {"127.0.0.1", "::1"})
    return f"it has {', '.join(known[:6])}" if known else "it has loopback addresses only"


def _routes(errno: str) -> Iterator[str]:
    if errno not in ("ENETUNREACH", "EHOSTUNREACH"):
        return
    lines = text("/proc/net/route").splitlines()[1:]
    default = any(line.split()[1:2] == ["00000000"] for line in lines)
    yield "there is a default route (IPv4)" if default else "there is no default route (IPv4): ip route"
