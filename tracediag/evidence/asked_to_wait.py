"""Which commands ask a database to wait, or to send news later: a wait for its answer is then no fault of it.

The commands are those of redis.io/commands that block, with their timeouts in seconds or milliseconds, and those that
subscribe; of PostgreSQL it is LISTEN.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from tracediag.trace import numbers
from tracediag.trace.quantities import listed

_POPS = {"BLPOP": "pushes to", "BRPOP": "pushes to", "BZPOPMIN": "adds to", "BZPOPMAX": "adds to"}
"""With their keys and then the timeout."""
_MOVES = frozenset({"BLMOVE", "BRPOPLPUSH"})
"""With the key first and the timeout last."""
_MANY_POPS = {"BLMPOP": "pushes to", "BZMPOP": "adds to"}
"""With the timeout, how many keys, and the keys."""
_STREAMS = frozenset({"XREAD", "XREADGROUP"})
_REPLICAS = frozenset({"WAIT", "WAITAOF"})
_CHANNELS = {"SUBSCRIBE": "channel", "PSUBSCRIBE": "pattern", "SSUBSCRIBE": "channel"}
_NAMED = 3


def asked_to_wait(words: Sequence[str], *, complete: bool) -> tuple[str, float | None]:
    """Return what a Redis command waits for, "" if for nothing, and for how many seconds at most.

    Args:
        words: the command, in capitals, and its arguments.
        complete: whether these are all.
    """
    command, given = words[0], words[1:]
    last = _seconds(given[-1]) if complete and given else None
    if command in _POPS:
        return f"another client {_POPS[command]} {_keys(given[:-1] if complete else given)}", last
    if command in _MOVES:
        return f"another client pushes to {_keys(given[:1])}", last
    if command in _MANY_POPS:
        count = min(numbers.integer(given[1]) or 0, len(given)) if len(given) > 1 else 0
        return f"another client {_MANY_POPS[command]} {_keys(given[2 : 2 + count])}", _seconds(*given[:1])
    if command in _STREAMS:
        return _stream(given, complete=complete)
    if command in _REPLICAS:
        return "the replicas have the data", None if last is None else last / 1000
    return "", None


def news_of(words: Sequence[str]) -> str:
    """Return what a server sends from now on, when there is some, because of a command; "" if nothing."""
    command = words[0].upper() if words else ""
    if command in _CHANNELS and len(words) > 1:
        what = _CHANNELS[command] + ("s" if len(words) > 2 else "")
        return f"messages of the {what} {_keys(words[1:])} (PUBLISH)"
    if command == "LISTEN" and len(words) == 2:
        return f"a notification on {words[1]} (NOTIFY)"
    return "the commands of all clients" if words == ["MONITOR"] else ""


def _stream(given: Sequence[str], *, complete: bool) -> tuple[str, float | None]:
    """Return the wait of XREAD and XREADGROUP: they have one with BLOCK, and where strace may have cut that off."""
    upper = [word.upper() for word in given]
    at = upper.index("STREAMS") if "STREAMS" in upper else len(given)
    options = upper[:at]
    if "BLOCK" not in options and (complete or at < len(given)):
        return "", None
    names = given[at + 1 :]
    keys = names[: len(names) // 2] if complete else names[:1]
    timeout = options.index("BLOCK") + 1 if "BLOCK" in options else at
    longest = _seconds(options[timeout]) if timeout < len(options) else None
    return f"another client adds an entry to {_keys(keys)}", None if longest is None else longest / 1000


def _keys(names: Sequence[str]) -> str:
    if not names:
        return "the key"
    return listed(list(names)) if len(names) <= _NAMED else f"{', '.join(names[:_NAMED])} and others"


def _seconds(text: str | None = None) -> float | None:
    """Return a timeout, of which 0 means none; None for what is no number."""
    number = numbers.seconds(text)
    return inf if number == 0 else number
