"""Whether a program takes back what it could not write whole: then it has seen that."""

from __future__ import annotations

from tracediag.kernel import Action
from tracediag.kernel.descriptor import OpenFile
from tracediag.values import text_of


def undoes(action: Action, file: OpenFile) -> bool:
    """Whether an unlink or ftruncate is made on an open file."""
    call = action.call
    if call.name == "ftruncate":
        held = action.process.table.get(call.number(0) or 0)
        return held is not None and held.file is file
    path = text_of(call.arg(1 if call.name == "unlinkat" else 0))
    return path is not None and file.path is not None and str(path).rpartition("/")[2] == file.path.rpartition("/")[2]
