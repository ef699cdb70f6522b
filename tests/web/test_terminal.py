"""The page in a terminal: it says where it is, serves, and ends with Ctrl-C as with any other end."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
import urllib3

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")


def test_ctrl_c_in_a_terminal_ends_the_page_cleanly(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    # Ctrl-C reaches the program to which the terminal belongs: the first of a session that opens it.
    call = "import os; os.open(os.ttyname(0), os.O_RDWR); from trueup.cli.main import main; main()"
    environment = {
        **os.environ,
        "TRUEUP_HOME": str(tmp_path),
        "KALSHI_ENV": "demo",
        "TERM": "xterm",
    }
    with subprocess.Popen(
        [sys.executable, "-c", call, "web", "--port", "0"],
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as page:
        os.close(theirs)
        told = read_until(ours, r"http://127\.0\.0\.1:\d+/")
        address = re.search(r"http://127\.0\.0\.1:\d+/", told)
        assert address is not None, told
        assert urllib3.request("GET", address[0], timeout=30).status == 200
        os.write(ours, b"\x03")
        assert page.wait(60) == 0
    rest = read_until(ours, "$^")
    os.close(ours)
    assert "Interrupted" not in rest
    assert "Traceback" not in told + rest


def read_until(terminal: int, pattern: str, *, seconds: float = 90) -> str:
    """What is written on a terminal until the pattern comes, or its last program ends."""
    told, end = "", time.monotonic() + seconds
    while time.monotonic() < end and not re.search(pattern, told):
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                told += os.read(terminal, 65_536).decode(errors="replace")
            except OSError:
                break
    return told
