"""Makes the helpers of this folder and of the session machines' tests findable."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "wire" / "ws"))
