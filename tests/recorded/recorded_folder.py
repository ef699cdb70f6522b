"""The recorded production account, written in the form that `trueup import` reads.

The account was recorded by a bot in files of its own making; here they become one
file per stream with one item of the REST API per line.  Only the series' terms are
added, from the exchange's published fee schedule: nobody recorded them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from trueup.core.instant import format_instant, parse_instant

SERIES = "KXBTC15M"


def write_recording(account: Path, folder: Path) -> Path:
    """Write the folder; returns it."""
    folder.mkdir(parents=True)
    fills = list(_json_lines(account / "fills_rest_2026-05.jsonl"))
    markets = list(_markets(account / "kxbtc15m_market_results_2026-03_2026-05.csv"))
    _write(folder / "fills.jsonl", fills)
    _write(folder / "balances.jsonl", _balances(account / "balance_timeline_2026-05.csv"))
    _write(folder / "positions.jsonl", _positions(account / "positions_rest_2026-05.jsonl"))
    _write(folder / "markets.jsonl", markets)
    events = sorted({_event(str(each["ticker"])) for each in (*markets, *fills)})
    _write(folder / "events.jsonl", map(_event_item, events))
    _write(folder / "series.jsonl", [_SERIES_ITEM])
    return folder


_SERIES_ITEM: Mapping[str, object] = {
    "ticker": SERIES,
    "title": "Bitcoin price up or down in 15 minutes",
    "category": "Crypto",
    "tags": ["BTC"],
    "fee_type": "quadratic",
    "fee_multiplier": 1,
}


def _balances(path: Path) -> Iterator[Mapping[str, object]]:
    with path.open() as lines:
        for row in csv.DictReader(lines):
            yield {
                "balance": int(row["balance_cents"]),
                "portfolio_value": int(row["portfolio_value_cents"]),
                "updated_ts": int(row["balance_updated_ts"]),
                "observed_at": row["observed_at"],
            }


def _markets(path: Path) -> Iterator[Mapping[str, object]]:
    """Results without a status were published as final ones."""
    with path.open() as lines:
        for row in csv.DictReader(lines):
            yield {
                "ticker": row["ticker"],
                "event_ticker": _event(row["ticker"]),
                "status": row["status"] or "finalized",
                "result": row["result"],
                "close_time": row["close_time"] or None,
                "settlement_ts": row["settlement_ts"] or None,
            }


def _positions(path: Path) -> Iterator[Mapping[str, object]]:
    for item in _json_lines(path):
        observed_at = format_instant(parse_instant(str(item["observed_at"])))
        yield {**item, "observed_at": observed_at}


def _event(ticker: str) -> str:
    return ticker.rpartition("-")[0]


def _event_item(ticker: str) -> Mapping[str, object]:
    return {
        "event_ticker": ticker,
        "series_ticker": SERIES,
        "title": "Bitcoin in the next 15 minutes",
        "mutually_exclusive": False,
    }


def _json_lines(path: Path) -> Iterator[Mapping[str, object]]:
    for line in path.read_text().splitlines():
        yield json.loads(line)


def _write(path: Path, items: Iterable[Mapping[str, object]]) -> None:
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
