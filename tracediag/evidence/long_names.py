"""Which part of a path is too long: NAME_MAX and PATH_MAX, path_resolution(7)."""

from __future__ import annotations

from tracediag.evidence.named_paths import places_of
from tracediag.trace.events import Syscall
from tracediag.trace.values import Text, text_of

_NAME_MAX = 255
"""Bytes of a component."""
_PATH_MAX = 4095
"""Bytes of a path, without the null byte at its end."""
_SHOWN = 24
"""Characters of a component in a sentence."""
_SYMLINKS = frozenset({"symlink", "symlinkat"})
GENERAL = "a component may have 255 bytes, a path 4,095"
"""What holds for any path; for one that the trace does not show."""


def long_part(call: Syscall) -> str:
    """Return what of the paths of a call that failed with ENAMETOOLONG is too long, with its size in bytes."""
    texts = _texts(call)
    for text in texts:
        if len(text.data) > _PATH_MAX and not text.shortened:
            what = "the text of the link" if call.name in _SYMLINKS and text == text_of(call.arg(0)) else "the path"
            return f"{what} has {len(text.data):,} bytes, and {_PATH_MAX:,} are permitted"
    for text in texts[call.name in _SYMLINKS :]:
        part = max(text.data.split(b"/"), key=len)
        if len(part) > _NAME_MAX:
            size = f"{len(part):,} bytes{' or more' if text.shortened else ''}"
            return f"the component {_brief(part)} has {size}, and {_NAME_MAX} are permitted"
    if texts and not any(text.shortened for text in texts):
        return (
            f"no component has more than {_NAME_MAX} bytes: the file system permits less, "
            "or the target of a symbolic link has a longer one"
        )
    return GENERAL


def _texts(call: Syscall) -> list[Text]:
    """Return the strings of a call that are paths, and the text of a symbolic link."""
    first = (0,) if call.name in _SYMLINKS or call.name == "mount" else ()
    places = (*first, *(place for place, _ in places_of(call.name)))
    return [text for place in places if (text := text_of(call.arg(place))) is not None]


def _brief(part: bytes) -> str:
    name = part.decode("utf-8", "backslashreplace")
    return name if len(name) <= _SHOWN else f"{name[: _SHOWN // 2]}…{name[-_SHOWN // 2 :]}"
