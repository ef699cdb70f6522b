"""What the world outside said, from files: each signal with the moment from which it was known.

A file is known by what stands in it:

- **Probabilities** of the Fed's decisions (``date, meeting, range_bp, prob`` as Parquet or
  CSV; or JSON documents with ``as_of``, one a line), of as many dates as there are.  A date
  without a time is known from 21:00 UTC of that day on, when the trading day is over.
- **Quotes** of another venue (Parquet or CSV): ``captured_at``, ``market_id``, and ``bid``
  and ``ask`` of its outcome Yes in dollars.  ``is_open``, ``bid_size``, ``ask_size`` and
  ``fee_rate`` are read where they are there.  The mapping says which markets settle
  alike and why; a quote of a market that is not in it is not used.
- **News**: the JSON lines that the feed ``[feeds.file]`` reads, each with its ``at``.

Nothing is known before its time, and nothing without a time is used.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from trueup.core.errors import ConfigError, NotANumber, ProtocolBroken, TrueupError
from trueup.core.instant import DAY, SECOND, Instant
from trueup.core.units import Ratio
from trueup.engine.headlines import Topic
from trueup.engine.other_venue import Offer, OtherMarket, Pair, quote_of
from trueup.engine.signals import Signal
from trueup.net.feeds import fedwatch
from trueup.net.feeds.pairs_file import read_pairs
from trueup.net.feeds.polymarket import FEE_RATE_MAX
from trueup.net.feeds.sources import Judge, anchors_of
from trueup.net.feeds.stories import SentLeg, Story, parse_sent
from trueup.run.archive.tape import KnownSignal
from trueup.run.archive.tape_values import (
    decimal,
    first_of,
    is_table,
    moment_of,
    one_of,
    read_rows,
)

_PROBABILITIES: Final = frozenset({"date", "meeting", "range_bp", "prob"})
_ID_NAMES: Final = ("market_id", "poly_market_id")
_BID_NAMES: Final = ("bid", "p_bid")
_ASK_NAMES: Final = ("ask", "p_ask")
_TIME_NAMES: Final = ("captured_at", "at", "ts")
_OPEN_NAMES: Final = ("is_open", "p_ok")
_YES, _NO = "Yes", "No"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalWish:
    """Which files, and how they are understood.

    `delay` (microseconds) is how much later than its file says a signal reaches the
    strategy: a feed is asked again and again, and its answer takes its way.
    `assumed_size` is for quotes whose file has no sizes.  `upper_now` is the present
    upper bound in basis points, where probabilities do not say it.
    """

    files: tuple[Path, ...] = ()
    mapping: Path | None = None
    delay: int = SECOND
    assumed_size: Ratio = Ratio(1)  # noqa: RUF009  # an exact number
    upper_now: int | None = None
    topics: tuple[Topic, ...] = ()


@dataclass(slots=True)
class SignalsRead:
    """The signals in the order in which they became known, and what was not used."""

    signals: list[KnownSignal] = field(default_factory=list[KnownSignal])
    notes: list[str] = field(default_factory=list[str])


def read_signals(wish: SignalWish) -> SignalsRead:
    """Read them all.  Raises `ConfigError` naming the file that cannot be understood."""
    read = SignalsRead()
    for path in wish.files:
        before = len(read.signals)
        _read_file(path, wish, read)
        if len(read.signals) == before:
            read.notes.append(f"{path.name} gives no signal that can be used")
    read.signals.sort(key=lambda each: each.known_at)
    return read


def _read_file(path: Path, wish: SignalWish, read: SignalsRead) -> None:
    if is_table(path) or ".csv" in path.suffixes:
        rows = read_rows(path)
        columns = set(rows[0]) if rows else set[str]()
        if columns >= _PROBABILITIES:
            _probabilities(path, _csv_of(rows), wish, read)
        elif first_of(columns, _ID_NAMES) and first_of(columns, _TIME_NAMES):
            _quotes(path, rows, wish, read)
        else:
            raise ConfigError(
                f"{path} holds neither probabilities nor another venue's quotes: its columns are "
                f"{', '.join(sorted(columns)) or 'none'}",
                remedy=f"Probabilities need {', '.join(sorted(_PROBABILITIES))}; "
                "quotes need captured_at, market_id, bid and ask.",
            )
        return
    body = _bytes_of(path)
    if b'"meetings"' in body:
        _probabilities(path, body, wish, read)
    else:
        _news(path, body, wish, read)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", remedy="Check the path."
        ) from error


# -- probabilities -----------------------------------------------------------------------------


def _csv_of(rows: Iterable[Mapping[str, Any]]) -> bytes:
    lines = (f"{r['date']},{r['meeting']},{r['range_bp']},{decimal(r['prob'])}" for r in rows)
    return "\n".join(("date,meeting,range_bp,prob", *lines)).encode()


def _probabilities(path: Path, body: bytes, wish: SignalWish, read: SignalsRead) -> None:
    try:
        history = fedwatch.parse_history(body, path.name)
    except ProtocolBroken as error:
        raise ConfigError(str(error), remedy=f"Correct {path}.") from error
    for told in history:
        at = told.as_of
        if at is None:
            continue
        for anchor in anchors_of(told, "FedWatch", at, upper_now=wish.upper_now):
            read.signals.append(KnownSignal(Instant(at + wish.delay), anchor))


# -- another venue's quotes --------------------------------------------------------------------


def _quotes(
    path: Path, rows: Sequence[Mapping[str, Any]], wish: SignalWish, read: SignalsRead
) -> None:
    if wish.mapping is None:
        raise ConfigError(
            f"{path} holds another venue's quotes, and nothing says which markets settle alike",
            remedy="Name the mapping: --mapping pairs.toml (`trueup arbitrage example` prints one).",
        )
    pairs: dict[str, list[Pair]] = {}
    for pair in read_pairs(wish.mapping):
        pairs.setdefault(pair.market_id, []).append(pair)
    columns = set(rows[0])
    names = _QuoteNames(path, columns)
    unused: Counter[str] = Counter()
    for number, row in enumerate(rows, 1):
        mapped = pairs.get(str(row[names.market_id]))
        if mapped is None:
            unused[f"of markets that {wish.mapping.name} does not map"] += 1
            continue
        try:
            at = moment_of(row[names.time])
            market = _other_market(row, names, at, wish.assumed_size)
        except (TrueupError, ValueError, TypeError, ArithmeticError) as error:
            raise ConfigError(
                f"{path}, row {number}: {error}", remedy=f"Correct {path}."
            ) from error
        for pair in mapped:
            quote = quote_of(pair, market, now=at, age_max=SECOND)
            if isinstance(quote, str):
                unused["that are closed or lack a leg"] += 1
            else:
                read.signals.append(KnownSignal(Instant(at + wish.delay), quote))
    read.notes += [
        f"{count:,} quotes of {path.name} {why}: not used" for why, count in unused.items()
    ]
    if not {"bid_size", "ask_size"} <= columns:
        read.notes.append(
            f"{path.name} has no sizes: {decimal(wish.assumed_size)} is assumed for each quote"
        )


class _QuoteNames:
    """What the columns of a file of quotes are called."""

    def __init__(self, path: Path, columns: set[str]) -> None:
        self.time = one_of(path, columns, *_TIME_NAMES)
        self.market_id = one_of(path, columns, *_ID_NAMES)
        self.bid = one_of(path, columns, *_BID_NAMES)
        self.ask = one_of(path, columns, *_ASK_NAMES)
        self.is_open = first_of(columns, _OPEN_NAMES)


def _other_market(
    row: Mapping[str, Any], names: _QuoteNames, at: Instant, assumed: Ratio
) -> OtherMarket:
    """Its two sides: what No costs is a dollar less what is bid for Yes."""
    bid, ask = decimal(row[names.bid]), decimal(row[names.ask])
    for told in (bid, ask):
        if told is not None and not 0 <= Ratio(told) <= 1:
            raise NotANumber(f"{told} is no price in dollars: it lies between 0 and 1")

    def size(name: str) -> Ratio:
        given = decimal(row.get(name))
        return assumed if given is None else Ratio(given)

    fee = decimal(row.get("fee_rate"))
    is_open = row[names.is_open] if names.is_open else True
    return OtherMarket(
        market_id=str(row[names.market_id]),
        question=str(row[names.market_id]),
        is_open=is_open in {True, "True", "true", "1"},
        offers={
            _YES: Offer(ask=None if ask is None else Ratio(ask), size=size("ask_size"), at=at),
            _NO: Offer(ask=None if bid is None else 1 - Ratio(bid), size=size("bid_size"), at=at),
        },
        fee_rate=FEE_RATE_MAX if fee is None else Ratio(fee),
    )


# -- news --------------------------------------------------------------------------------------


def _news(path: Path, body: bytes, wish: SignalWish, read: SignalsRead) -> None:
    judge = Judge(topics=wish.topics, age_max=DAY)
    undated = 0
    stories: list[Story] = []
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip():
            continue
        try:
            sent = parse_sent(line, path.name, Instant(0))
        except ProtocolBroken as error:
            raise ConfigError(f"{path}, line {number}: {error}", remedy=error.remedy) from error
        if isinstance(sent, SentLeg) or not sent.at:
            undated += 1
        else:
            stories.append(sent)
    if undated:
        read.notes.append(
            f"{undated:,} lines of {path.name} do not say when they were known: not used"
        )
    for story, signals in asyncio.run(_judged(judge, stories)):
        at = story.at or Instant(0)
        read.signals += [KnownSignal(Instant(at + wish.delay), each) for each in signals]


async def _judged(judge: Judge, stories: Sequence[Story]) -> list[tuple[Story, Sequence[Signal]]]:
    return [
        (story, await judge.signals(story, story.at or Instant(0), story.at or Instant(0)))
        for story in stories
    ]
