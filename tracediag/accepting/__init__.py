"""Findings that a project accepts, each with a reason: ignores, changed severities, the baseline.

scope       which findings an entry of `ignores` is about
baseline    the file of known findings, by fingerprint
acceptance  what is done to each finding of a run, and what the run shows of the entries themselves
told        findings about the entries: an ignore that has expired or is unused, a baseline that can shrink
"""

from tracediag.accepting.acceptance import Acceptance
from tracediag.accepting.baseline import Baseline, BaselineError, Known
from tracediag.accepting.told import PAGES

__all__ = ["PAGES", "Acceptance", "Baseline", "BaselineError", "Known"]
