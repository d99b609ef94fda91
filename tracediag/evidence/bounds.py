"""How much rules keep in mind: a trace may hold any number of like objects."""

from __future__ import annotations

KEPT = 500
"""How many open cases a rule keeps: of more a report could not be read."""
