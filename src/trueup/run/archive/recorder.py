"""What a recorder has heard and not yet written: columns in memory, flushed now and then.

Everything is written as it was told, in exact integers.  What could not be heard
is written, too: as a gap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from trueup.core.announcements import TickerAnnounced, TradeAnnounced
from trueup.core.errors import ConfigError
from trueup.core.ids import Ticker
from trueup.core.instant import DAY, Instant
from trueup.core.orderbook import BookDelta, BookSnapshot, Level
from trueup.core.orders import Side
from trueup.core.units import ONE_DOLLAR, Price
from trueup.run.archive.archived_markets import ArchivedMarket, market_columns
from trueup.store.archive import Archive
from trueup.store.archive_columns import COLUMNS, Kind

ROWS_MAX: Final = 2_000_000
"""More rows than this are not kept in memory while the disk refuses them."""

_NOTHING: Final = Price(0)


@dataclass
class Recorded:
    """How much was recorded, by kind, and what it took."""

    rows: dict[Kind, int] = field(default_factory=dict[Kind, int])
    lost: int = 0
    trouble: str = ""

    @property
    def ticks(self) -> int:
        """Snapshots, deltas, trades and tickers."""
        kinds = (Kind.SNAPSHOTS, Kind.DELTAS, Kind.TRADES, Kind.TICKERS)
        return sum(self.rows.get(kind, 0) for kind in kinds)


class _Rows:
    """The columns of one kind that wait."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.columns: dict[str, list[object]] = {each.name: [] for each in COLUMNS[kind]}
        self._appends = tuple(each.append for each in self.columns.values())

    def add(self, *values: object) -> None:
        """One more row, in the order of the columns."""
        for append, value in zip(self._appends, values, strict=True):
            append(value)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


class Recorder:
    """Takes what was heard and writes it to an archive when it is told to.

    `writer` names this recorder among several.  `take_…` keep the rows of one UTC day
    together: with the first row of the next one everything before is written.
    """

    def __init__(self, archive: Archive, *, writer: str) -> None:
        self.archive = archive
        self.recorded = Recorded()
        self._writer = writer
        self._waiting: dict[Kind, _Rows] = {}
        self._day = 0
        self._at = Instant(0)

    # -- what was heard --------------------------------------------------------------------

    def take_book(self, told: BookSnapshot | BookDelta, heard_at: Instant) -> None:
        """A whole book, or one change of it."""
        if isinstance(told, BookDelta):
            self._rows(Kind.DELTAS, heard_at).add(
                heard_at if told.at is None else told.at,
                heard_at,
                told.ticker,
                told.side is Side.YES,
                told.price.units,
                told.change.units,
            )
            return
        bids, asks = _levels(told.bids), _levels(told.asks)
        self._rows(Kind.SNAPSHOTS, heard_at).add(heard_at, heard_at, told.ticker, *bids, *asks)

    def take_trade(self, told: TradeAnnounced, heard_at: Instant) -> None:
        """A public trade."""
        self._rows(Kind.TRADES, heard_at).add(
            told.at,
            heard_at,
            told.ticker,
            told.trade_id,
            told.price.units,
            told.count.units,
            told.taker_side is Side.YES,
            told.is_block,
        )

    def take_ticker(self, told: TickerAnnounced, heard_at: Instant) -> None:
        """The top of a book and its totals."""
        self._rows(Kind.TICKERS, heard_at).add(
            told.at,
            heard_at,
            told.ticker,
            _price(told.yes_bid),
            _price(told.yes_ask),
            told.bid_count.units,
            told.ask_count.units,
            _price(told.last),
            told.last_count.units,
            told.volume.units,
            told.open_interest.units,
        )

    def take_gap(self, ticker: Ticker | str, channel: str, words: str, at: Instant) -> None:
        """Something was missed; a market's book begins again with its next snapshot."""
        self._rows(Kind.GAPS, at).add(at, ticker, channel, words)

    def take_markets(self, markets: Iterable[ArchivedMarket], heard_at: Instant) -> None:
        """What markets are, or how they ended."""
        rows = self._rows(Kind.MARKETS, heard_at)
        for name, values in market_columns(markets, heard_at).items():
            rows.columns[name].extend(values)

    def _rows(self, kind: Kind, at: Instant) -> _Rows:
        if at // DAY != self._day:
            if self._day:
                self.flush()
            self._day = at // DAY
        self._at = max(self._at, at)
        rows = self._waiting.get(kind)
        if rows is None:
            rows = self._waiting[kind] = _Rows(kind)
        return rows

    # -- writing ---------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many rows are not written yet."""
        return sum(len(rows) for rows in self._waiting.values())

    def flush(self) -> bool:
        """Write what waits.  What the disk refuses is kept, up to a bound, and tried again."""
        waiting, self._waiting = self._waiting, {}
        for kind, rows in waiting.items():
            try:
                written = self.archive.append(kind, rows.columns, at=self._at, writer=self._writer)
            except ConfigError as error:
                self.recorded.trouble = str(error)
                self._keep(kind, rows)
                continue
            self.recorded.rows[kind] = self.recorded.rows.get(kind, 0) + written
        if not self._waiting:
            self.recorded.trouble = ""
        return not self._waiting

    def _keep(self, kind: Kind, rows: _Rows) -> None:
        if self.waiting + len(rows) <= ROWS_MAX:
            self._waiting[kind] = rows
            return
        self.recorded.lost += len(rows)
        gaps = self._waiting.setdefault(Kind.GAPS, _Rows(Kind.GAPS))
        words = f"{len(rows)} {kind.value} could not be written: {self.recorded.trouble}"
        gaps.add(self._at, "", kind.value, words)


def _levels(levels: tuple[Level, ...]) -> tuple[list[int], list[int]]:
    return [each.price.units for each in levels], [each.count.units for each in levels]


def _price(told: Price) -> int | None:
    """An empty side is told as a bid of 0 or an ask of 1; no last price as 0."""
    return None if told in {_NOTHING, ONE_DOLLAR} else told.units
