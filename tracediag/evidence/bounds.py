"""Limits on what rules remember: a trace may hold any number of similar objects."""

from __future__ import annotations

KEPT = 500
"""How many open cases a rule keeps: a report with more would be unreadable."""
