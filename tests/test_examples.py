"""Every example runs as a user would run it: a process of its own, a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
EXPECTED = {
    "reconcile": "The books close",
    "check_a_bots_table": "rows restored again",
    "your_own_sql": "newest: ('",
    "trade": "cancelled: 3.00 contracts",
    "lost_answer": "repeated: 0",
    "guide_bot": "stream: bought 5.00 at 0.3500",
    "watch_a_market": ": canceled",
    "notebook_bot": "paused: lunch, nothing rests",
    "fix_settlements": "FIX, REST and the books agree to the cent.",
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs_and_says_what_it_should(example: Path, tmp_path: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("KALSHI_")
    }

    done = subprocess.run(
        [sys.executable, str(example)],
        env={**environment, "TRUEUP_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert EXPECTED[example.stem] in done.stdout
