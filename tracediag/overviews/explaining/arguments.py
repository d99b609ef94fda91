"""The arguments of a call as recorded, each as text: `3</etc/hosts>`, `"abc"...`, `{st_mode=S_IFREG|0644, ...}`."""

from __future__ import annotations

import re

from tracediag.trace.events import Call
from tracediag.trace.flags import CHARACTER, NOTE, REMARK, STRING
from tracediag.trace.parameters import names
from tracediag.trace.parameters.labels import labels_of
from tracediag.trace.patterns import lazy_pattern

_TOKEN = lazy_pattern(rf"(?P<whole>{STRING}|{CHARACTER}|{REMARK}|{NOTE})|[\[({{]|[\])}}]|, ?", re.DOTALL)
_LONGEST = 1 << 16
"""Characters of the arguments that are split."""


def argument_texts(call: Call) -> list[str]:
    """Return the text of each argument; labels that strace printed (`fd=3`) are removed."""
    body = call.body[:_LONGEST]
    found, depth, start = [], 0, 0
    for token in _TOKEN.finditer(body):
        piece = token.group()
        if token["whole"] is not None:
            continue
        if piece in "[({":
            depth += 1
        elif piece in "])}":
            depth = max(depth - 1, 0)
        elif not depth:
            found.append(body[start : token.start()])
            start = token.end()
    found.append(body[start:])
    texts = [text.strip() for text in found]
    labels = labels_of(call.body)
    if len(labels) == len(texts):
        texts = [text.removeprefix(f"{label}=") for label, text in zip(labels, texts, strict=True)]
    return [] if texts == [""] else texts


def named_arguments(call: Call) -> list[tuple[str, str]]:
    """Return name and text of each argument; a name is "" where the manual's table has none."""
    texts = argument_texts(call)
    labels, known = labels_of(call.body), names(call.name, call.body) or ()
    spelled = labels if len(labels) == len(texts) else known
    return [(spelled[place] if place < len(spelled) else "", text) for place, text in enumerate(texts)]
