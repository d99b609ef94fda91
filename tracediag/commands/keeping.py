"""The trace that `run` and `demo` keep: the recording itself, or a copy made of it when it is complete."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tracediag.commands.errors import CommandError
from tracediag.commands.outfiles import File, open_file

if TYPE_CHECKING:
    from tracediag.recording import Recording
    from tracediag.redaction import Secrets
    from tracediag.snapshot import Snapshot

_PIECE = 1 << 20


class Keeping:
    """What is to become of a recording.

    With --redact it is made elsewhere, so that no secret reaches the file; with --only-on-failure, so that the file of
    an earlier failure survives a command that succeeds.
    """

    def __init__(self, keep: str | None, *, redact: bool, late: bool = False) -> None:
        """Open the file early, so that a wrong path wastes no recording.

        Args:
            keep: the file, if the trace is to be kept.
            redact: whether secrets are hidden in it.
            late: whether `drop` may still decide against it.

        Raises:
            UsageError: if the file cannot be written.
        """
        copied = redact or late
        self._copy: File | None = open_file(keep) if copied and keep is not None else None
        self._redact = redact
        self.recorded = None if copied else keep
        """Where the recording is to be made; None for a file that is removed at the end."""

    def drop(self) -> None:
        """Keep no trace: a file that was there before stays as it is."""
        if self._copy is not None:
            self._copy.discard()
            self._copy = None

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

    def snapshot(self, snapshot: Snapshot, secrets: Secrets | None) -> Snapshot:
        """Return the snapshot as it is to be kept: without secrets, if those of the trace are given."""
        if secrets is None:
            return snapshot
        from tracediag.redaction import redacted

        return redacted(snapshot, secrets.redactor())

    def _write(self, copy: File, recording: Recording) -> None:
        try:
            if self._redact:
                _write_redacted(copy, recording)
            else:
                _write_all(copy, recording)
            copy.commit()
        except OSError as error:
            copy.discard()
            raise CommandError(f"{copy.path}: {error.strerror or error}") from error


def _write_redacted(copy: File, recording: Recording) -> None:
    from tracediag.redaction import Secrets, without_secrets

    secrets = Secrets()
    with recording.trace.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        for line in lines:
            secrets.learn(line)
        lines.seek(0)
        for line in without_secrets(lines, secrets):
            copy.write_bytes(line.encode("utf-8", "surrogateescape"))


def _write_all(copy: File, recording: Recording) -> None:
    with recording.trace.open("rb") as stream:
        while data := stream.read(_PIECE):
            copy.write_bytes(data)
