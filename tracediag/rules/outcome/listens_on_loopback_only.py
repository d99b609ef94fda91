"""TD003: a server listens on a loopback address, and clients ask for another address of the host."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.exits import end_step, failed_end
from tracediag.evidence.names import process_name
from tracediag.evidence.waiters import unfollowed
from tracediag.kernel import Action
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.socket import format_address
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call, on_process_end
from tracediag.trace.calls import ACCEPTS
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import integer

_FIX = (
    "make the server listen on 0.0.0.0 (every IPv4 address) or [::] (every address), or on the address that clients"
    " ask for; or let the clients connect to {}"
)
_WHY = "a socket that is bound to a loopback address accepts what is sent to this very address, and no packet from {}"


_EXPLAINED = ("connection-refused", "failed-call-behind-exit")


class _Listener(msgspec.Struct, eq=False):
    """A socket that is bound to a loopback address and a port of its own choice."""

    bound: Syscall
    """The bind; where the trace begins after that, the listen."""
    local: str
    """Its address and port."""
    address: str
    port: int
    server: Process
    listening: Syscall | None = None
    accepted: bool = False

    @property
    def seen(self) -> bool:
        """Whether the trace shows the bind."""
        return self.bound is not self.listening


class _Refused(msgspec.Struct, eq=False):
    """A connect to the port of a listener on loopback, at another address."""

    call: Syscall
    """The call that reports the refusal."""
    near: bool
    """Whether the address is one of loopback, too: then it is surely one of this host."""
    connect: Syscall
    listener: _Listener


class ListensOnLoopbackOnly(Rule):
    """A server accepts connections on 127.0.0.1 or ::1 alone; a client that takes another address is refused."""

    code = "TD003"
    name = "listens-on-loopback-only"
    severity = Severity.WARNING
    summary = "a server listens on a loopback address only, and clients ask for another address"
    raised_by = (("listen",),)

    def __init__(self) -> None:
        self._listeners: Cases[OpenFile, _Listener] = Cases(64, outlive=True)
        self._open: Cases[Process, None] = Cases(outlive=True)
        """The processes with a listener that other hosts may reach."""
        self._strange = False
        """Whether a client came to a listener that the trace does not show being made: it may be any of them."""
        self._refused: Cases[Process, _Refused] = Cases(256)

    @on_call("bind")
    def bound(self, action: Action) -> None:
        """Note a socket that is bound to a loopback address and to a port that the program has chosen."""
        local = format_address(action.call.arg(1)) or ""
        found = _split(local)
        if found is None or action.call.result != 0 or action.descriptor is None:
            return
        if _is_loopback(found[0]) and found[1]:
            self._listeners[action.descriptor.file] = _Listener(action.call, local, *found, action.process)

    @on_call("listen")
    def listened(self, action: Action) -> None:
        """Note that the socket takes connections."""
        held = action.descriptor
        if held is None or action.call.result != 0:
            return
        known = self._listeners.get(held.file)
        local = None if held.file.socket is None or held.file.opened is not None else held.file.socket.local
        found = _split(local)
        if known is not None:
            known.listening = action.call
        elif local is not None and found is not None and _is_loopback(found[0]):
            self._listeners[held.file] = _Listener(action.call, local, *found, action.process, listening=action.call)
        elif held.file.socket is not None and held.file.socket.family in ("AF_INET", "AF_INET6"):
            self._open[action.process] = None

    @on_call(*ACCEPTS)
    def accepted(self, action: Action) -> None:
        """Note that a client has found the listener."""
        known = None if action.descriptor is None else self._listeners.get(action.descriptor.file)
        if known is not None:
            known.accepted = known.accepted or (action.call.result or 0) > 0
        elif (action.call.result or 0) > 0 and action.descriptor is not None:
            self._strange = self._strange or action.descriptor.file.opened is None

    @on_call("connect")
    def connected(self, action: Action) -> None:
        """Note a client that is refused at another address, until it takes the right one."""
        if self._listeners:
            self._judge(action, action.call, refused=action.call.errno == "ECONNREFUSED")

    @on_call("getsockopt")
    def asked(self, action: Action) -> None:
        """Note the same of a connect that was under way: EINPROGRESS in connect(2)."""
        held = action.descriptor
        if not self._listeners or held is None or held.file.socket is None or not action.call.has("ECONNREFUSED"):
            return
        if held.file.socket.connected is not None:
            self._judge(action, held.file.socket.connected, refused=True)

    def _judge(self, action: Action, connect: Syscall, *, refused: bool) -> None:
        found = _split(format_address(connect.arg(1)))
        if found is None:
            return
        live = (known for file, known in self._listeners.items() if known.listening and not file.gone)
        same = [known for known in live if known.port == found[1]]
        if refused and same and all(known.address != found[0] for known in same):
            self._refused[action.process] = _Refused(action.call, _is_loopback(found[0]), connect, same[0])
        elif same and not refused and any(known.address == found[0] for known in same):
            self._refused.pop(action.process, None)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report what a client was refused, and a listener to which no client came."""
        refused = self._refused.pop(end.process, None)
        if refused is not None:
            yield self._harm(end, refused)
        if not self._listeners:
            return
        own = [(file, known) for file, known in self._listeners.items() if known.server.current is end.process]
        idle = [known for file, known in own if known.listening and not file.strays]  # a worker not followed may accept
        stopped = end.event is None or end.process.order is not None
        reached = self._strange or end.process in self._open or unfollowed(end.process)
        reached = reached or any(known.accepted for known in idle)
        if idle and stopped and not reached:
            yield from self._alone(idle[0])

    def _harm(self, end: ProcessEnd, refused: _Refused) -> Finding:
        known, call = refused.listener, refused.call
        asked, local = format_address(refused.connect.arg(1)) or "", known.local
        sure, binds = refused.near, "binds its socket to" if known.seen else "listens on"
        steps = [
            step(known.bound, f"{process_name(known.server)} {binds} {local}, an address of loopback"),
            step(call, f"the connection to {asked} is refused: ECONNREFUSED", primary=True),
        ]
        failed = failed_end(end.process)
        if failed is not None:
            steps.append(end_step(failed))
        return self.finding(
            steps,
            object=local,
            title=f"{process_name(known.server)} listens on {local} only,"
            f" and {process_name(end.process)} asks for {asked}{'' if sure else ', if that is this host'}",
            confidence=(Confidence.CERTAIN if known.seen else Confidence.LIKELY) if sure else Confidence.POSSIBLE,
            severity=Severity.ERROR if failed is not None and sure else Severity.WARNING,
            why=_WHY.format("another: ip(7), ipv6(7)"),
            fix=_FIX.format(local),
            explains=[(name, call.line) for name in _EXPLAINED if sure],
        )

    def _alone(self, known: _Listener) -> Iterator[Finding]:
        local = known.local
        if known.listening is None or not known.seen:  # the kernel may have chosen the port
            return
        yield self.finding(
            [
                step(known.bound, f"the socket is bound to {local}, an address of loopback", primary=True),
                step(known.listening, "connections are accepted on this address, and none comes"),
            ],
            object=local,
            title=f"{process_name(known.server)} listens on {local} only: no other host or container can connect",
            confidence=Confidence.LIKELY,
            severity=Severity.NOTE,
            why=_WHY.format("another host or container: ip(7), ipv6(7)"),
            fix=f"none needed if only local programs are to connect; else {_FIX.format(local)}",
        )


def _split(address: str | None) -> tuple[str, int] | None:
    """Return the host and port of an IP address; None of any other socket address.

    An IPv4 address in IPv6 form is the IPv4 address: ipv6(7).
    """
    host, _, port = (address or "").rpartition(":")
    number = integer(port)
    host = host.removeprefix("[").removesuffix("]")
    return None if number is None or not host else (host.removeprefix("::ffff:") if "." in host else host, number)


def _is_loopback(host: str) -> bool:
    return host == "::1" or host.startswith("127.")
