"""Settings for all tests: none fails because the machine is slow."""

from hypothesis import settings

settings.register_profile("no-times", deadline=None)
settings.load_profile("no-times")
