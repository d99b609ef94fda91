"""Checks what a rule of the user's own yields: a value that is no sound finding would end the report, not the rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from tracediag.results.findings import Finding
from tracediag.rules.base import Rule

_OURS = f"{__package__.partition('.')[0]}."


def listener(rule: Rule, name: str) -> Callable[[Any], Iterable[Finding] | None]:
    """Return a method of a rule; one that is not ours is checked each time that it yields something."""
    method = getattr(rule, name)
    return method if str(getattr(method, "__module__", "")).startswith(_OURS) else _Checked(rule, method)


class _Checked:
    """A method whose findings are checked."""

    def __init__(self, rule: Rule, method: Callable[[Any], Any]) -> None:
        self.__self__ = rule
        """As of a bound method: whose fault an exception is."""
        self._method = method

    def __call__(self, what: Any) -> Iterator[Finding] | None:
        said = self._method(what)
        return None if said is None else self._sound(said)

    def _sound(self, said: Iterable[Any]) -> Iterator[Finding]:
        """Yield the findings.

        Raises:
            TypeError: if one is no finding, or a part of it has the wrong type.
            ValueError: if it is of another rule.
        """
        rule = self.__self__
        for each in said:
            if not isinstance(each, Finding):
                raise TypeError(f"a rule yields findings, not {type(each).__name__}")
            if (each.code, each.name) != (rule.code, rule.name):
                raise ValueError(f"{rule.name} yields a finding of {each.name}")
            try:
                yield msgspec.convert(msgspec.to_builtins(each), Finding)
            except msgspec.ValidationError as error:
                raise TypeError(f"a finding with a part of the wrong type: {error}") from None
