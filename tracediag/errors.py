"""The errors that the library raises. Each message is one clear line.

TracediagError
+-- UnreadableError      also an OSError: the source cannot be read or is no trace
+-- NotUnderstoodError   also a ValueError: a line is no form of strace output, with `strict`
+-- UnknownRuleError     also a KeyError: no rule has that name or code
"""

from __future__ import annotations


class TracediagError(Exception):
    """Any error that tracediag raises for its caller."""


class UnknownRuleError(TracediagError, KeyError):
    """No rule has that name or code."""

    def __init__(self, word: str, alike: tuple[str, ...] = ()) -> None:
        super().__init__(word)
        self.word = word
        self.alike = alike
        """Names of rules that may have been meant, the most likely first."""

    def __str__(self) -> str:
        """Return one line for the user; KeyError would return the repr of the word."""
        if self.word == "all":
            return "no rule 'all'; all rules are applied unless --select names some"
        hint = f"; did you mean {' or '.join(self.alike)}?" if self.alike else "; `tracediag rules` lists them"
        return f"no rule {self.word!r}{hint}"
