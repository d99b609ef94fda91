"""The names that strace itself prints before arguments: always in clone, everywhere with -N (6.16 and later)."""

from __future__ import annotations

import re

from tracediag.trace.flags import CHARACTER, NOTE, REMARK, STRING

_LABEL = re.compile(r"([a-z_]\w*+)=(?!=)").match

_TOKEN = re.compile(
    rf"{STRING}|{CHARACTER}|{REMARK}|{NOTE}|[\[({{]|[\])}}]|, ",
    re.DOTALL,
).finditer


def labels_of(body: str) -> tuple[str, ...]:
    """Return the name before each argument, "" if there is none; an empty tuple if the first one has none."""
    first = _LABEL(body)
    if first is None:
        return ()
    labels = [first[1]]
    depth = 0
    for token in _TOKEN(body, first.end()):
        text = token[0]
        if text in "[({":
            depth += 1
        elif text in "])}":
            depth -= 1
        elif text == ", " and depth == 0:
            label = _LABEL(body, token.end())
            labels.append(label[1] if label is not None else "")
    return tuple(labels)
