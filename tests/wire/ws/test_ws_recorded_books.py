"""Hours of recorded order books, frame by frame through the client's session.

The recordings are tables (one row a change); each row becomes the frame that it
was.  There must be no gap that is not in the recording and no level below zero, and
every book must be its snapshot plus the sum of its changes, added up by another road.

When a market closes, the exchange sends one or two more snapshots, which are empty.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.wire.ws.channels import Channel
from trueup.wire.ws.client_session import ClientSession
from trueup.wire.ws.client_subscription import ChannelOptions

parquet = pytest.importorskip("pyarrow.parquet", reason="reading the recorded tables needs pyarrow")
pytestmark = [pytest.mark.recorded, pytest.mark.timeout(900)]

NOW = Instant(1_790_000_000_000_000)
Row = tuple[int, bool, int, int]


@dataclass
class Stream:
    """What one connection heard of one market: snapshots by seq, and changes."""

    market: str
    snapshots: dict[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])
    rows: list[Row] = field(default_factory=list[Row])

    def frames(self) -> Iterator[str]:
        """The frames in their order."""
        later = dict(self.snapshots)
        for seq, is_yes, price, change in self.rows:
            while later and min(later) < seq:
                yield self._snapshot(min(later), later)
            side = "yes" if is_yes else "no"
            sign = "-" if change < 0 else ""
            whole, rest = divmod(abs(change), 100)
            yield (
                f'{{"type":"orderbook_delta","sid":1,"seq":{seq},"msg":{{"market_ticker":'
                f'"{self.market}","market_id":"f5ed38e2-0991-4c8f-817e-08c4fd9cbfdb",'
                f'"price_dollars":"0.{price:04}","delta_fp":"{sign}{whole}.{rest:02}",'
                f'"side":"{side}","ts_ms":1778477473881}}}}\n'
            )
        while later:
            yield self._snapshot(min(later), later)

    def _snapshot(self, seq: int, later: dict[int, tuple[str, str]]) -> str:
        sides = zip(("yes", "no"), later.pop(seq), strict=True)
        levels = "".join(f',"{side}_dollars_fp":{text}' for side, text in sides if text != "[]")
        return (
            f'{{"type":"orderbook_snapshot","sid":1,"seq":{seq},"msg":{{"market_ticker":'
            f'"{self.market}","market_id":"f5ed38e2-0991-4c8f-817e-08c4fd9cbfdb"{levels}}}}}\n'
        )

    def sums(self) -> tuple[dict[int, int], ...]:
        """Bids and asks (in YES prices) after the last change, added up here."""
        levels: dict[bool, dict[int, int]] = {True: defaultdict(int), False: defaultdict(int)}
        for is_yes, text in zip((True, False), self.snapshots[1], strict=True):
            for price, count in json.loads(text):
                levels[is_yes][int(price.replace(".", ""))] += int(count.replace(".", ""))
        for _, is_yes, price, change in self.rows:
            levels[is_yes][price] += change
        yes = {price: count for price, count in levels[True].items() if count}
        no = {10_000 - price: count for price, count in levels[False].items() if count}
        return yes, no


def streams(path: Path) -> Iterator[Stream]:
    """Connections; one ends where the sequence starts over."""
    kept = parquet.read_table(str(path).replace("orderbook_deltas", "orderbook_snapshots"))
    waiting: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in kept.sort_by([("recv_ns", "ascending")]).to_pylist():
        waiting[row["session"], row["market"]].append(row)
    for key, stream in _rows(path):
        of_market = waiting[key]
        first = of_market.pop(0)
        assert first["seq"] == 1
        while True:
            stream.snapshots[first["seq"]] = (first["yes_dollars_fp"], first["no_dollars_fp"])
            if not of_market or of_market[0]["seq"] == 1:
                break
            first = of_market.pop(0)
        yield stream
    assert not any(waiting.values())


def _rows(path: Path) -> Iterator[tuple[tuple[str, str], Stream]]:
    key: tuple[str, str] = ("", "")
    stream = Stream("")
    for batch in parquet.ParquetFile(path).iter_batches():
        names = [batch["session"].dictionary, batch["market"].dictionary]
        codes = [batch[name].indices.to_pylist() for name in ("session", "market")]
        texts = [[one.as_py() for one in dictionary] for dictionary in names]
        columns = [batch[name].to_pylist() for name in ("seq", "yes", "price_1e4", "delta_1e2")]
        for session, market, *row in zip(*codes, *columns, strict=True):
            found = (texts[0][session], texts[1][market])
            if found != key or row[0] <= stream.rows[-1][0]:
                if stream.rows:
                    yield key, stream
                key, stream = found, Stream(found[1])
            stream.rows.append((row[0], row[1], row[2], row[3]))
    if stream.rows:
        yield key, stream


def listen(stream: Stream) -> tuple[ClientSession, tuple[dict[int, int], ...]]:
    """Hear a whole stream; the session, and the book after its last change."""
    session = ClientSession()
    session.connected(NOW)
    ticker = Ticker(stream.market)
    options = ChannelOptions(use_yes_price=False)
    session.subscribe(Channel.ORDERBOOK, [ticker], now=NOW, options=options)
    session.commands()
    session.receive('{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":1}}', NOW)
    book = session.book(ticker)
    assert book is not None
    last, found = stream.rows[-1][0], None
    for place, frame in enumerate(stream.frames(), start=1):
        session.receive(frame, NOW)
        if place == last:
            found = tuple(
                {level.price.units: level.count.units for level in side}
                for side in (book.bids(), book.asks())
            )
    assert found is not None
    if last < max(stream.snapshots):
        assert (book.best_bid, book.best_ask) == (None, None)
    return session, found


def test_recorded_books_have_no_false_gap_and_no_negative_level(recorded_data: Path) -> None:
    paths = sorted((recorded_data / "ws").glob("*orderbook_deltas*.parquet"))
    if not paths:
        pytest.skip(f"no recorded order books in {recorded_data / 'ws'}")
    changes = snapshots = fractional = sub_penny = 0
    for path in paths:
        for stream in streams(path):
            session, found = listen(stream)

            assert found == stream.sums(), stream.market
            assert session.counts["gap"] == session.counts["negative level"] == 0
            assert session.counts["unreadable"] == session.counts["duplicate"] == 0
            assert session.commands() == []
            changes += len(stream.rows)
            snapshots += len(stream.snapshots)
            fractional += sum(row[3] % 100 != 0 for row in stream.rows)
            sub_penny += sum(row[2] % 100 != 0 for row in stream.rows)

    assert changes >= 2_757_224
    assert snapshots >= 141
    if changes == 2_757_224:
        assert (round(1000 * fractional / changes), round(1000 * sub_penny / changes)) == (137, 235)
