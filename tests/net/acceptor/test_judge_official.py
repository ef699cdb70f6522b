"""The official Python SDK as a judge: 3.34 against the present, 3.2 against 2025.

Version 3.34 needs Python 3.13; where such an interpreter exists it gets a folder
of its own for the SDK, once.  On older interpreters pip gives 3.2.0.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest
from judged_floor import KEY_ID, Judged, OpenJudged
from served_floor import OTHER, TICKER

from trueup.net.acceptor.forms import Personality

PROGRAMME = Path(__file__).with_name("official_programme.py")
PRESENT = "kalshi_python_sync==3.34.0"


def run(command: list[str], seconds: int = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)


def python_313() -> str | None:
    """An interpreter of Python 3.13 that starts, wherever it may be."""
    beside = sorted(Path.home().glob(".pyenv/versions/3.13*/bin/python"))
    for one in (shutil.which("python3.13"), *map(str, beside)):
        if one is not None and run([one, "-c", ""]).returncode == 0:
            return one
    return None


@pytest.fixture(scope="module")
def present_sdk() -> str:
    """The interpreter of an environment that has the SDK; made on first use."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "trueup-judges"
    folder = home / PRESENT.replace("==", "-")
    python = folder / "bin" / "python"
    probe = [str(python), "-c", "import kalshi_python_sync"]
    if python.exists() and run(probe).returncode == 0:
        return str(python)
    base = python_313()
    if base is None:
        pytest.skip("the official SDK 3.34 needs Python 3.13, and there is none here")
    made = run([base, "-m", "venv", "--clear", str(folder)])
    installed = run([str(python), "-m", "pip", "install", "--quiet", PRESENT])
    if made.returncode or installed.returncode:
        pytest.skip(f"{PRESENT} cannot be installed here: {installed.stderr[-300:]}")
    return str(python)


def day(python: str, judged: Judged) -> dict[str, Any]:
    """What the program saw in its day."""
    done = run([python, str(PROGRAMME), judged.host, KEY_ID, str(judged.key_file), TICKER])
    assert done.returncode == 0, done.stderr[-3_000:]
    return cast("dict[str, Any]", json.loads(done.stdout.splitlines()[-1]))


def expect_the_same_day(seen: dict[str, Any]) -> None:
    assert seen["trading"] is True
    assert seen["markets"] == sorted([TICKER, OTHER])
    assert seen["last cursor"] == ""
    assert (seen["bid"], seen["ask"]) == ("0.4700", "0.5200")
    assert seen["best bid"] == ["0.4700", "30.00"]
    assert (seen["same name again"], seen["unknown order"]) == (409, 404)
    assert sorted(seen["orders"].values()) == ["canceled", "executed"]
    assert seen["fill of"] == seen["order"]
    assert (seen["trades"], seen["settlements"], seen["events"]) == (1, 0, 1)
    assert seen["keys"] == [KEY_ID]


def test_the_present_sdk_trades_on_the_present_exchange(
    present_sdk: str, open_judged: OpenJudged
) -> None:
    seen = day(present_sdk, open_judged(Personality.PRESENT))

    assert seen["version"] == "3.34.0"
    expect_the_same_day(seen)
    assert (seen["remaining"], seen["taken back"], seen["filled"]) == ("2.00", "2.00", "2.00")
    # Two at 0.52 and their fee of $0.034944, told in cents that are cut.
    assert seen["spent"] == 108
    assert seen["position"] == "2.00"


@pytest.mark.skipif(
    find_spec("kalshi_python_sync") is None,
    reason="the official SDK is not installed: pip install --group dev",
)
def test_the_sdk_of_2025_trades_on_the_exchange_of_2025(open_judged: OpenJudged) -> None:
    seen = day(sys.executable, open_judged(Personality.OLD))

    expect_the_same_day(seen)
    assert (seen["remaining"], seen["taken back"], seen["filled"]) == (2, 2, 2)
    assert seen["position"] == 2
