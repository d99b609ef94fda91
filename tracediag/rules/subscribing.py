"""How a method of a rule is marked with what it wants to see.

The marks, of which a method may have several:

    @on_call("accept", "accept4")      a whole call of these names
    @on_traffic("read", "send")        the same, but not on a plain file or device: sockets, pipes, what is not known
    @on_threaded("read", "close")      the same as on_call, but only in processes of several threads
    @on_lasting("connect", "fsync")    the same, but only if it took long
    @on_split("open")                  the same, but only if other threads ran before it returned
    @on_errno("EPIPE")                 any call that failed so
    @on_errno("ENOENT", of=("execve",))  one of these calls that failed so
    @on_signal("SIGPIPE")              a signal delivered
    @on_round                          a turn of an event loop is over: `action.finished`
    @on_release                        descriptors were released, one of them waited for, registered or with a case
                                       of a rule: `action.released`
    @on_followed                       an event of a thread that a rule follows for a while: `Rule.follow`
    @on_stop                           a signal has stopped the process
    @on_exit                           a thread or process ended
    @on_process_end                    the trace shows nothing more of a process: its last thread has exited, or the
                                       trace is over; once for each process; the method takes a `ProcessEnd`
    @on_trace_end                      the trace is over; the method takes the kernel instead of an action
    @on_last                           the same, after all other findings: for what none of them explains
    @on_table                          the trace is a table of `strace -c`; the method takes a `CallTable`

A rule that is about few of the many calls of a name says which texts these show in their arguments, and is asked about
no others: `@on_call("openat", showing=("/zoneinfo/",))`, `@on_errno("ENOENT", of=OPENS, showing=(".so",))`. One that
nearly always has nothing to compare a call with names the collection of its own that is empty then:
`@on_traffic("read", given="_requests")`. It makes this collection in `__init__`, and never puts another in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

LASTING = 0.5
"""Seconds from which on a call is one that lasts, for `on_lasting`; a rule may have a shorter time: `Rule.lasting`."""

Method = TypeVar("Method", bound=Callable[..., Any])
Subscription = tuple[str, str]
"""What is subscribed to: ("call", "accept"), ("errno", "EPIPE"), ("failure", "execve ENOENT"), ("round", "")."""


def _subscribe(
    *subscriptions: Subscription, showing: tuple[str, ...] = (), given: str = ""
) -> Callable[[Method], Method]:
    def mark(method: Method) -> Method:
        marked: Any = method
        marked.subscriptions = (*getattr(method, "subscriptions", ()), *subscriptions)
        marked.showing = (*getattr(method, "showing", ()), *showing)
        marked.given = given or getattr(method, "given", "")
        return method

    return mark


def on_call(*names: str, showing: tuple[str, ...] = (), given: str = "") -> Callable[[Method], Method]:
    """Subscribe to whole calls of these names, failed ones among them.

    The engine asks for the texts of all rules together, so that a call that no rule cares about costs no call of ours.

    Args:
        names: the calls.
        showing: texts of which their arguments must show one, if there are any.
        given: the name of a collection of the rule that must not be empty, if there is one.
    """
    return _subscribe(*(("call", name) for name in names), showing=showing, given=given)


def on_traffic(*names: str, given: str = "") -> Callable[[Method], Method]:
    """Subscribe to whole calls of these names that are made on something else than a plain file or device.

    Most reads and writes of most programs are on files: a rule about peers need not be asked about each of them.
    `given` as above.
    """
    return _subscribe(*(("traffic", name) for name in names), given=given)


def on_threaded(*names: str) -> Callable[[Method], Method]:
    """Subscribe to whole calls of these names in processes that have more than one thread.

    What threads do to each other need not be asked about in the many processes that have none.
    """
    return _subscribe(*(("threaded", name) for name in names))


def on_lasting(*names: str) -> Callable[[Method], Method]:
    """Subscribe to calls of these names that took `LASTING` seconds, where the trace shows how long they took."""
    return _subscribe(*(("lasting", name) for name in names))


def on_split(*names: str) -> Callable[[Method], Method]:
    """Subscribe to calls of these names during which the trace shows other threads: they may have waited for these."""
    return _subscribe(*(("split", name) for name in names))


def on_errno(
    *names: str, of: Iterable[str] = (), showing: tuple[str, ...] = (), given: str = ""
) -> Callable[[Method], Method]:
    """Subscribe to all calls, or to those of some names, that failed with one of these errors; the rest as above."""
    calls = tuple(of)
    if calls:
        failures = (("failure", f"{call} {name}") for call in calls for name in names)
        return _subscribe(*failures, showing=showing, given=given)
    return _subscribe(*(("errno", name) for name in names), showing=showing, given=given)


def on_signal(*names: str) -> Callable[[Method], Method]:
    """Subscribe to signals delivered."""
    return _subscribe(*(("signal", name) for name in names))


on_round = _subscribe(("round", ""))
on_release = _subscribe(("release", ""))
on_followed = _subscribe(("followed", ""))
on_stop = _subscribe(("stop", ""))
on_exit = _subscribe(("exit", ""))
on_process_end = _subscribe(("process end", ""))
on_trace_end = _subscribe(("end", ""))
on_last = _subscribe(("last", ""))
on_table = _subscribe(("table", ""))
