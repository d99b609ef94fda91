"""The secrets that were found so far: each is hidden wherever else it stands."""

from __future__ import annotations

import base64
import binascii
import bisect
from collections.abc import Iterator
from urllib.parse import quote, unquote

from tracediag.redaction.literals import Literal
from tracediag.redaction.shapes import Secret
from tracediag.trace.patterns import lazy_pattern

_SHORTEST = 8
"""Characters of a secret that is looked for elsewhere: shorter text may stand for anything."""
_LONGEST, _MOST = 4096, 4096
"""Characters that are remembered of a secret, and secrets that are remembered: 16 MiB at most."""
_FEW = 16
"""Up to so many beginnings are looked for one by one, which is faster than to look at each place of a text."""
_COMMON = lazy_pattern(r"(?:[A-Za-z]*+|[0-9a-fx.]{1,16}+)\Z")
"""A word, a time or an address: such text stands in a record for other things, too."""
_CODE = lazy_pattern(r"(?:[A-Za-z_]++(?>\.[A-Za-z_]++)*+\Z|[\w.]++[(\[{]|[(\[{$])")
"""What source code assigns to a name: a name, a call."""
_PATH = lazy_pattern(r"\.{0,2}+(?>/[\w.@+-]++)++\Z")
"""Where a secret is, rather than one: XAUTHORITY, token_file."""
_COOKIE = lazy_pattern(r"(?i)(?!(?:path|domain|expires|max-age|samesite)=)[^\s=;]{1,128}+=([^\s;]++)")
_REST = lazy_pattern(r"[\w+/=~.%-]*+")
"""The rest of a secret that was found cut off."""
_CUT = lazy_pattern(r"…|[\"']?\.\.\.")


class Known:
    """Secrets, by their first characters; memory is bounded."""

    def __init__(self) -> None:
        self._by_head: dict[str, _Alike] = {}
        self._number = 0

    def add(self, kind: str, shown: str, *, is_cut: bool = False) -> None:
        """Remember a secret as a record shows it, with its escapes; `is_cut` if strace has cut the end off."""
        for part in _parts(kind, Literal(shown[:_LONGEST], 0).text):
            if len(part) >= _SHORTEST and not _COMMON.match(part) and not _is_harmless(kind, part):
                for form in _forms(part):
                    self._remember(form, is_cut=is_cut)

    def places(self, text: str) -> Iterator[Secret]:
        """Yield where a text has a secret, or the beginning of one before the place where the text was cut."""
        for start in self._starts(text) if self._by_head else ():
            end = self._by_head[text[start : start + _SHORTEST]].end(text, start)
            if end:
                yield Secret(start, end, "repeated", passed_on=False)

    def _starts(self, text: str) -> Iterator[int]:
        heads = self._by_head
        if len(heads) > _FEW:
            yield from (start for start in range(len(text) - _SHORTEST + 1) if text[start : start + _SHORTEST] in heads)
            return
        for head in heads:
            start = text.find(head)
            while start >= 0:
                yield start
                start = text.find(head, start + 1)

    def _remember(self, secret: str, *, is_cut: bool) -> None:
        head = secret[:_SHORTEST]
        if self._number < _MOST:
            self._number += self._by_head.setdefault(head, _Alike()).add(secret, is_cut=is_cut)


class _Alike:
    """The secrets that begin with the same characters: those of tokens of one kind are many."""

    def __init__(self) -> None:
        self._cut: dict[str, bool] = {}
        self._lengths: dict[int, None] = {}
        self._sorted: list[str] = []

    def add(self, secret: str, *, is_cut: bool) -> bool:
        """Add a secret; return whether it is new."""
        if secret in self._cut:
            self._cut[secret] |= is_cut
            return False
        self._cut[secret] = is_cut
        self._lengths[len(secret)] = None
        bisect.insort(self._sorted, secret)
        return True

    def end(self, text: str, start: int) -> int:
        """Return where the longest secret ends that begins at `start`; 0 if none does."""
        for length in sorted(self._lengths, reverse=True):
            secret = text[start : start + length]
            if (is_cut := self._cut.get(secret)) is not None:
                rest = _REST.match(text, start + length) if is_cut else None
                return start + length if rest is None else rest.end()
        cut = _CUT.search(text, start + _SHORTEST)
        beginning = text[start : len(text) if cut is None else cut.start()]
        place = bisect.bisect_left(self._sorted, beginning)
        is_one = place < len(self._sorted) and self._sorted[place].startswith(beginning)
        return start + len(beginning) if is_one else 0


def _is_harmless(kind: str, text: str) -> bool:
    """Whether a value of that kind is no secret that may stand elsewhere, though it is hidden in its own place."""
    if kind == "assignment" and _CODE.match(text):
        return True
    return kind in {"assignment", "environment"} and _PATH.match(text) is not None


def _parts(kind: str, text: str) -> Iterator[str]:
    """Yield what of a secret may stand elsewhere alone."""
    if kind == "cookie":
        yield from _COOKIE.findall(text)
    elif kind == "private key":
        yield from (line for line in text.split() if len(line) > _SHORTEST * 2)
    else:
        yield text.strip()
        if kind == "authorization":
            yield _password(text.strip())


def _password(text: str) -> str:
    """Return the password of `Authorization: Basic`, RFC 7617: base64 of user:password; "" without one."""
    try:
        return base64.b64decode(text, validate=True).decode("latin-1").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _forms(secret: str) -> set[str]:
    """Return the ways in which a secret may be written: as text or as bytes, in a URL or plain."""
    forms = {secret}
    if not secret.isascii():
        try:
            forms.add(secret.encode("latin-1").decode("utf-8"))
        except UnicodeError:
            forms.add(secret.encode("utf-8", "replace").decode("latin-1"))
    forms |= {quote(form, safe="", errors="replace") for form in forms}
    return forms | {unquote(secret, errors="replace")}
