"""An archive as a tape: recorded books where there are some, trades everywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from typing import Any

from trueup.core.ids import Ticker, TradeId
from trueup.core.instant import DAY, Instant, parse_instant
from trueup.run.archive.archived_markets import load_markets
from trueup.run.archive.tape import Tape
from trueup.sim.living.mirrored_book import BookSeen, GapSeen, LevelSeen, Seen, TradeSeen
from trueup.store.archive import Archive
from trueup.store.archive_columns import Kind


def archive_tape(
    archive: Archive, *, since: str = "", until: str = "", tickers: Sequence[str] = ()
) -> Tape:
    """What was recorded from one UTC day to another, of all markets or of some.

    A market with a recorded book is told book and trades as they were heard; one
    without is told by its trades, recorded or downloaded.
    """
    markets = load_markets(archive, tickers)
    days: dict[str, Any] = {"since": since, "until": until, "tickers": tuple(tickers)}
    booked = {
        Ticker(each)
        for each in archive.table(Kind.SNAPSHOTS, **days)["ticker"].unique().to_pylist()
    }
    trades = list(_trades(archive, days))
    alone = tuple(each for each in trades if each.ticker not in booked)
    with_book = sorted((each for each in trades if each.ticker in booked), key=_time)
    notes = [
        f"{len(missing)} markets have prices and no description: they are left out"
        for missing in ({each.ticker for each in trades} - set(markets),)
        if missing
    ]
    return Tape(
        markets=markets,
        trades=tuple(sorted(alone, key=_time)),
        # A whole book is told before what changes it, a gap after.
        books=merge(with_book, _news(archive, days, sorted(booked)), key=_time),
        ends=_end_of(archive, days),
        words=f"{len(markets)} markets, {len(booked)} with their books, from {archive.folder}",
        notes=tuple(notes),
    )


def _end_of(archive: Archive, days: dict[str, Any]) -> Instant | None:
    """The end of the last day of which something is told."""
    told = [
        part.day
        for kind in (Kind.SNAPSHOTS, Kind.DELTAS, Kind.TRADES, Kind.HISTORY)
        for part in archive.parts(kind, since=days["since"], until=days["until"])
    ]
    return Instant(parse_instant(f"{max(told)}T00:00:00Z") + DAY) if told else None


def _time(seen: Seen) -> Instant:
    return seen.at


def _trades(archive: Archive, days: dict[str, Any]) -> Iterator[TradeSeen]:
    known: set[str] = set()
    for kind in (Kind.TRADES, Kind.HISTORY):
        for row in archive.rows(kind, **days):
            # A block trade was agreed off the book: no order could have met it.
            if row["is_block"] or row["trade_id"] in known:
                continue
            known.add(row["trade_id"])
            yield TradeSeen(
                Instant(row["occurred_at"]),
                Ticker(row["ticker"]),
                TradeId(row["trade_id"]),
                row["price"],
                row["count"],
                row["taker_is_yes"],
            )


def _news(archive: Archive, days: dict[str, Any], booked: Sequence[Ticker]) -> Iterable[Seen]:
    """Snapshots, changes and gaps of one day after the other, as they were heard."""
    kinds = (Kind.SNAPSHOTS, Kind.DELTAS, Kind.GAPS)
    found = {
        part.day
        for kind in kinds
        for part in archive.parts(kind, since=days["since"], until=days["until"])
    }
    for day in sorted(found):
        only = {**days, "since": day, "until": day}
        snapshots = archive.rows(Kind.SNAPSHOTS, **only)
        deltas = archive.rows(Kind.DELTAS, **only)
        rows: list[tuple[int, int, Seen]] = []
        rows += [(row["heard_at"], 1, _book(row)) for row in snapshots]
        rows += [(row["heard_at"], 1, _level(row)) for row in deltas]
        for row in archive.rows(Kind.GAPS, since=day, until=day):
            if row["channel"] in {"", "orderbook_delta"}:
                tickers = [Ticker(row["ticker"])] if row["ticker"] else booked
                at = Instant(row["occurred_at"])
                rows += [(at, 0, GapSeen(at, each)) for each in tickers if each in booked]
        rows.sort(key=lambda each: each[:2])
        # A message is never told before one that was heard earlier.
        latest = 0
        for _, _, seen in rows:
            latest = max(latest, seen.at)
            yield _moved(seen, Instant(latest))


def _moved(seen: Seen, at: Instant) -> Seen:
    if seen.at == at:
        return seen
    if isinstance(seen, LevelSeen):
        return LevelSeen(at, seen.ticker, seen.is_bid, seen.price, seen.change)
    if isinstance(seen, BookSeen):
        return BookSeen(at, seen.ticker, seen.bids, seen.asks)
    return GapSeen(at, seen.ticker)


def _book(row: dict[str, Any]) -> BookSeen:
    return BookSeen(
        Instant(row["occurred_at"]),
        Ticker(row["ticker"]),
        dict(zip(row["bid_prices"], row["bid_counts"], strict=True)),
        dict(zip(row["ask_prices"], row["ask_counts"], strict=True)),
    )


def _level(row: dict[str, Any]) -> LevelSeen:
    return LevelSeen(
        Instant(row["occurred_at"]),
        Ticker(row["ticker"]),
        row["is_bid"],
        row["price"],
        row["change"],
    )
