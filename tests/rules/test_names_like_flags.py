"""A file's name may look like a flag: a small program replaces a state file, recorded and cut down."""

from __future__ import annotations

from pathlib import Path

from tracediag.api import analyze

TRACE = """\
23965 1795828157.340000 execve("/usr/bin/python3", ["/usr/bin/python3", "-S", "-E", "d_sync.py"], 0x7ffd8e8 /* 2 vars */) = 0 <0.000400>
23965 1795828157.383708 openat(AT_FDCWD</srv/tracediag>, "data/SYNC-state.tmp", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0644) = 3</srv/tracediag/data/SYNC-state.tmp> <0.000036>
23965 1795828157.383788 write(3</srv/tracediag/data/SYNC-state.tmp>, "counter=7\\n", 10) = 10 <0.000019>
23965 1795828157.383835 close(3</srv/tracediag/data/SYNC-state.tmp>) = 0 <0.000010>
23965 1795828157.383876 rename("data/SYNC-state.tmp", "data/SYNC-state") = 0 <0.000020>
23965 1795828157.385420 exit_group(0)   = ?
23965 1795828157.385865 +++ exited with 0 +++
"""  # noqa: E501


def test_a_file_named_sync_is_not_synced_for_that(tmp_path: Path) -> None:
    trace = tmp_path / "state.strace"
    trace.write_text(TRACE)
    assert [finding.name for finding in analyze(trace).findings] == ["replace-without-fsync"]
    trace.write_text(TRACE.replace("O_TRUNC|O_CLOEXEC", "O_TRUNC|O_SYNC|O_CLOEXEC"))
    assert analyze(trace).findings == ()
