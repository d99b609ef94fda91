"""Hides secrets in what tracediag hands out: reports, and traces that are kept.

A secret is known by its shape (a token of GitHub, a private key), by its name (`password=`, `Authorization:`, an
environment variable `..._TOKEN`) or by its place (the argument after `--password`, the environment of an execve). What
has no such sign is not found.
"""

from __future__ import annotations

from tracediag.redaction.redactor import Redactor
from tracediag.redaction.values import redact, redacted

__all__ = ["Redactor", "redact", "redacted"]
