"""The statement that a client sent to its database, as far as strace shows it: PostgreSQL, MySQL, MariaDB, Redis.

Sources: the messages of the PostgreSQL frontend/backend protocol; COM_QUERY of the MySQL client/server protocol; the
Redis serialization protocol. What signs in, or stands after a word such as PASSWORD, is never shown.
"""

from __future__ import annotations

import re

import msgspec

from tracediag.evidence.asked_to_wait import asked_to_wait, news_of
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.values import Text, walk

_LONGEST = 60
"""Characters of a statement that are shown."""
_READ = 8192
"""Bytes of a request that are looked at."""
_VERB = lazy_pattern(r"(?>[\s(]++|/\*(?>[^*]++|\*(?!/)){0,400}+\*/)*+([A-Za-z]{2,12})(?![A-Za-z])")
_PRIVATE = lazy_pattern(r"(?i)identified|secret|token|credential|pass(?:word|wd|phrase|code)|crypt|\bpwd?\b|api_?key")
"""Words of SQL after which a secret may stand."""
_BULK = re.compile(rb"\$([0-9]{1,9})\r\n")
_ARRAY = re.compile(rb"\*([0-9]{1,6})\r\n")
_COMMAND = lazy_pattern(r"[A-Za-z][A-Za-z._]{0,31}\Z")
_PLAIN = lazy_pattern(r"[!-~]{1,60}\Z")
_WITH_SECRET = frozenset({"AUTH", "HELLO", "MIGRATE", "ACL", "CONFIG", "EVAL", "SENTINEL"})
_MOST = 64
"""Arguments of a command that are read."""
_COM_QUERY, _COM_PREPARE = 3, 0x16
_NO_ATTRIBUTES = b"\0\1"
"""Before the statement, where the client may send query attributes: none, in one set."""


class Statement(msgspec.Struct, frozen=True):
    """What a client asked its database for."""

    server: str
    """"PostgreSQL", "MySQL" (also MariaDB) or "Redis"."""
    text: str
    """The statement, shortened; of a Redis command its name and key, of one that waits all of it."""
    until: str = ""
    """What the server was asked to wait for before it answers: "another client pushes to jobs"; "" if for nothing."""
    longest: float | None = None
    """How many seconds it was asked to wait at most; infinite for a timeout of 0, None where the trace shows none."""
    news: str = ""
    """What the server sends from then on, when there is some: "messages of the channel news (PUBLISH)"."""

    @property
    def named(self) -> str:
        """The statement with the kind of the server: "Redis GET cart", "PostgreSQL: SELECT 1"."""
        return f"{self.server}{' ' if self.server == 'Redis' else ': '}{self.text}"


def statement_in(call: Syscall) -> Statement | None:
    """Return the statement in what a call sent; None if it is of no known form."""
    data, cut = b"", False
    for value in (found for arg in call.args[1:2] for found in walk(arg)):
        if isinstance(value, Text) and not cut and len(data) < _READ:
            data, cut = data + value.data, value.shortened
    return statement_of(data[:_READ], shortened=cut or len(data) > _READ)


def statement_of(data: bytes, *, shortened: bool = False) -> Statement | None:
    """Return the statement at the beginning of what a client sends; None if it is of no known form.

    Args:
        data: the bytes that the trace shows.
        shortened: whether more bytes follow.
    """
    if data[:1] == b"*":
        return _redis(data, shortened=shortened)
    if len(data) < 7:
        return None
    if data[:1] in (b"Q", b"P") and data[1] == 0:
        text = data[5:] if data[:1] == b"Q" else data[5:].partition(b"\0")[2]
        return _sql("PostgreSQL", text.partition(b"\0")[0], shortened=shortened and b"\0" not in text)
    if data[2] == data[3] == 0 and data[4] in (_COM_QUERY, _COM_PREPARE):
        size, text = int.from_bytes(data[:2], "little") - 1, data[5:].removeprefix(_NO_ATTRIBUTES)
        if size >= len(data) - 5:
            return _sql("MySQL", text, shortened=shortened)
    return None


def _sql(server: str, statement: bytes, *, shortened: bool) -> Statement | None:
    text = statement.decode("utf-8", "backslashreplace")
    if _VERB.match(text) is None:
        return None
    words = " ".join(text.split()).rstrip("; ")
    if (private := _PRIVATE.search(words)) is not None:
        words, shortened = words[: private.end()] + " ", True
    shown = words[: _LONGEST - 1] + "…" if shortened or len(words) > _LONGEST else words
    return Statement(server, shown, news="" if shortened else news_of(words.split()))


def _redis(data: bytes, *, shortened: bool) -> Statement | None:
    words, complete = _arguments(data)
    if not words or _COMMAND.match(words[0]) is None or not (complete or shortened):
        return None
    command = words[0].upper()
    words[0] = command
    until, longest = asked_to_wait(words, complete=complete)
    news = news_of(words) if complete else ""
    if until or news:
        text = " ".join(words)
        cut = not complete or len(text) > _LONGEST
        return Statement("Redis", text[: _LONGEST - 1] + "…" if cut else text, until, longest, news)
    shown = words[1:2] if command not in _WITH_SECRET else []
    return Statement("Redis", " ".join([command, *(word for word in shown if _PLAIN.match(word) is not None)]))


def _arguments(data: bytes) -> tuple[list[str], bool]:
    """Return the arguments of the first command that are shown in full, and whether these are all."""
    words: list[str] = []
    head = _ARRAY.match(data)
    wanted, place = (0, 0) if head is None else (checked_integer(head[1]), head.end())
    while len(words) < min(wanted, _MOST) and (size := _BULK.match(data, place)) is not None:
        end = size.end() + checked_integer(size[1])
        if len(data) < end:
            break
        words.append(data[size.end() : end].decode("utf-8", "backslashreplace"))
        place = end + 2
    return words, len(words) == wanted > 0
