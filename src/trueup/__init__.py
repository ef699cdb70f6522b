"""trueup: trade Kalshi and keep books that provably equal the exchange's."""

from __future__ import annotations

__version__ = "0.1.0"
