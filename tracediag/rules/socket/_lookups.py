"""The lookup of a name, and what a finding says of it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.dns import UNKNOWN, Message
from tracediag.evidence.runs import Run
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.results.findings import Step, step
from tracediag.trace.events import Begun, Syscall

SILENT = (
    "a UDP query that is lost, filtered or sent to a dead server gets no error: the resolver waits for its"
    " timeout, 5 s by default, then asks the next server: resolv.conf(5), timeout and attempts"
)
REFUSED = (
    "a host without a listener on the port answers with an ICMP message, which poll reports as POLLERR: the server"
    " is reached, and no name server runs there: udp(7)"
)


class Query(msgspec.Struct):
    """One query, not answered yet."""

    message: Message
    descriptor: Descriptor
    call: Syscall
    server: str | None


class Lookup(msgspec.Struct):
    """The queries and waits of a process for one name."""

    process: Process
    name: str
    pending: list[Query] = msgspec.field(default_factory=list)
    first: Query | None = None
    again: list[Query] = msgspec.field(default_factory=list)
    """The queries sent after the first one went unanswered."""
    waits: Run | None = None
    """The waits that timed out."""
    answer: Syscall | None = None
    answered: set[str | None] = msgspec.field(default_factory=set)
    """The types of the queries that were answered."""
    refused: Syscall | None = None
    """The wait that reported an error on the socket: no server listens on the port."""


def title_of(lookup: Lookup, first: Query, server: str) -> str:
    kinds = {query.message.type for query in (first, *lookup.again, *lookup.pending)} - {None}
    partly = kinds & lookup.answered if lookup.answer is None else set()
    what = " and ".join(sorted(str(kind) for kind in kinds - partly))
    query = f"the DNS query for {what} of {lookup.name}" if what else f"the DNS query for {lookup.name}"
    if lookup.refused is not None:
        return f"{query} is refused: no name server listens on {server}"
    if partly:
        return (
            f"{query} gets no answer from {server}, which answers the one for {' and '.join(sorted(map(str, partly)))}"
        )
    late = "" if lookup.answer is None else " until the query is repeated" if lookup.again else " before the timeout"
    return f"{query} gets no answer from {server}{late}"


def fix_of(lookup: Lookup, first: Query, server: str) -> str:
    if lookup.refused is not None:
        return f"start the name server of {server} (ss -lunp), or correct the nameserver lines in /etc/resolv.conf"
    if lookup.answer is None and lookup.answered:
        return (
            f"let {server}, or the firewall on the way, answer both types; until then: options single-request-reopen in"
            " /etc/resolv.conf, or ask for one type only (curl -4)"
        )
    return (
        f"check that {server} answers ({_dig(first)}); if not, remove the server from /etc/resolv.conf, open"
        " UDP port 53 to it, or add the name to /etc/hosts"
    )


def _dig(query: Query) -> str:
    """Return the command that asks the same server by hand."""
    host, _, port = (query.server or "").rpartition(":")
    at = [] if not host else [f"@{host.strip('[]')}", *(["-p", port] if port != "53" else [])]
    name = query.message.name.removesuffix("...")
    return " ".join(["dig", *at, *([] if name == UNKNOWN else [name])])


def story_of(lookup: Lookup, first: Query, standing: Syscall | Begun | None) -> Iterator[Step]:
    yield step(first.call, f"a query for {lookup.name} is sent to {first.server or 'a name server'}", primary=True)
    last: Syscall | Begun = first.call
    if lookup.waits is not None:
        yield lookup.waits.together("no answer before the timeout")
        last = lookup.waits.last
    if lookup.refused is not None:
        yield step(lookup.refused, "the socket reports an error: nothing listens on the port")
        last = lookup.refused
    for query in lookup.again[:2]:
        if query.call is not first.call:
            yield step(query.call, f"the query is sent again, to {query.server or 'a name server'}")
    if lookup.answer is not None:
        yield step(lookup.answer, "the answer arrives")
    elif standing is not None and standing.line > last.line:
        yield step(standing, "still waiting for the answer")
