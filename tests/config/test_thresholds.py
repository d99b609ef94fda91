"""[tool.tracediag.thresholds]: each key changes what a rule reports, for the analysis that has it and no other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tracediag import analyze
from tracediag.config import ConfigError, SettingError, read_config, settings_of
from tracediag.config.schema import Config, Thresholds, keys
from tracediag.ownrules import RuleSet
from tracediag.rules import all_rules
from tracediag.rules.thresholds import adapted
from tracediag.trace.quantities import in_seconds

SAMPLES = Path(__file__).parents[2] / "samples"
SLOW = [
    '1 1795420867.100000 openat(AT_FDCWD, "/srv/x", O_RDWR) = 3</srv/x> <0.000010>\n',
    "1 1795420867.200000 fsync(3</srv/x>) = 0 <0.300000>\n",
    "1 1795420867.600000 exit_group(0) = ?\n",
    "1 1795420867.600000 +++ exited with 0 +++\n",
]
PEER = '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.5")}'
UNANSWERED = [
    '1 1795420867.100000 execve("./a", ["./a"], 0x7f /* 3 vars */) = 0 <0.1>\n',
    "1 1795420867.200000 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3 <0.000010>\n",
    f"1 1795420867.300000 connect(3, {PEER}, 16) = 0 <0.1>\n",
    '1 1795420867.500000 sendto(3, "GET / HTTP/1.0\\r\\n\\r\\n", 18, 0, NULL, 0) = 18 <0.0001>\n',
    "1 1795420867.600000 recvfrom(3,  <unfinished ...>\n",
    "2 1795420871.600000 nanosleep({tv_sec=1, tv_nsec=0}, NULL) = 0 <0.9>\n",
]


def _found(trace: Any, values: Mapping[str, float]) -> dict[str, str]:
    rules = RuleSet(adapted(all_rules(), values))
    return {finding.name: str(finding.severity) for finding in analyze(trace, rules=rules).findings}


@pytest.mark.parametrize(
    ("key", "rule", "trace", "more", "less"),
    [
        ("slow-call", "slow-call", SLOW, 0.2, 0.4),
        ("unanswered", "peer-not-responding", UNANSWERED, 2, 10),
        ("event-loop-turns", "eof-ignored-spin", "eof-ignored-spin/bug.strace", 3, 1000),
        ("repeated-calls", "failing-call-spin", "failing-call-spin/bug.strace", 50, 100_000),
        ("repeated-calls", "eagain-spin", "eagain-spin/bug.strace", 50, 100_000),
        ("repeated-calls", "reads-after-end", "reads-after-end/bug.strace", 50, 100_000),
        ("repeated-calls", "zero-timeout-polling", "zero-timeout-polling/bug.strace", 50, 100_000),
        ("left-open", "descriptor-leak", "descriptor-leak/bug.strace", 3, 1000),
    ],
)
def test_a_threshold_changes_what_is_found(key: str, rule: str, trace: Any, more: float, less: float) -> None:
    source = trace if isinstance(trace, list) else SAMPLES / trace
    assert rule in _found(source, {key: more})
    assert rule not in _found(source, {key: less})
    assert _found(source, {key: more}) == _found(source, {key: more})


def test_a_shorter_time_reports_more_and_is_a_warning_where_the_call_takes_longer_by_far() -> None:
    assert "slow-call" not in _found(SLOW, {})
    assert _found(SLOW, {"slow-call": 0.2})["slow-call"] == "note"
    assert _found(SLOW, {"slow-call": 0.1})["slow-call"] == "warning"
    assert "slow-call" not in _found(SLOW, {})


def test_the_defaults_are_those_of_the_rules() -> None:
    attributes = {key: key.replace("-", "_") for key in keys(Thresholds)}
    for key, default in ((key, field.default) for key, field in keys(Thresholds).items()):
        value = in_seconds(default) if isinstance(default, str) else default
        own = [getattr(rule, attributes[key]) for rule in all_rules() if hasattr(rule, attributes[key])]
        held = [bounds for rule in all_rules() if getattr(bounds := getattr(rule, "bounds", None), "key", "") == key]
        assert own or held
        assert {*own, *(bounds.worth for bounds in held)} == {value}
    assert Config().thresholds.changed == {}


def test_a_rule_keeps_its_name_its_page_and_its_family() -> None:
    for rule, changed in zip(all_rules(), adapted(all_rules(), {"repeated-calls": 8, "slow-call": 9}), strict=True):
        assert (rule.code, rule.family(), rule.page_file()) == (changed.code, changed.family(), changed.page_file())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[thresholds]\n\nslow_call = '1s'\n", ":3: thresholds: unknown key slow_call; did you mean slow-call?"),
        (
            "[thresholds]\nslow-call = 1\n",
            ':2: thresholds.slow-call takes a time of 1ms or more, such as "500ms" or "2s"',
        ),
        ("thresholds.unanswered = '0s'\n", ":1: thresholds.unanswered takes a time of 1ms or more"),
        ("[thresholds]\nunanswered = '٣s'\n", ":2: thresholds.unanswered takes a time"),
        ("[thresholds]\nleft-open = 1\n", ":2: thresholds.left-open takes a whole number from 2 to 1,000,000"),
        ("[thresholds]\nleft-open = '3'\n", ":2: thresholds.left-open takes a whole number"),
        ("thresholds = 3\n", ":1: thresholds is a table with the keys slow-call, "),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "tracediag.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        read_config(path)
    assert said in str(raised.value)


def test_one_threshold_on_the_command_line_leaves_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "tracediag.toml").write_text("[thresholds]\nslow-call = '500ms'\nleft-open = 9\n")
    settings = settings_of(tmp_path, ["thresholds.left-open=7"])
    assert settings.config.thresholds.changed == {"slow-call": 0.5, "left-open": 7}
    assert settings.where("thresholds.slow-call") == f"{tmp_path / 'tracediag.toml'}:2"
    assert settings.where("thresholds.left-open") == "--config"
    assert settings.where("thresholds.unanswered") == "default"
    assert settings_of(tmp_path, ['thresholds={slow-call="2m"}']).config.thresholds.changed == {"slow-call": 120.0}
    with pytest.raises(SettingError, match="thresholds: unknown key turns"):
        settings_of(tmp_path, ["thresholds.turns=7"])
