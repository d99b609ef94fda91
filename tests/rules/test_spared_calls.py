"""The collection that a rule names in `given=` is the one that it uses all the time: the engine holds it."""

from __future__ import annotations

import pytest
from pages import traces

from tracediag.engine import Engine
from tracediag.reading import read
from tracediag.rules import Rule, all_rules


def given(rule: type[Rule]) -> set[str]:
    """Return the names of the collections without which methods of a rule are not asked about a call."""
    return {rule.given_to(name) for names in rule.subscriptions().values() for name in names} - {""}


RULES = [rule for rule in all_rules() if given(rule)]


def test_frequent_calls_are_spared() -> None:
    assert len(RULES) > 10


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_no_other_is_put_in_its_place(rule: type[Rule]) -> None:
    for trace in traces(rule.page()):
        engine = Engine([rule])
        before = {name: getattr(each, name) for each in engine._rules if type(each) is rule for name in given(rule)}
        list(engine.run(read(trace.lines)))
        after = {name: getattr(each, name) for each in engine._rules if type(each) is rule for name in given(rule)}
        assert before
        assert all(after[name] is collection for name, collection in before.items())
