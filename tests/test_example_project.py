"""The example of a bot with tests: its tests pass, and the guide shows them as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "examples" / "testing_your_bot"


def test_the_bots_own_tests_pass() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "."],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_the_guide_shows_the_tests_as_they_are() -> None:
    guide = (ROOT / "docs" / "guides" / "testing-your-bot.md").read_text(encoding="utf-8")
    shown = [block.partition("```")[0] for block in guide.split("```python\n")[1:]]
    code = (PROJECT / "test_bot.py").read_text(encoding="utf-8")

    quoted = [block for block in shown if "def test_it" in block or "def test_an" in block]
    assert len(quoted) == 2
    for block in quoted:
        assert block.strip() in code
