"""What the first bytes of a connection ask for, as far as strace shows them: HTTP, TLS, Redis, PostgreSQL, MySQL, DNS.

Sources: RFC 9112 section 3; RFC 8446 section 4.1.2 and RFC 6066 section 3; the Redis serialization protocol; the
messages of the PostgreSQL frontend/backend protocol; COM_QUERY of the MySQL client/server protocol; RFC 4253
section 4.2; memcached's protocol.txt.
"""

from __future__ import annotations

import re

from tracediag.evidence.dns import decode

_LONGEST = 80
_HTTP = re.compile(
    rb"(GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS|CONNECT|TRACE|PROPFIND) ([!-~]++)( HTTP/1\.[01]\r\n)?+"
).match
_HTTP2 = b"PRI * HTTP/2.0"
_HOST = re.compile(rb"\r\nhost:[ \t]*+([!-~]++)\r\n", re.IGNORECASE).search
_REDIS = re.compile(rb"\*[0-9]{1,9}\r\n\$[0-9]{1,9}\r\n([A-Za-z.]{1,32})(?>\r\n\$[0-9]{1,9}\r\n([!-~]{1,60}))?+").match
_SQL = re.compile(rb"[\s(]*+([A-Za-z]{2,12})(?![A-Za-z])").match
_MEMCACHED = re.compile(rb"(gets?|set|add|replace|incr|decr|delete|touch|mg|ms) ([!-~]{1,250})[ \r]").match
_GREETING = re.compile(rb"(SSH-[0-9.]++-[!-~]{1,40}|(?>EHLO|HELO) [!-~]{1,80})").match
_START_UP, _ASK_TLS = 196608, 80877103
"""The codes of PostgreSQL's StartupMessage (3.0) and SSLRequest."""
_COM_QUERY = 3


def request_of(data: bytes, *, shortened: bool = False) -> str | None:
    """Return what the first bytes of a connection, or a datagram, ask for; None if they are of no known form.

    Args:
        data: the bytes that the trace shows.
        shortened: whether more bytes follow.
    """
    return (
        _http(data)
        or _tls(data)
        or _redis(data)
        or _postgres(data)
        or _mysql(data)
        or _dns(data, shortened=shortened)
        or _line(data)
    )


def _text(data: bytes) -> str:
    text = data.decode("ascii", "backslashreplace")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _http(data: bytes) -> str | None:
    if data.startswith(_HTTP2):
        return "HTTP/2"
    found = _HTTP(data)
    if found is None:
        return None
    cut = "…" if found.end() == len(data) and found[3] is None else ""
    host = _HOST(data)
    return f"{_text(found[1])} {_text(found[2])}{cut}" + (f" of {_text(host[1])}" if host is not None else "")


def _tls(data: bytes) -> str | None:
    if len(data) < 6 or data[:2] != b"\x16\x03" or data[5] != 1:
        return None
    name = _server_name(data)
    return "TLS" if name is None else f"TLS to {name}"


def _server_name(data: bytes) -> str | None:
    """Return the server name of a ClientHello; None where the shown bytes end before it or it has none."""
    place = 5 + 4 + 2 + 32
    place += 1 + int.from_bytes(data[place : place + 1], "big")
    place += 2 + int.from_bytes(data[place : place + 2], "big")
    place += 1 + int.from_bytes(data[place : place + 1], "big") + 2
    while place + 4 <= len(data):
        kind, size = int.from_bytes(data[place : place + 2], "big"), int.from_bytes(data[place + 2 : place + 4], "big")
        if kind == 0:
            length = int.from_bytes(data[place + 7 : place + 9], "big")
            name = data[place + 9 : place + 9 + length]
            return _text(name) if len(name) == length > 0 and all(0x21 <= byte < 0x7F for byte in name) else None
        place += 4 + size
    return None


def _redis(data: bytes) -> str | None:
    found = _REDIS(data)
    if found is None:
        return None
    command = found[1].upper()
    shown = found[2] if command not in (b"AUTH", b"HELLO") else None
    return f"Redis {_text(command)}" + (f" {_text(shown)}" if shown is not None else "")


def _postgres(data: bytes) -> str | None:
    if len(data) >= 8 and data[0] == 0:
        code = int.from_bytes(data[4:8], "big")
        if code == _ASK_TLS:
            return "PostgreSQL, may it be TLS"
        if code == _START_UP:
            words = data[8:].split(b"\0")
            known = dict(zip(words[::2], words[1::2], strict=False))
            named = [f"{key} {_text(known[key.encode()])}" for key in ("user", "database") if known.get(key.encode())]
            return "PostgreSQL" + (f" {', '.join(named)}" if named else "")
    if len(data) > 6 and data[:1] in (b"Q", b"P") and data[1] == 0:
        return _sql(data[5:] if data[:1] == b"Q" else data[5:].partition(b"\0")[2])
    return None


def _mysql(data: bytes) -> str | None:
    return _sql(data[5:]) if len(data) > 6 and data[3] == 0 and data[4] == _COM_QUERY and data[2] == 0 else None


def _sql(statement: bytes) -> str | None:
    found = _SQL(statement)
    return None if found is None else f"SQL {_text(found[1].upper())}"


def _dns(data: bytes, *, shortened: bool) -> str | None:
    message = decode(data, shortened=shortened)
    if message is None or message.response:
        return None
    return f"DNS {message.type} {message.name}" if message.type else f"DNS {message.name}"


def _line(data: bytes) -> str | None:
    if (found := _MEMCACHED(data)) is not None:
        return f"memcached {_text(found[1])} {_text(found[2])}"
    found = _GREETING(data)
    return None if found is None else _text(found[1])
