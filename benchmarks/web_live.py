"""Many tabs of the positions page while markets move: what it costs, and how old figures get.

    python -m benchmarks.web_live [SECONDS]        (300 unless said)

A bot without an exchange (`benchmarks.web_live_bot`) moves markets 100 times a second: 20
of them, all held.  `trueup web` serves its page in a process of its own, and 20 tabs are
open: websocket clients that load the page, shake hands and read every message as a browser
does, but draw nothing; what Chromium itself would cost is the reader's machine's.

*Processor time* is what the page's and the bot's processes used while the tabs looked.
*Age*: whenever a tab hears of a figure, how long before the one that it replaces had become
wrong; that is the oldest that it ever was on the screen.  The clock is the machine's
monotonic one, the same for all processes.
"""

from __future__ import annotations

import asyncio
import bisect
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from ast import literal_eval
from collections.abc import Generator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import psutil
import socketio

from benchmarks.account import seen
from benchmarks.web_live_bot import HELD, bid, holdings
from trueup.core.facts import Stream
from trueup.core.fees import Precision
from trueup.core.instant import HOUR, Instant
from trueup.run.books.booking import book_new
from trueup.run.clock import SystemClock
from trueup.run.config import Config
from trueup.store.database import open_books

TABS: Final = 20
MOVES_A_SECOND: Final = 100
SECONDS: Final = 300
AGE_MAX: Final = 0.5
_ROOT: Final = Path(__file__).parents[1]


class Tab:
    """A tab of the positions page: it knows which figure it shows of each market."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, str, str]] = []
        """When a market's mark was shown, and which."""
        self._line: Any = socketio.AsyncClient(reconnection=False)  # it has no types

    async def open(self, origin: str) -> None:
        """Load the page and follow what moves on it."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{origin}/positions") as answer,
        ):
            text = await answer.text()
        self._line.on("run_javascript", self._hear_code)
        given = urlencode(_query_of(text))
        await self._line.connect(
            f"{origin}?{given}",
            socketio_path="/_nicegui_ws/socket.io",
            transports=["websocket"],
        )

    async def close(self) -> None:
        await self._line.disconnect()

    def _hear_code(self, message: Mapping[str, Any]) -> None:
        found = re.search(r'"patch", (\[.*\])\)', message["code"])
        if found is not None:
            self._hear_cells(json.loads(found[1])[0])

    def _hear_cells(self, cells: Mapping[str, Mapping[str, Any]]) -> None:
        now = time.monotonic()
        for key, moved in cells.items():
            if "mark" in moved:
                self.heard.append((now, key.partition("/")[2], moved["mark"][0]))


def _query_of(text: str) -> dict[str, str]:
    """What a tab says when it connects, as the page's own script would."""
    found = re.search(r"^ *query: (\{.*\}),$", text, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"this is no page: {text[:200]}")
    told = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in literal_eval(found[1]).items()
    }
    tab = os.urandom(8).hex()
    return {**told, "tab_id": tab, "document_id": tab, "implicit_handshake": "true"}


def ages(tabs: list[Tab], moves: list[float], since: float) -> list[float]:
    """How old each figure was when it was replaced, in seconds."""
    found: list[float] = []
    texts = {str(bid(version)): version for version in range(len(moves) // len(HELD) + 1)}
    for tab in tabs:
        shown: dict[str, int] = {}
        for at, ticker, text in tab.heard:
            version, place = texts[text], HELD.index(ticker)  # type: ignore[arg-type]
            before = shown.get(ticker)
            shown[ticker] = version
            if before is not None and version > before and at > since:
                found.append(at - moves[(before + 1) * len(HELD) + place])
    return sorted(found)


@contextmanager
def account(folder: Path) -> Generator[dict[str, str]]:
    """Books that hold every market, and the environment in which they are found."""
    place = folder / "books.db"
    now = SystemClock().now()
    with open_books(place, venue="demo", mode="live", account="main", create=True) as books:
        books.append(seen(holdings(Instant(now - HOUR)), now), stream=Stream.FILLS)
        book_new(books, precision=Precision.DIRECT, config=Config())
    yield {
        **os.environ,
        "TRUEUP_HOME": str(folder),
        "TRUEUP_DATABASE": str(place),
        "KALSHI_ENV": "demo",
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def running(command: list[str], environment: Mapping[str, str]) -> Generator[subprocess.Popen[str]]:
    """A process that is ended at the end of the block."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, *command],
        env=dict(environment),
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def address(process: subprocess.Popen[str]) -> str:
    """Where the page is served."""
    assert process.stdout is not None
    for line in process.stdout:
        if "The dashboard is at " in line:
            return line.split()[4].rstrip("/")
    raise RuntimeError("the page did not start")


def processor(process: subprocess.Popen[str]) -> float:
    """Seconds of processor time that a process has used so far."""
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


async def look(
    origin: str, seconds: float, processes: Mapping[str, subprocess.Popen[str]]
) -> tuple[list[Tab], float, dict[str, float]]:
    """Keep the tabs open; also since when everything was under way, and cores by process."""
    tabs = [Tab() for _ in range(TABS)]
    async with AsyncExitStack() as stack:
        for tab in tabs:
            await tab.open(origin)
            stack.push_async_callback(tab.close)
        await asyncio.sleep(2)
        since = time.monotonic()
        before = {name: processor(each) for name, each in processes.items()}
        await asyncio.sleep(seconds)
        took = time.monotonic() - since
        used = {name: (processor(each) - before[name]) / took for name, each in processes.items()}
    return tabs, since, used


def measure(seconds: float) -> tuple[list[float], dict[str, float]]:
    """The ages of all figures on all tabs, and the cores that were used by each process."""
    web = "from trueup.cli.main import main; main()"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "moves.json"
        mover = ["-m", "benchmarks.web_live_bot", str(MOVES_A_SECOND), str(log)]
        with account(folder) as environment:
            with (
                running(mover, environment) as bot,
                running(["-c", web, "web", "--port", "0"], environment) as page,
            ):
                processes = {"page": page, "bot": bot}
                tabs, since, used = asyncio.run(look(address(page), seconds, processes))
            moves = json.loads(log.read_text())
    return ages(tabs, moves, since), used


def main() -> None:
    seconds = float(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdecimal() else SECONDS
    found, used = measure(seconds)
    late = len(found) - bisect.bisect_right(found, AGE_MAX)
    print(
        f"\n## {TABS} tabs of the positions page, {MOVES_A_SECOND} moves a second, {seconds:.0f} s\n"
    )
    for name, cores in used.items():
        print(f"{name:<6}{cores:>8.2f} cores of processor time")
    print(f"{'both':<6}{sum(used.values()):>8.2f} cores")
    print(f"\nfigures shown {len(found):,}; oldest on a screen, in ms: ", end="")
    print(
        f"p50 {statistics.median(found) * 1000:.0f}  p99 {found[len(found) * 99 // 100] * 1000:.0f}"
        f"  max {found[-1] * 1000:.0f};  {late:,} over {AGE_MAX * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main()
