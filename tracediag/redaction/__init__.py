"""Hides secrets in what tracediag hands out: reports, and traces that are kept.

A secret is known by its shape (a token of GitHub, a private key), by its name (`password=`, `Authorization:`, an
environment variable `..._TOKEN`) or by its place (the argument after `--password`, the environment of an execve). What
has no such sign is not found, unless another line of the trace gives the same secret away.

shapes      how a secret looks; arguments: where it stands in a command; literals: the escapes of strace
redactor    finds and hides them in a text or a record
known       what was found, wherever else it stands; streams: secrets in pieces
learning    all this for a trace that is being read
values      reports, and other structs
"""

from __future__ import annotations

from tracediag.redaction.learning import Secrets, without_secrets
from tracediag.redaction.redactor import Redactor
from tracediag.redaction.values import redact, redacted, redacted_with

__all__ = ["Redactor", "Secrets", "redact", "redacted", "redacted_with", "without_secrets"]
