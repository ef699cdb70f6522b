"""The recorded production account as core values."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

from trueup.core.facts import Filled, Source
from trueup.core.ids import PRIMARY, SHARD_ZERO, EventTicker, OrderId, Ticker, TradeId
from trueup.core.instant import Instant, from_seconds, parse_instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.observations import Recorded
from trueup.core.orders import Side
from trueup.core.statements import BalanceStated, MarketStated
from trueup.core.units import Count, Money, Price


@dataclass(frozen=True)
class RecordedAccount:
    """The recorded production account, as core values."""

    folder: Path
    fills: tuple[Recorded, ...]
    markets: dict[Ticker, MarketStated]
    readings: tuple[BalanceStated, ...]

    def of(self, ticker: Ticker) -> list[Recorded]:
        return [
            each
            for each in self.fills
            if isinstance(each.value, Filled) and each.value.ticker == ticker
        ]

    def tickers(self) -> list[Ticker]:
        return sorted({each.value.ticker for each in self.fills if isinstance(each.value, Filled)})


def read_account(folder: Path) -> RecordedAccount:
    """Read the files as they are; the real pipeline is tested elsewhere."""
    lines = (folder / "fills_rest_2026-05.jsonl").read_text().splitlines()
    return RecordedAccount(
        folder=folder,
        fills=tuple(_fill(number, line) for number, line in enumerate(lines)),
        markets=_markets(folder / "kxbtc15m_market_results_2026-03_2026-05.csv"),
        readings=_readings(folder / "balance_timeline_2026-05.csv"),
    )


def _fill(number: int, line: str) -> Recorded:
    item: dict[str, str] = json.loads(line)
    filled = Filled(
        trade_id=TradeId(item["trade_id"]),
        order_id=OrderId(item["order_id"]),
        ticker=Ticker(item["ticker"]),
        # These fills have no outcome_side; their side alone gives the direction.
        side=Side(item["side"]),
        count=Count.parse(item["count_fp"]),
        price=Price.parse(item["yes_price_dollars"]),
        fee=Money.parse(item["fee_cost"]),
        is_taker=bool(item["is_taker"]),
        at=parse_instant(item["created_time"]),
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )
    key = f"{filled.trade_id}/{filled.order_id}"
    return Recorded(number, key, 1, filled, Source.RECORDING, filled.at)


def _markets(path: Path) -> dict[Ticker, MarketStated]:
    """The results file; rows without a status were published with a result: finalized."""
    markets: dict[Ticker, MarketStated] = {}
    with path.open() as lines:
        for row in csv.DictReader(lines):
            ticker = Ticker(row["ticker"])
            markets[ticker] = MarketStated(
                ticker=ticker,
                event_ticker=EventTicker(ticker.rpartition("-")[0]),
                status=MarketStatus(row["status"] or "finalized"),
                result=MarketResult(row["result"]),
                settlement_value=None,
                close_at=_instant(row["close_time"]),
                settled_at=_instant(row["settlement_ts"]),
                shard=SHARD_ZERO,
            )
    return markets


def _instant(text: str) -> Instant | None:
    return parse_instant(text) if text else None


def _readings(path: Path) -> tuple[BalanceStated, ...]:
    """Whole cents: this account's balance never had a fraction of a cent."""
    with path.open() as lines:
        return tuple(
            BalanceStated(
                low=Money.of_cents(int(row["balance_cents"])),
                high=Money.of_cents(int(row["balance_cents"])),
                portfolio_value=Money.of_cents(int(row["portfolio_value_cents"])),
                subaccount=PRIMARY,
                shard=None,
                at=from_seconds(int(row["balance_updated_ts"])),
                observed_at=parse_instant(row["observed_at"]),
            )
            for row in csv.DictReader(lines)
        )
