"""Secrets in the arguments of a command: the values of options that take one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tracediag.trace.patterns import lazy_pattern

_LONG = lazy_pattern(r"(?i)--?(?:\w{1,16}-){0,2}(?:pass(?:word|wd|phrase|in|out)?|secret|token|api-?key|access-?key)\Z")
_WITH_USER = frozenset(("-u", "-U", "--user", "--proxy-user"))
_GLUED = lazy_pattern(r"(?:mysql|mariadb|sshpass)")
"""Programs whose `-pVALUE` is a password."""
_COOKIES = frozenset(("-b", "--cookie"))
"""Of curl: a file, or the cookies themselves, which have a `=`."""
_SEPARATE = {"sshpass": "-p", "redis-cli": "-a", "docker": "-p", "podman": "-p", "smbclient": "-W"}
_LDAP = lazy_pattern(r"ldap(?:search|add|modify|delete|passwd|whoami|compare|modrdn)\Z")


def secrets_of(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the place of each word that holds a secret, and where in the word it begins."""
    if not words:
        return
    program = words[0].rpartition("/")[2]
    separate = "-w" if _LDAP.match(program) else _SEPARATE.get(program)
    for place, word in enumerate(words[1:], 1):
        before = words[place - 1] if place > 1 else ""
        if _LONG.match(before) or (separate is not None and before == separate):
            yield place, 0
        elif (equals := word.find("=")) > 0 and _LONG.match(word[:equals]):
            yield place, equals + 1
        elif before in _WITH_USER and (colon := max(word.find(":"), word.find("%"))) > 0:
            yield place, colon + 1
        elif program == "curl" and before in _COOKIES and "=" in word:
            yield place, 0
        elif word.startswith("-p") and len(word) > 2 and _GLUED.match(program):
            yield place, 2
