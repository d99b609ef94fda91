"""Which frames of a stack are the program's own, and the line of source code that a finding is about."""

from __future__ import annotations

from collections.abc import Sequence

from tracediag.results.findings import Finding
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.stacks import Frame

_RUNTIME = lazy_pattern(
    r"\[\w++\]$|(?>[^/\n]*+/)*+(?:ld|linux-vdso|linux-gate|libc|libpthread|librt|libdl|libm|libgcc_s"
    r"|libstdc\+\+|libc\+\+|lib[atl]san|libubsan)(?:64)?(?:-[^/\n]*?)?\.so(?:\.|$)"
)
"""The C library, the loader, and what compilers link to each program."""
_SYSTEM = lazy_pattern(
    r"/(?:usr/)?(?:local/)?lib(?:32|64|x32)?/(?>[^/\n]*+/)*+[^/\n]*?\.so(?:\.[0-9.]++)?(?: \(deleted\))?$"
)
"""A shared library of the system."""
_STARTERS = frozenset({"_start", "__libc_start_main", "__libc_start_call_main", "__libc_csu_init", "_init", "_fini"})
"""What calls main: no line of the program's source."""
_LOW = lazy_pattern(
    r"_[_A-Z]|_dl_|_nl_|runtime[./]|internal/|syscall\.|<?&?(?:mut |void )?(?:std|core|alloc|__gnu_cxx)::"
)
"""Functions of the libraries of C, C++, Go and Rust, where they are linked statically; C reserves `__` and `_A`."""
_SYSTEM_SOURCE = lazy_pattern(
    r"/usr/(?:include|lib|src|local/include|local/go)/|/rustc/|(?>[^/\n]*+/){0,40}?rustlib/src/"
)


def is_of_system(source: str) -> bool:
    """Whether a source file is one of a language or of the system, not of the program."""
    return _SYSTEM_SOURCE.match(source) is not None


def own_frames(stack: Sequence[Frame]) -> tuple[Frame, ...]:
    """Return the program's own frames, the innermost first.

    These are the frames of the program and of libraries outside of the system's folders; where there are none, those
    of any library other than the C library and the like. Of a program that is linked statically, the functions of its
    language's library are left out.
    """
    known = [frame for frame in stack if not _RUNTIME.match(frame.module) and frame.symbol not in _STARTERS]
    known = [frame for frame in known if not _SYSTEM.match(frame.module)] or known
    return tuple(frame for frame in known if not _is_low(frame)) or tuple(known)


def _is_low(frame: Frame) -> bool:
    if frame.source is not None and is_of_system(frame.source):
        return True
    return _LOW.match(frame.symbol) is not None


def sources_of(finding: Finding) -> tuple[Frame, ...]:
    """Return the own frames of the primary step whose source file and line are known, the innermost first."""
    return tuple(frame for frame in own_frames(finding.primary.stack) if frame.source and frame.line)
