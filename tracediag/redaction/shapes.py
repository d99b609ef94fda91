"""The shapes of secrets in text: headers, assignments, URLs, tokens, keys, logins.

Each expression has one group, the secret. All are linear: each repeat is possessive or bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from tracediag.trace.patterns import lazy_pattern

MARK = "<redacted>"


class Secret(msgspec.Struct, frozen=True, order=True):
    """A place in a text that holds a secret."""

    start: int
    end: int
    kind: str
    passed_on: bool = True
    """Whether it is hidden elsewhere, too."""


_NAME = r"(?:pass(?:word|wd|phrase|code)|secret|token|api[_-]?key|(?:access|private|signing)[_-]?key|credential)"
_VALUE = r"(?!<redacted)([^\s\"'&;,\\\x00]++)"
_RECORD_LINE = r"(?!<redacted)((?>[^\"\\\r\n\x00]|\\[^rn]|\\r\\n[ \t])++)"
"""The rest of a line in a record, which a quote ends; an escaped one does not."""
_LINE = r"(?!<redacted)((?>[^\r\n\x00]|\r\n[ \t])++)"
_RECORD_QUOTED = r"(?!<redacted)((?>[^\"'\\\r\n\x00]|\\[^rn\"'])++)"
"""The rest of a quoted value in a record, where its quotes may be escaped."""
_QUOTED = r"(?!<redacted)((?>[^\"'\\\r\n\x00]|\\.)++)"
_SPACE = r"(?>[ \t]|\r\n[ \t])"
"""Between the parts of a header, which may be folded: RFC 9112, 5.2."""
_RECORD_SPACE = r"(?>[ \t]|\\r\\n[ \t])"
_ELEMENT = r"(?![\s<]|<redacted)([^<\x00]++)"
_RECORD_ELEMENT = r"(?![\s<]|\\[nrt]|<redacted)((?>[^<\"\\]|\\.)++)"
_SCHEME = r"(?>(?:basic|bearer|digest|negotiate|ntlm|token|apikey|aws4-hmac-sha256)SPACE++)?+"

TOKENS = lazy_pattern(
    r"(?<![A-Za-z0-9])("
    r"(?:AKIA|ASIA)[0-9A-Z]{8,}+"  # Amazon Web Services
    r"|gh[pousr]_[A-Za-z0-9]{4,}+|github_pat_\w{4,}+"  # GitHub
    r"|gl(?:pat|dt|rt|ptt|cbt)-[\w-]{4,}+"  # GitLab
    r"|xox[abeprs]-[\w-]{4,}+|xapp-[\w-]{4,}+"  # Slack
    r"|eyJ[\w-]{8,}+(?>\.[\w-]*+){0,4}+"  # JSON Web Token: base64 of '{"'
    r"|sk-[A-Za-z0-9_-]{16,}+|[sr]k_(?:live|test)_\w{4,}+"
    r"|AIza[\w-]{16,}+|npm_[A-Za-z0-9]{16,}+|pypi-AgE[\w-]{8,}+|hf_[A-Za-z0-9]{16,}+"
    r"|SG\.[\w-]{16,}+\.[\w-]++"
    r")"
)
"""Tokens that are known by their first characters; `strace -s` may have cut the rest."""

_URL = lazy_pattern(
    r"://[^\s/:@\"'\\]{0,256}+:(?!<redacted)([^\s/@\"'\\]{1,256}+(?>@[^\s/@\"'\\]{1,256}+(?=@)){0,8}+)(?:@|$)"
)
"""scheme://user:password@host, RFC 3986, 3.2.1; an "@" in the password should be written %40, and often is not."""

_HINTS = (
    *("pass", "secret", "token", "credential", "auth", "cookie", "pwd=", "swd=", "key", "login", "://", "dsn", "exec"),
    *("eyj", "github_", "gh", "gl", "xox", "xapp-", "sk-", "sk_", "rk_", "akia", "asia", "aiza", "npm_", "hf_", "sg."),
    *("$1", "$2", "$5", "$6", "$7", "$y", "$gy", "$argon", " -u", '"-u', "-user", '"p\\0', "\\x", "identified"),
)
"""One of them is in all text that holds a secret of a known shape, or whose hexadecimal escapes may hide one."""
EVERYWHERE: tuple[tuple[str, re.Pattern[str]], ...] = (("token", TOKENS), ("url", _URL))
"""What is known by itself, in any text."""


def _named(line: str, inside: str, element: str, space: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield the shapes of named values; the arguments match what differs between data and a record.

    Args:
        line: the rest of a line.
        inside: the rest of a quoted value.
        element: the text of an XML element.
        space: a space inside a header.
    """
    escaped = r"\\{1,3}[\"']"  # JSON in a text of JSON
    quoted = r"\\{0,3}[\"']"
    scheme = _SCHEME.replace("SPACE", space)
    for kind, pattern in (
        ("authorization", rf"authorization{quoted}[ \t]*+[:=][ \t]*+{quoted}{scheme}{inside}"),
        ("authorization", rf"authorization[ \t]*+[:=]{space}*+{scheme}{line}"),
        ("cookie", rf"\bcookie2?{quoted}[ \t]*+:[ \t]*+{quoted}{inside}"),
        ("cookie", rf"\bcookie2?:{space}*+{line}"),
        ("assignment", rf"{_NAME}[\w-]{{0,32}}+(?:{quoted})?[ \t]*+=[ \t]*+(?:{quoted})?{_VALUE}"),
        ("assignment", rf"{_NAME}[\w-]{{0,32}}+(?:{quoted}[ \t]*+:|=)[ \t]*+{quoted}{inside}"),
        ("assignment", rf"{_NAME}[\w-]{{0,32}}+{quoted}[ \t]*+:[ \t]*+(?!null|true|false|[\[{{]){_VALUE}"),
        ("assignment", rf"{_NAME}[\w-]{{0,32}}+{escaped}[ \t]*+:[ \t]*+{escaped}((?>[^\"'\\]|\\[^\"'\\])++)"),
        ("assignment", rf"{_NAME}[\w-]{{0,32}}+(?>\s[^<>]{{0,256}}+)?+>{element}"),
        ("assignment", rf"^[ \t]{{0,64}}+(?:-[ \t])?(?:\w{{1,16}}[_-]){{0,4}}(?!passwd){_NAME}[ \t]*+:[ \t]++{_VALUE}"),
        ("assignment", rf"^[ \t]{{0,64}}+(?:-[ \t])?(?:\w{{1,16}}[_-]){{0,4}}{_NAME}[ \t]*+:[ \t]++{quoted}{inside}"),
        ("assignment", rf"\b[ps]wd=(?!/){_VALUE}"),
        ("argument", rf"(?:^|[\s\"'])--(?:\w{{1,16}}-)?(?:{_NAME}|pass)[ \t]++{_VALUE}"),
        ("argument", r"(?:^|\s)(?:-u|--user|--proxy-user)[ \t=]?[^\s:\"'\\/]{1,128}+:(?!<redacted)([^\s\"'\\]++)"),
        ("login", rf"^(?-i:PASS|AUTH(?>[ \t]++(?:PLAIN|LOGIN|XOAUTH2))?+)[ \t]++{line}"),
        ("login", rf"^[\w.]{{1,16}}+ (?-i:LOGIN) [^\s]{{1,256}}+ {line}"),
    ):
        yield kind, re.compile(f"(?im){pattern}")


_BY = r"(?>with\s++\w{1,64}+\s++)?+(?:by|as)"
"""Before a password in the SQL of MySQL and Oracle."""
_REST = (
    ("private key", re.compile(r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----(?!\s*<redacted)((?>[^-]|-(?!----))++)")),
    ("hash", re.compile(r"(\$(?:1|2[aby]|5|6|7|y|gy|argon2(?:id|i|d))\$[./A-Za-z0-9$=,+]{8,}+)")),
    ("login", re.compile(r"(?i)\bAUTH\r\n\$\d{1,9}\r\n(?>[^\r\n]{0,512}+\r\n\$\d{1,9}\r\n)?+([^\r\n]++)")),
    ("login", re.compile(rf"(?i)(?:\bidentified\s++{_BY}|\bpassword)\s++'(?!<redacted)((?>[^'\\]|\\.|'')++)")),
    ("login", re.compile(r"\Ap\x00\x00[\s\S]{2}(?!SCRAM-)([^\x00]++)")),  # PasswordMessage of PostgreSQL
)
SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    *EVERYWHERE,
    *_named(_RECORD_LINE, _RECORD_QUOTED, _RECORD_ELEMENT, _RECORD_SPACE),
    *_REST,
)
"""All shapes, for a text that may hold records."""
IN_DATA: tuple[tuple[str, re.Pattern[str]], ...] = (*EVERYWHERE, *_named(_LINE, _QUOTED, _ELEMENT, _SPACE), *_REST)
"""All shapes, for the data of a program, without escapes."""

_ENVIRONMENT = lazy_pattern(r"(?:\A|\x00)([A-Za-z_]\w{0,128}+)=([^\x00]++)")
_SECRET_NAME = lazy_pattern(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|COOKIE|DSN")
HARMLESS = frozenset(
    (
        *(
            "PATH",
            "HOME",
            "LANG",
            "LANGUAGE",
            "TERM",
            "SHELL",
            "USER",
            "LOGNAME",
            "PWD",
            "OLDPWD",
            "TZ",
            "TMPDIR",
            "HOSTNAME",
        ),
        *(
            "SHLVL",
            "_",
            "LD_LIBRARY_PATH",
            "LD_PRELOAD",
            "PYTHONPATH",
            "PYTHONUNBUFFERED",
            "DISPLAY",
            "EDITOR",
            "PAGER",
        ),
        *("COLUMNS", "LINES", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK"),
    )
)
"""Variables of the environment whose values are shown."""


def may_hold(text: str) -> bool:
    """Return whether a text may hold a secret of a known shape: a fast answer, which most records get."""
    lower = text.lower()
    return any(hint in lower for hint in _HINTS)


def secrets_in(text: str, shapes: tuple[tuple[str, re.Pattern[str]], ...] = SHAPES) -> Iterator[Secret]:
    """Yield the secrets of known shapes in a text; they may overlap."""
    for kind, pattern in shapes:
        for found in pattern.finditer(text):
            yield Secret(*found.span(1), kind)


def variables_in(text: str, *, every: bool) -> Iterator[Secret]:
    """Yield the values of variables `NAME=VALUE`, with null characters between them, that are to be hidden.

    With `every`, the text is known to be an environment: all values but those of `HARMLESS` variables are hidden.
    Otherwise only those whose upper-case name tells of a secret.
    """
    for found in _ENVIRONMENT.finditer(text):
        name = found[1]
        hidden = _is_private(name) if every else name.isupper() and name not in HARMLESS and _SECRET_NAME.search(name)
        if hidden and not found[2].startswith(MARK[:-1]):
            told = _SECRET_NAME.search(name) is not None
            yield Secret(*found.span(2), "environment", passed_on=told)


def _is_private(name: str) -> bool:
    return name not in HARMLESS and not name.startswith("LC_")
