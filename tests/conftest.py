"""Settings for all tests: none fails because the machine is slow, or because of how the run was started."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings

settings.register_profile("no-times", deadline=None)
settings.load_profile("no-times")


@pytest.fixture(scope="session", autouse=True)
def sigint_is_not_ignored() -> None:
    """Let children get SIGINT: a shell starts its background jobs with it ignored, and they inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
