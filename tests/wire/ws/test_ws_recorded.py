"""Recorded streams go through the client's session and book: no false gap, no negative level.

Every file of the folder whose name and form fit is read, also ones that are new.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trueup.core.announcements import (
    FillAnnounced,
    MarketAnnounced,
    TickerAnnounced,
    TradeAnnounced,
)
from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.core.orderbook import OrderBook
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.wire.ws import client_events as e
from trueup.wire.ws.channels import Channel
from trueup.wire.ws.client_session import ClientSession
from trueup.wire.ws.client_subscription import ChannelOptions

pytestmark = pytest.mark.recorded
NOW = Instant(1_790_000_000_000_000)


def lines(path: Path) -> Iterator[bytes]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield from (line for line in file if line.strip())


def replay(
    frames: list[bytes], *, use_yes_price: bool
) -> tuple[ClientSession, list[e.Event], dict[str, OrderBook]]:
    """Feed recorded frames to a session that wanted what the recording was of.

    The commands of the recording's client are lost; ours get their ids.
    """
    session = ClientSession()
    wanted: dict[str, dict[str, None]] = {}
    for frame in frames:
        message = json.loads(frame)
        if message["type"] == "subscribed":
            wanted.setdefault(message["msg"]["channel"], {})
        elif message["type"] == "orderbook_snapshot":
            wanted["orderbook_delta"][message["msg"]["market_ticker"]] = None
    ids: dict[str, int] = {}
    session.connected(NOW)
    for channel, tickers in wanted.items():
        names = list(tickers) or None
        options = ChannelOptions(use_yes_price=use_yes_price)
        session.subscribe(Channel(channel), names, now=NOW, options=options)
        [command] = session.commands()
        ids[channel] = json.loads(command)["id"]
    events: list[e.Event] = []
    for frame in frames:
        message = json.loads(frame)
        if message["type"] == "subscribed":
            message["id"] = ids[message["msg"]["channel"]]
        events += session.receive(json.dumps(message).encode(), NOW)
    books = {one: session.book(Ticker(one)) for one in wanted.get("orderbook_delta", ())}
    return session, events, {one: book for one, book in books.items() if book is not None}


def oracle(frames: list[bytes], *, use_yes_price: bool) -> dict[str, tuple[dict[Any, Any], ...]]:
    """The same books by another road: sums of decimal texts."""
    books: dict[str, dict[str, dict[Decimal, Decimal]]] = {}
    for frame in frames:
        message = json.loads(frame)
        body = message.get("msg")
        if message["type"] == "orderbook_snapshot":
            books[body["market_ticker"]] = {
                side: {Decimal(p): Decimal(c) for p, c in body.get(f"{side}_dollars_fp", ())}
                for side in ("yes", "no")
            }
        elif message["type"] == "orderbook_delta":
            levels = books[body["market_ticker"]][body["side"]]
            price = Decimal(body["price_dollars"])
            levels[price] = levels.get(price, Decimal(0)) + Decimal(body["delta_fp"])
    found: dict[str, tuple[dict[Any, Any], ...]] = {}
    for ticker, sides in books.items():
        yes = {int(p * 10_000): int(c * 100) for p, c in sides["yes"].items() if c}
        no = {int(p * 10_000): int(c * 100) for p, c in sides["no"].items() if c}
        if not use_yes_price:
            no = {10_000 - p: c for p, c in no.items()}
        found[ticker] = (yes, no)
    return found


def units(book: OrderBook) -> tuple[dict[int, int], ...]:
    return tuple(
        {level.price.units: level.count.units for level in side}
        for side in (book.bids(), book.asks())
    )


def test_a_demo_session_is_free_of_gaps_only_when_acknowledgements_count(
    recorded_data: Path,
) -> None:
    [path] = (recorded_data / "ws").glob("jfreun123_demo_session_raw_*.jsonl.gz")
    frames = list(lines(path))

    session, events, books = replay(frames, use_yes_price=False)

    assert session.counts["gap"] == 0
    assert session.counts["unreadable"] == 0
    assert session.counts["negative level"] == 0
    assert not [one for one in events if isinstance(one, e.Gap | e.BookLost)]
    assert sum(isinstance(one, e.BookChanged) for one in events) == 2885 + 5
    assert {one: units(book) for one, book in books.items()} == oracle(frames, use_yes_price=False)
    fills = [one.value for one in events if isinstance(one, e.Announced)]
    assert [one.filled.count for one in fills if isinstance(one, FillAnnounced)] == [
        Count.parse("5.52"),
        Count.parse("1.16"),
    ]
    # And the other way round: without the acknowledgements there are holes.
    without = [one for one in frames if b'"type":"ok"' not in one]
    assert replay(without, use_yes_price=False)[0].counts["gap"] > 0


@pytest.mark.parametrize(("name", "use_yes_price"), [("noleg", False), ("yes", True)])
def test_both_price_modes_give_yes_prices(
    recorded_data: Path, name: str, use_yes_price: bool
) -> None:
    path = recorded_data / "rest" / "fortuna_demo_2026-06" / f"ws__orderbook_trade_{name}.jsonl"
    frames = list(lines(path))

    session, _, books = replay(frames, use_yes_price=use_yes_price)

    assert session.counts["gap"] == 0
    [book] = books.values()
    assert {one: units(book) for one, book in books.items()} == oracle(
        frames, use_yes_price=use_yes_price
    )
    assert book.best_bid == Price.parse("0.47")
    assert book.best_ask == Price.parse("0.52")


def heard(session: ClientSession, frame: bytes) -> list[object]:
    return [
        one.value if isinstance(one, e.Announced) else one for one in session.receive(frame, NOW)
    ]


def test_lifecycle_and_other_frames_of_several_eras_are_read(recorded_data: Path) -> None:
    session = ClientSession()
    values: list[object] = []
    for line in lines(recorded_data / "ws" / "lifecycle_and_misc_frames.jsonl"):
        frame = json.dumps(json.loads(line)["frame"]).encode()
        [value] = heard(session, frame)
        values.append(value)

    changes = [str(one.change) for one in values if isinstance(one, MarketAnnounced)]
    assert changes == [
        "determined",
        "settled",
        "close_date_updated",
        "deactivated",
        "created",
        "determined",
        "settled",
        "metadata_updated",
    ]
    [trade] = [one for one in values if isinstance(one, TradeAnnounced)]
    assert (trade.price, trade.count, trade.taker_side) == (
        Price.parse("0.27"),
        Count.parse("7"),
        Side.YES,
    )
    assert session.counts["unreadable"] == 0


def test_ticker_and_trade_frames_of_both_forms_at_once_are_read(recorded_data: Path) -> None:
    session = ClientSession()
    tickers, trades = (
        [
            value
            for line in lines(recorded_data / "ws" / f"ssmd_kalshi_{name}.jsonl")
            for value in heard(session, line)
        ]
        for name in ("ticker", "trade")
    )

    assert e.Drifted("field", "ticker.msg.Clock") in tickers
    assert all(isinstance(one, TickerAnnounced | e.Drifted) for one in tickers)
    assert all(isinstance(one, TradeAnnounced) for one in trades)
    assert session.counts["unreadable"] == 0
