"""What to say about words that `explain` does not know: what they are, and what to write."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence

from tracediag.commands.errors import UsageError
from tracediag.commands.places import is_file
from tracediag.trace.numbers import integer

_TAKES = "the name or code of a rule, TRACE:LINE, or an error such as ECONNREFUSED"


def check_words(words: Sequence[str]) -> None:
    """Raise `UsageError` for several words that name a trace: its line, or a rule to apply to it."""
    if not " ".join(words).strip():
        raise UsageError(f"explain takes {_TAKES}")
    if len(words) != 2:  # a trace, and what belongs to it
        return
    for one, trace in (words, reversed(words)):
        if is_file(trace) and one.isdecimal():
            raise UsageError(f"a line is named as TRACE:LINE; did you mean: {shlex.quote(f'{trace}:{one}')}")
    if is_file(words[1]):
        select = shlex.join(("tracediag", "analyze", "--select", *words))
        raise UsageError(f"the page of a rule needs no trace; to apply that rule: {select}")


def unknown(words: str, error: Exception) -> str:
    """Return what is wrong with words that are no rule, no place in a trace and no error that is known."""
    from tracediag.trace.calls import SYSCALLS
    from tracediag.trace.errnos import all_errors, find_errno

    split = words.split()
    for word in split:
        if word[:1] == "E" and word.isupper() and find_errno(word) is None:
            alike = difflib.get_close_matches(word, [each.name for each in all_errors()], n=1)
            return f"no error {word!r}" + (f"; did you mean {alike[0]}?" if alike else ": errno(3) lists them")
    if words.isdecimal():
        numbered = None if (number := integer(words)) is None else find_errno(number)
        return f"explain takes {_TAKES}" + ("" if numbered is None else f"; error {words} is {numbered.name}")
    if len(split) == 1 and words.lower() in SYSCALLS:
        return (
            f"{words} is a system call: name an error with it, tracediag explain {words.lower()} ERRNO, "
            "or a line of a trace, TRACE:LINE"
        )
    return (
        f"{error}"
        if str(error).endswith("?")
        else f"{error}; one of your own needs --rules DIR; a call of a trace is named as TRACE:LINE"
    )
