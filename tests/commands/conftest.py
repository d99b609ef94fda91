from __future__ import annotations

from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[2] / "samples" / "epollserver" / "accept-once.strace"
QUIET = """\
openat(AT_FDCWD, "/etc/hostname", O_RDONLY|O_CLOEXEC) = 3
read(3, "host\\n", 4096)                 = 5
close(3)                                = 0
exit_group(0)                           = ?
+++ exited with 0 +++
"""


@pytest.fixture
def quiet(tmp_path) -> Path:
    """A trace without findings."""
    path = tmp_path / "quiet.strace"
    path.write_text(QUIET)
    return path


@pytest.fixture
def sample() -> Path:
    """A trace with an error finding."""
    return SAMPLE
