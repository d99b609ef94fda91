"""What the recording room raises."""

from __future__ import annotations


class RecordingError(Exception):
    """Nothing could be recorded; the message is one clear line."""
