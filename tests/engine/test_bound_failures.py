"""What listens to a failure is bound when the first with that error comes, and is then all that was subscribed."""

from __future__ import annotations

from tracediag.rules import all_rules
from tracediag.rules.subscribers import Subscribers


def test_only_errors_that_came_are_bound_and_names_of_a_trace_are_not_kept() -> None:
    failures = Subscribers([rule() for rule in all_rules()]).failures
    assert dict(failures) == {}
    assert failures["ENOSUCHERROR"].by_call == {}
    assert dict(failures) == {}
    assert "openat" in failures["ENOENT"].by_call
    assert list(failures) == ["ENOENT"]


def test_each_subscription_to_a_failure_is_heard() -> None:
    rules = [rule() for rule in all_rules()]
    failures = Subscribers(rules).failures
    asked = {
        (name, type(rule).__name__, method)
        for rule in rules
        for (kind, name), methods in rule.subscriptions().items()
        if kind == "failure"
        for method in methods
    }
    assert len(asked) > 100
    heard = set()
    for failure in {name for name, _, _ in asked}:
        call, _, errno = failure.partition(" ")
        audience = failures[errno].by_call[call]
        assert audience.always[: len(failures[errno].of_all.always)] == failures[errno].of_all.always
        others = (each for _, listeners in (*audience.choosy, *audience.given) for each in listeners)
        for listener in (*audience.always, *others):
            heard.add((failure, type(listener.__self__).__name__, listener.__name__))  # type: ignore[attr-defined]
    assert asked - heard == set()
