"""The trace that `run` and `demo` keep: the recording itself, or a copy of it without secrets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tracediag.commands.errors import CommandError
from tracediag.commands.outfiles import File, open_file

if TYPE_CHECKING:
    from tracediag.recording import Recording
    from tracediag.snapshot import Snapshot


class Keeping:
    """What is to become of a recording. With --redact it is made elsewhere: no secret reaches the file."""

    def __init__(self, keep: str | None, *, redact: bool) -> None:
        """Open the file early, so that a wrong path wastes no recording. Raises `UsageError`."""
        self._copy: File | None = open_file(keep) if redact and keep is not None else None
        self._redact = redact
        self.recorded = None if redact else keep
        """Where the recording is to be made; None for a file that is removed at the end."""

    @contextlib.contextmanager
    def of(self, recording: Recording) -> Iterator[None]:
        """Write the copy when all has been recorded, whatever became of the analysis.

        Raises:
            CommandError: if the copy cannot be written.
        """
        try:
            yield
        finally:
            if self._copy is not None:
                self._write(self._copy, recording)

    def snapshot(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot as it is to be kept."""
        if not self._redact:
            return snapshot
        from tracediag.redaction import Redactor, redacted

        return redacted(snapshot, Redactor())

    def _write(self, copy: File, recording: Recording) -> None:
        from tracediag.redaction import Redactor

        redactor = Redactor(keep_length=True)
        try:
            with recording.trace.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
                for line in lines:
                    copy.write_bytes(redactor.line(line).encode("utf-8", "surrogateescape"))
            copy.commit()
        except OSError as error:
            copy.discard()
            raise CommandError(f"{copy.path}: {error.strerror or error}") from error
