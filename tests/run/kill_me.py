"""A backfill in a process of its own that somebody may kill: prints a line per stored page."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from demo_desk import open_demo

from trueup.run.clock import ShiftedClock


def told(what: str, records: int) -> None:
    print(what, records, flush=True)  # noqa: T201


def main() -> None:
    with open_demo(os.environ, clock=ShiftedClock(int(sys.argv[1])), told=told) as account:
        account.backfill()


if __name__ == "__main__":
    main()
