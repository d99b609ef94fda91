"""Runs strace: the one room that starts it, and knows nothing of how a trace is read."""

from tracediag.recording.tracing import OPTIONS, Recording, RecordingError, Strace, find_strace, trace_file

__all__ = ["OPTIONS", "Recording", "RecordingError", "Strace", "find_strace", "trace_file"]
