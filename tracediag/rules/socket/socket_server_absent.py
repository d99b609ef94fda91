"""TD218: connect to a unix socket that has no listener."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.bounds import KEPT
from tracediag.evidence.complaints import Complaint, report_step, said_by
from tracediag.evidence.exits import end_step
from tracediag.evidence.runs import ATTEMPTS, LOOP, Run
from tracediag.kernel import Action, Kernel
from tracediag.kernel.describe import describe
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.socket import format_address
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end, on_trace_end
from tracediag.trace.events import Event, Syscall
from tracediag.trace.records import Message

_OPTIONAL = (
    "/nscd/socket", "/lib/nslcd/socket", "/nslcd/socket", "/setrans/.setrans-unix", "/systemd/userdb/",
    "/avahi-daemon/socket", "/sssd/", "/dev/log", "/systemd/journal/", "/run/winbindd/pipe", "/winbindd/pipe",
    "/systemd/notify", "/lib/sss/pipes/", "/varlink", "/io.systemd.",
)  # fmt: skip
"""Sockets of optional services that the C library and its modules try to reach."""
_NEAR = 60
"""Lines between the failure and a bad end within which the failure counts as the cause."""
_SOON = 8
"""Lines after the failure within which any message is about the failure."""


class _Absent(Run, kw_only=True):
    """Failed connects to one path."""

    process: Process
    descriptor: Descriptor | None
    path: str
    bound: Syscall | None = None
    """The bind of that path by a traced process, after the first attempt."""
    said: Message | None = None
    """The message about it: the model drops the messages of a process that ends."""
    started: Event | None = None
    """The clone that started that process, if it is a child of the one that connects."""


class SocketServerAbsent(Rule):
    """connect to a unix socket = ENOENT or ECONNREFUSED: a wrong path, or a server not started yet or dead."""

    code = "TD218"
    name = "socket-server-absent"
    severity = Severity.WARNING
    summary = "connect to a unix socket finds no server: the path is wrong, or the server is not running"
    rests_on_successes = True

    def __init__(self) -> None:
        self._absent: dict[tuple[Process, str], _Absent] = {}

    @on_errno("ENOENT", "ECONNREFUSED", of=("connect",))
    def failed(self, action: Action) -> None:
        """Count the attempts at the path."""
        call = action.call
        path = _unix_path(call)
        if path is None or any(optional in path for optional in _OPTIONAL):
            return
        absent = self._absent.get((action.process, path))
        if absent is not None:
            absent.add(call)
        elif len(self._absent) < KEPT:
            new = _Absent(call, call, process=action.process, descriptor=action.descriptor, path=path)
            self._absent[action.process, path] = new

    @on_call("connect")
    def connected(self, action: Action) -> None:
        """The server answers after all, or another server does at a path with the same file name."""
        if self._absent and action.call.result == 0 and (path := _unix_path(action.call)) is not None:
            name = path.rpartition("/")[2]
            for key, absent in list(self._absent.items()):
                alike = absent.path == path or absent.path.rpartition("/")[2] == name
                if absent.process.current is action.process and alike:
                    del self._absent[key]

    @on_call("bind")
    def bound(self, action: Action) -> None:
        """A traced process binds the path, too late."""
        if self._absent and action.call.result == 0 and (path := _unix_path(action.call)) is not None:
            for absent in self._absent.values():
                if absent.path == path and absent.bound is None:
                    absent.bound = action.call
                    absent.started = action.process.started if action.process.parent is absent.process else None

    @on_process_end
    def ended(self, end: ProcessEnd) -> None:
        """Drop what did not matter to a process that ends; judge the rest when the server may have started."""
        if self._absent and end.exit is not None:
            for key, absent in [item for item in self._absent.items() if item[1].process.current is end.process]:
                absent.said = _said(absent)
                if not _matters(absent):
                    del self._absent[key]

    @on_trace_end
    def over(self, _: Kernel) -> Iterator[Finding]:
        """Judge each path by what became of the process."""
        for absent in self._absent.values():
            excerpt = LOOP.enough(absent.times, self.scope.excerpt)
            if _matters(absent) or excerpt or absent.process.exit is None:
                yield self._finding(absent, excerpt=excerpt)

    def _finding(self, absent: _Absent, *, excerpt: bool) -> Finding:
        refused = absent.first.errno == "ECONNREFUSED"
        bad = _ends_for_it(absent)
        weighty = absent.times >= ATTEMPTS.worth or excerpt or _complained(absent)
        what = "the socket file exists but has no listener" if refused else "the socket does not exist"
        if absent.path.startswith("@"):
            what = "no socket is bound to that abstract name"
        title = f"no server at {absent.path}: {what}"
        if absent.bound is not None:
            title = f"no server at {absent.path} yet: the server binds the socket only later"
        return self.finding(
            _story(absent, bad=bad),
            object=absent.path if absent.descriptor is None else describe(absent.descriptor),
            title=title,
            severity=Severity.ERROR if bad else Severity.WARNING if weighty else Severity.NOTE,
            confidence=Confidence.CERTAIN if bad or excerpt or absent.bound is not None else Confidence.LIKELY,
            why=(
                "the file of a unix socket outlives the server, and connect to a leftover file fails with ECONNREFUSED;"
                " an abstract name disappears with the socket: unix(7), connect(2)"
                if refused
                else "bind creates the socket file: before the server's bind or after an unlink, connect fails with"
                " ENOENT: unix(7)"
            ),
            fix=_fix(absent, refused=refused),
            explains=[
                (name, absent.last.line) for name in ("failed-call-behind-exit", "missing-file", "sleep-and-poll")
            ],
        )


def _unix_path(call: Syscall) -> str | None:
    """Return the path or abstract name of a unix address."""
    if not call.has("sun_path") and not call.has("path"):  # strace 4.10 and older: `path=`
        return None
    return format_address(call.arg(1))


def _ends_for_it(absent: _Absent) -> bool:
    return Aftermath(absent.process, absent.last).ended_within(_NEAR)


def _matters(absent: _Absent) -> bool:
    """Whether the process retried, complained or ended for it; else the server is optional."""
    return absent.times >= ATTEMPTS.worth or _ends_for_it(absent) or _said(absent) is not None


def _said(absent: _Absent) -> Message | None:
    """Return the message about the socket."""
    name = absent.path.rpartition("/")[2][:16]
    later = said_by(absent.process, absent.first.line).calls
    near = (message for message in later if name in message.body or message.line - absent.last.line <= _SOON)
    return absent.said or next(near, None)


def _complained(absent: _Absent) -> bool:
    """Whether it was an error to the process: a process that ends well may only have said what it found."""
    said = _said(absent)
    if said is None or _names_error(absent, said):
        return said is not None
    end = absent.process.exit
    return end is None or absent.process.ended_badly


def _names_error(absent: _Absent, said: Message) -> bool:
    return Complaint((said,)).names_error(absent.first.errno or "") is not None


def _fix(absent: _Absent, *, refused: bool) -> str:
    if absent.bound is not None:
        return (
            f"have the server report when it listens (a byte through a pipe, sd_notify, socket activation), or retry"
            f" connect to {absent.path} for a few seconds"
        )
    if refused:
        leftover = "" if absent.path.startswith("@") else "; bind needs the leftover file unlinked first"
        return f"start the server of {absent.path}, or find out why it exited (ss -xlp, its log){leftover}"
    return f"start the server of {absent.path}; if the server runs, compare the path that it listens on (ss -xlp)"


def _story(absent: _Absent, *, bad: bool) -> Iterator[Step]:
    started = absent.started
    if isinstance(started, Syscall):
        yield step(started, f"process {started.result} is started; it binds the socket later")
    yield step(absent.first, f"nothing listens on {absent.path}", primary=True)
    yield from absent.again("still nothing listens")
    if (said := _said(absent)) is not None:
        yield report_step(said, named=_names_error(absent, said))
    if bad and absent.process.exit is not None:
        yield end_step(absent.process.exit)
    if absent.bound is not None:
        yield step(absent.bound, "the socket is bound only here")
