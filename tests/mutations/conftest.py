"""The table of margins belongs to the tests of the reader."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "reading"))
