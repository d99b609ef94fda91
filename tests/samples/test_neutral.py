"""No trace shows the machine that recorded it: samples/record.sh gives a program a neutral host name and resolver."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from pathlib import Path

from sample_reports import SAMPLES, TRACES, named

ROOT = SAMPLES.parent
PAGES = sorted((ROOT / "tracediag" / "rules").rglob("*.md"))
HOMES = {place for place in (ROOT, Path.home()) if place != Path("/")}
_NODE = re.compile(r'nodename="([^"]*)"')
_ADDRESS = re.compile(r'nameserver ([0-9.]+)|inet_addr\("([0-9.]+)"\)')
_NEUTRAL = [
    ip_network(net) for net in ("0.0.0.0/32", "127.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
]
"""Of no machine in particular: any, loopback, and the networks for documentation (RFC 5737)."""


def test_a_trace_shows_no_machine() -> None:
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in (*TRACES, *PAGES)}
    assert {str(path): found for path, text in texts.items() if (found := shown_of_a_machine(text))} == {}


def shown_of_a_machine(text: str) -> list[str]:
    addresses = {ip_address(first or second) for first, second in _ADDRESS.findall(text)}
    foreign = [str(address) for address in addresses if not any(address in net for net in _NEUTRAL)]
    return [*(set(_NODE.findall(text)) - {"host"}), *foreign]


def test_no_trace_shows_where_the_project_stands() -> None:
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in TRACES}
    assert [(named(path), home) for path, text in texts.items() for home in HOMES if f"{home}/" in text] == []
