"""No trace shows the machine that recorded it: samples/record.sh gives a program a neutral host name and resolver."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRACES = sorted([*(ROOT / "samples").rglob("*.strace"), *(ROOT / "tracediag" / "rules").rglob("*.md")])
_NODE = re.compile(r'nodename="([^"]*)"')
_ADDRESS = re.compile(r'nameserver ([0-9.]+)|inet_addr\("([0-9.]+)"\)')
_NEUTRAL = [
    ip_network(net) for net in ("0.0.0.0/32", "127.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
]
"""Of no machine in particular: any, loopback, and the networks for documentation (RFC 5737)."""


@pytest.mark.parametrize("path", TRACES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_trace_shows_no_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    assert set(_NODE.findall(text)) <= {"host"}
    addresses = {ip_address(first or second) for first, second in _ADDRESS.findall(text)}
    assert [address for address in addresses if not any(address in net for net in _NEUTRAL)] == []
