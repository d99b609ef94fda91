"""Whether comparisons can hold of one call: of one name, and of names that depend on each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tracediag.checking.domains import NEVER, Domain, domain, universe
from tracediag.checking.facts import NEVER_FAIL, calls_with_argument, constants
from tracediag.query.history import known
from tracediag.query.names import NAMES, Name
from tracediag.query.nodes import Comparison, Reports
from tracediag.query.types import Type
from tracediag.trace.calls import SYSCALLS, WAITS

_OF_SOCKETS = frozenset(
    {"fd.protocol", "fd.listening", "fd.local", "fd.local.port", "fd.peer", "fd.peer.host", "fd.peer.port"}
)
_FAILED = Domain(frozenset({-1}), absent=True)
_YES, _NO = Domain(frozenset({True}), absent=False), Domain(frozenset({False}), absent=False)


class _Call:
    """What is known of one call of which all comparisons hold."""

    def __init__(self) -> None:
        self.domains: dict[str, Domain] = {}
        self.calls = SYSCALLS
        """The calls that it can be."""
        self.odd = ""
        """Why no call fits, if that is known."""

    @property
    def is_odd(self) -> bool:
        """Whether no such call exists."""
        return not self.calls or any(held.empty for held in self.domains.values())

    def of(self, name: str) -> Domain:
        return self.domains.get(name) or universe(name)

    def meet(self, name: str, other: Domain) -> None:
        self.domains[name] = self.of(name).meet(other)

    def narrow(self, calls: frozenset[str], why: str) -> None:
        before, self.calls = self.calls, self.calls & calls
        if before and not self.calls:
            self.odd = why


def conflict(text: str, atoms: Iterable[tuple[Comparison | Reports, bool]]) -> str | None:
    """Return why comparisons cannot hold, or not hold, of one call: "" where it is plain, None if they can."""
    call, said = _Call(), dict[str, bool]()
    for node, wanted in atoms:
        written = text[node.place : node.end]
        if said.setdefault(written, wanted) is not wanted:
            return ""
        if isinstance(node, Reports):
            if wanted:
                call.narrow(WAITS, "only a wait reports something")
            continue
        _take(call, text, node, wanted=wanted)
    if call.is_odd:
        return call.odd
    _derive(call)
    return (call.odd or "a call that fails returns -1 and moves nothing") if call.is_odd else None


def _take(call: _Call, text: str, node: Comparison, *, wanted: bool) -> None:
    """Take what one comparison says."""
    name = _name(node)
    found = domain(text, node, name, wanted=wanted)
    if found is not None:
        call.meet(*found)
        if found[0] == "call":
            held = found[1]
            possible = (SYSCALLS if held.values is None else held.values) - held.without
            call.narrow(frozenset(possible), "no call is both")
    if not wanted:
        return
    if node.operator == "has" and name.type is Type.FLAGS and not name.model:
        flag = node.values[0].text
        call.narrow(constants().get(flag, SYSCALLS), f"the call takes no {flag}")
    if node.operand.argument:
        call.narrow(calls_with_argument(node.operand.name), f"the call has no argument {node.operand.name}")
    elif name.calls is not None:
        call.narrow(name.calls(), f"the call has no {name.name}")
    if name.name in _OF_SOCKETS and not call.is_odd:
        call.meet("fd.kind", Domain(frozenset({"socket"}), absent=False))
        call.odd = f"only a socket has {name.name}" if call.is_odd else ""


def _derive(call: _Call) -> None:
    """Add what follows of a failure: its error, the result -1, and that nothing was moved."""
    failed, errno, result = call.of("failed"), call.of("errno"), call.of("result")
    if failed.values == _YES.values or not errno.absent or (not result.absent and result.most < 0):
        call.meet("failed", _YES)
        call.meet("errno", Domain(absent=False))
        call.meet("result", _FAILED)
        call.meet("bytes", NEVER)
        call.narrow(SYSCALLS - NEVER_FAIL, "the call never fails")
    elif failed.values == _NO.values or errno.nothing:
        call.meet("failed", _NO)
        call.meet("errno", NEVER)
        call.meet("result", Domain(least=0))


def _name(node: Comparison) -> Name:
    if node.operand.argument:
        return Name(f'arg("{node.operand.name}")', Type.ANY, "", _nothing)
    return known(node.operand.name) or NAMES[node.operand.name]


def _nothing(_subject: Any) -> None:
    """Arguments are compared here by what is written, not by what a call shows."""
