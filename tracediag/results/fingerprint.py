"""What identifies the same fault in two recordings: the rule, and the shape of its chain.

Two runs of a program differ in numbers, in times, and in the order in which several processes act. Two recordings of
one run differ in what they show: paths are whole with `strace -y`, texts are short with a small `-s`, and who closes
the other end of a connection is known with `-yy` at best. None of this belongs to the shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracediag.trace.patterns import lazy_pattern

_CALL = lazy_pattern(r"^(?:<\.\.\. )?(\w+)")
_ERRNO = lazy_pattern(r"= -1 (E[A-Z0-9]+)")
_NUMBER = lazy_pattern(r"\b(?:0x[0-9a-f]+|\d[\d.,:]*(?: (?:ns|µs|ms|s|bytes?|KiB)\b)?)")
"""A number with its unit: "8 bytes" in one recording is "64 KiB" in another."""
_FOLDERS = lazy_pattern(r"(?<![^\s(\"'])(?>[^\s/(\"']*+/)++(?=[^\s/)])")
"""What stands before the last part of a path: without `-y` it is as the program writes it, often relative.

It is looked for where a word begins only: at each place of a long word it would take the square of its length."""
_HEDGE = lazy_pattern(
    r"\bwhat must be |\.\.\.|, # later\b| arrives only after the delayed acknowledgement\b|; nothing is reported\b"
    r"|(?<=^the longest wait), #"
    r"|^(?:\w+ takes #|nothing was left to read, and \w+ waits for the peer); "
)
"""What a note says only where the recording shows it: addresses, the rest of a text, times."""
_SPOKEN = lazy_pattern(r"\bwrites this to\b")
"""Where a message is cut before the words of the error; else "reports the error on"."""
_SEEN_BY_CHANCE = lazy_pattern(r"closes the other end$|^made with the lock held\b")
"""Steps that a recording shows only if it knows which process has the other end, or how long calls take, and not in
each run at the same place."""


def fingerprint(code: str, steps: Iterable[tuple[str, str]]) -> str:
    """Return 16 hex digits for a rule and the steps of a chain: the record and the note of each."""
    import hashlib  # noqa: PLC0415  # it loads OpenSSL

    shape = "\n".join((code, *sorted(shapes(steps))))
    return hashlib.sha256(shape.encode(errors="backslashreplace")).hexdigest()[:16]


def shapes(steps: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield what is the same of each step in every recording: the call, its error and the words of the note."""
    for text, note in steps:
        call, errno = _CALL.match(text), _ERRNO.search(text)
        words = _SPOKEN.sub("reports the error on", _HEDGE.sub("", _FOLDERS.sub("", _NUMBER.sub("#", note))))
        if _SEEN_BY_CHANCE.search(words) is None:
            yield f"{call and call[1]} {errno and errno[1]} {words}"
