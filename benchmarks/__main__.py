"""`python -m benchmarks [NAME ...]`: run all benchmarks, or the named ones."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = (
    *("decode", "engine", "exchange", "fix", "fix_batch", "ingest", "scale", "sdk"),
    *("web", "web_live", "world", "ws"),
)


def main() -> None:
    for asked in sys.argv[1:] or NAMES:
        name = asked.replace("-", "_")
        if name not in NAMES:
            sys.exit(f"unknown benchmark {name!r}; there are: {', '.join(NAMES)}")
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
