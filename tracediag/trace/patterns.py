"""Regular expressions that are compiled when first used: each takes 0.1 to 1 ms, and most runs need few of them."""

from __future__ import annotations

import re
from typing import Any, cast


class LazyPattern:
    """Stands for a compiled expression; what is asked of it, `match` and the like, is kept as its own."""

    def __init__(self, source: str, flags: int = 0) -> None:
        self.pattern = source
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        """Return a method of the expression; called only once for each name."""
        compiled = re.compile(self.pattern, self._flags)  # re itself keeps those compiled of late
        found = getattr(compiled, name)
        setattr(self, name, found)
        return found


def lazy_pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """Return a regular expression for a module to keep; not for a loop over every line, where the detour costs time."""
    return cast("re.Pattern[str]", LazyPattern(source, flags))
