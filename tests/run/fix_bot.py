"""A bot in a process of its own, for somebody to kill: it wants three contracts, by FIX."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bot_at_sandbox import Once, an_order, run

from trueup.core.ids import Ticker


@dataclass(frozen=True)
class Elsewhere:
    """A sandbox of another process."""

    base_url: str
    key_id: str
    private_key_path: Path
    fix_ports: dict[str, int]
    fix_certificate_path: Path


def main() -> None:
    base_url, key_id, key, port, certificate, folder, ticker = sys.argv[1:]
    sandbox = Elsewhere(base_url, key_id, Path(key), {"KalshiNR": int(port)}, Path(certificate))
    wish = Once(an_order(Ticker(ticker)))
    run(sandbox, Path(folder), wish, lambda _: False, road="KalshiNR", seconds=60)


if __name__ == "__main__":
    main()
