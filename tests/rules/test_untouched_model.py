"""Rules read the model and do not write to it: it is the same with all rules at work as without any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import zip_longest
from typing import Any

import msgspec
from pages import traces

from tracediag.engine import Engine
from tracediag.kernel import Kernel, apply
from tracediag.reading import read
from tracediag.rules import Rule, all_rules
from tracediag.trace.events import Event

LAZY = {"watchers", "known_path", "known_flags", "stated", "_latest"}
"""Fields for what is computed when a rule asks for it, and for the cases of rules."""


def parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the parts of an object of the model with their names; none for what is no container."""
    if isinstance(value, Event):
        yield "line", value.line
    elif isinstance(value, msgspec.Struct):
        yield from ((name, getattr(value, name)) for name in value.__struct_fields__ if name not in LAZY)
    elif isinstance(value, Mapping):
        yield from (("a key", key) for key in value)
        yield from (("a value", item) for item in value.values())
    elif isinstance(value, AbstractSet):
        yield from (("a member", item) for item in sorted(value, key=str))
    elif isinstance(value, list | tuple) or hasattr(value, "maxlen"):
        yield from (("an item", item) for item in value)
    elif hasattr(value, "__dict__") and type(value).__module__.startswith("tracediag.kernel"):
        yield from ((name, part) for name, part in vars(value).items() if name not in LAZY)


def differences(one: Any, other: Any) -> set[str]:
    """Return where two models differ, as "type.field"."""
    found: set[str] = set()
    seen: set[int] = set()
    left = [("the model", one, other)]
    while left:
        place, a, b = left.pop()
        if a is b or id(a) in seen:
            continue
        seen.add(id(a))
        pairs = list(zip_longest(parts(a), parts(b)))
        plain = isinstance(a, str | int | float | bytes | None)
        if type(a) is not type(b) or (plain and a != b) or any(None in pair for pair in pairs):
            found.add(place)
            continue
        left += [(f"{type(a).__name__}.{mine[0]}", mine[1], its[1]) for mine, its in pairs]
    return found


def models(lines: list[str], rules: tuple[type[Rule], ...]) -> tuple[Kernel, Kernel]:
    """Return the model of a trace without rules, and with some."""
    text = [f"{line}\n" for line in lines]
    alone, engine = Kernel(), Engine(rules, raising=True)
    for event in read(text):
        apply(alone, event)
    list(engine.run(read(text)))
    return alone, engine.kernel


def test_the_rules_leave_the_model_as_it_is(rule: type[Rule]) -> None:
    shown = traces(rule.page())
    found = [differences(*models(trace.lines, all_rules())) for trace in shown]
    assert found == [set()] * len(shown)
