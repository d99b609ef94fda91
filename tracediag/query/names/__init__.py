"""Every name that a query reads: its type, its unit, what it means and how it is read. Listed here and nowhere else.

The list serves the compiler, `tracediag grep --names`, completion and docs/query.md.
"""

from __future__ import annotations

from tracediag.query.classes import classes
from tracediag.query.names.name import Name, shown
from tracediag.query.names.of_calls import OF_CALLS
from tracediag.query.names.of_descriptors import OF_DESCRIPTORS
from tracediag.query.names.of_processes import OF_ENDS, OF_PROCESSES
from tracediag.query.names.of_records import OF_RECORDS

__all__ = ["CLASSES", "NAMES", "Name", "shown"]

CLASSES = classes()
"""The classes of calls by name."""
NAMES: dict[str, Name] = {
    each.name: each for each in (*OF_ENDS, *OF_CALLS, *OF_DESCRIPTORS, *OF_PROCESSES, *OF_RECORDS)
}
"""All names; arguments, `arg("flags")`, are beside them."""
