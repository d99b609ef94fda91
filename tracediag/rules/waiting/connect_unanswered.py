"""TD613: a connect that gets no answer."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.blocking import blocked_by, name_of
from tracediag.evidence.names import process_name
from tracediag.evidence.wait_graph import Moment, holders
from tracediag.evidence.waits import Waited
from tracediag.kernel.kernel import Kernel
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.socket import format_address
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.waiting._moments import WaitRule, has_lasted

_CONNECT = "connect"
_MANY = 256
"""Descriptors of a process among which its listeners are looked for."""


class ConnectUnanswered(WaitRule):
    """A process stands in connect: no SYN comes back, or the accept queue of a unix socket is full."""

    code = "TD613"
    name = "connect-unanswered"
    severity = Severity.ERROR
    summary = "connect does not return: the host does not answer, or the server does not accept"
    raised_by = ((_CONNECT,),)

    def judged(self, moment: Moment, *, ended: bool) -> Iterator[tuple[object, Finding]]:
        """Yield the connects that wait."""
        for process in moment.kernel.processes:
            for thread in process.threads if process.exit is None else ():
                call = moment.stood_in(thread)
                if call is not None and call.name == _CONNECT and has_lasted(call, moment.kernel, ended=ended):
                    yield call.line, self._finding(thread, call, moment)

    def _finding(self, thread: Thread, call: Waited, moment: Moment) -> Finding:
        name, address = process_name(thread.process), format_address(call.arg(1)) or "the server"
        server = _server(moment.kernel, address, thread.process)
        if server is not None or call.has("AF_UNIX"):
            return self._full(thread, address, call, server, moment)
        return self.finding(
            [step(call, "the connection request gets no answer", primary=True)],
            object=address,
            title=f"connect to {address} gets no answer: {name} waits",
            confidence=Confidence.LIKELY,
            why="a host without a listener on the port refuses with RST; where nothing comes back, a firewall drops the"
            " packets, the host is down or the route is wrong, and connect fails with ETIMEDOUT after about two"
            " minutes: tcp(7), tcp_syn_retries",
            fix=f"check the address and the firewall: ip route get {address.rpartition(':')[0].strip('[]')}; ss -tn"
            " state syn-sent; and set a timeout for connect in the program",
        )

    def _full(self, thread: Thread, address: str, call: Waited, server: Process | None, moment: Moment) -> Finding:
        steps = [step(call, "the accept queue of the listener is full", primary=True)]
        stood = None if server is None else _standing(server, moment)
        name = process_name(thread.process)
        chain = blocked_by(moment.kernel, thread.tid, call.name)
        who = "the server" if server is None else process_name(server)
        if chain is not None and chain.links[0].blocker is not None:
            who = name_of(chain.moment, chain.links[0].blocker)
            stood = stood if server is not None and server.is_called(chain.links[0].blocker) else None
        if stood is not None:
            steps.append(step(stood, f"{who}, which listens there, stands in {stood.name} and does not accept"))
        return self.finding(
            steps,
            object=address,
            title=f"{name} waits in connect to {address}: {who} does not accept",
            confidence=Confidence.LIKELY,
            why="connect waits while the queue of connections that are not accepted is full (of TCP, the kernel drops"
            " the request); listen sets its length: listen(2), unix(7)",
            fix=f"find out what {who} does instead of accept (ss -lp shows the queue); a longer backlog of listen"
            " helps only a server that accepts",
        )


def _server(kernel: Kernel, address: str, client: Process) -> Process | None:
    """Return the running process that listens at the address ; rather another one than the client."""
    for process in kernel.processes:
        table = process.table
        for held in table.open.values() if process.exit is None and len(table.open) <= _MANY else ():
            socket = held.file.socket
            if socket is not None and socket.accepting and _is_at(socket.local, address):
                found = holders(held.file) or (process,)
                return next((each for each in found if each is not client), process)
    return None


def _is_at(local: str | None, address: str) -> bool:
    """Whether a listener takes connections to an address: at all addresses of the host only the port matters."""
    host, _, port = (local or "").rpartition(":")
    return local == address or (host in ("0.0.0.0", "[::]") and port == address.rpartition(":")[2])


def _standing(process: Process, moment: Moment) -> Waited | None:
    return next((call for thread in process.threads if (call := moment.stood_in(thread)) is not None), None)
