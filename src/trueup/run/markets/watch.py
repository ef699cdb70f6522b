"""What everybody may see of the exchange, for somebody who looks at it: all markets, or one.

Nothing here needs the books.  Where there is a key it is used (the exchange shows order books
only to its members), and nothing is ever written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import DAY, HOUR, MINUTE, Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.orderbook import BookSnapshot
from trueup.core.units import Count, Price
from trueup.engine.market import Listing, PublicTrade, Top
from trueup.engine.scanner import EVERYTHING, Looked
from trueup.net.client import Client, open_client
from trueup.net.session import Options
from trueup.run.bot.live_feeds import listing_of, top_of
from trueup.run.clock import unseeded
from trueup.run.desk import Desk, DeskSettings, keeps_books
from trueup.run.markets.arbitrage import Compared, Finder
from trueup.run.markets.scanning import known_series, look_over
from trueup.wire.rest.markets import Period
from trueup.wire.rest.rows.full import FullEvent, FullSeries

TRADES: Final = 50
"""So many of the newest trades are looked at."""
_SERIES_EVERY: Final = HOUR

SPANS: Final = {"3H": 3 * HOUR, "1D": DAY, "1W": 7 * DAY, "1M": 30 * DAY, "1Y": 365 * DAY}
"""How far back a price history may reach."""
_PERIODS: Final = (
    (3 * HOUR, Period.MINUTE, MINUTE),
    (7 * DAY, Period.HOUR, HOUR),
    (365 * DAY, Period.DAY, DAY),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSeen:
    """A market as it stands: what it is, its book, and the newest trades, newest first."""

    listing: Listing
    top: Top
    yes: str
    rules: tuple[str, ...]
    volume: Count
    open_interest: Count
    result: MarketResult | None
    settlement_value: Price | None
    settled_at: Instant | None
    book: BookSnapshot | None
    """`None` where there is no key: the exchange shows books only to its members."""
    trades: Sequence[PublicTrade]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stick:
    """What trades, bid and ask did in one period; `None` where nobody traded or offered."""

    end_at: Instant
    open: Price | None
    high: Price | None
    low: Price | None
    close: Price | None
    bid: Price | None
    ask: Price | None
    volume: Count


def open_onlooker(settings: DeskSettings, desk: Desk) -> Client:
    """A blocking client that only reads; `desk` is closed with it.

    Raises `ConfigError` for a host that is not allowed.
    """
    if settings.is_embedded or settings.is_paper:
        endpoint, signer = desk.reach()
    else:
        endpoint, credentials = desk.endpoint(), desk.credentials()
        signer = None if credentials is None else credentials.signer
    return open_client(
        endpoint,
        signer,
        clock=settings.clock.now,
        sleep=settings.clock.sleep,
        chance=unseeded(),
        options=Options(why_read_only=keeps_books),
        at_close=desk.close,
    )


@dataclass(slots=True)
class MarketsLook:
    """Looks over all open markets, again and again; what a series is, is asked once an hour."""

    _known: dict[SeriesTicker, FullSeries] = field(default_factory=dict[SeriesTicker, FullSeries])
    _known_at: Instant | None = None

    def __call__(self, client: Client) -> tuple[Looked, ...]:
        """Every market in which anybody can trade now.  Raises what the client raises."""
        now = client.session.now()
        if self._known_at is None or now - self._known_at >= _SERIES_EVERY:
            self._known, self._known_at = known_series(client, EVERYTHING), now
        found = look_over(client, EVERYTHING, frozenset(), self._known)
        return tuple(each for each in found if each.listing.status is MarketStatus.ACTIVE)


@dataclass(slots=True)
class MarketLook:
    """Looks at one market, again and again; its event and series are asked for once."""

    ticker: Ticker
    _belongs: tuple[FullEvent, FullSeries] | None = None

    def __call__(self, client: Client) -> MarketSeen:
        """The market.  Raises what the client raises."""
        market = client.markets.get(self.ticker)
        if self._belongs is None:
            event = client.events.get(market.event_ticker)
            self._belongs = event, client.series.get(event.series_ticker)
        may_see_book = client.session.signer is not None
        book = client.markets.orderbook(self.ticker) if may_see_book else None
        trades = islice(client.markets.trades(ticker=self.ticker, limit=TRADES), TRADES)
        now = client.session.now()
        return MarketSeen(
            listing=listing_of(market, *self._belongs, now),
            top=top_of(market, now),
            yes=market.yes_title,
            rules=tuple(each for each in (market.rules_primary, market.rules_secondary) if each),
            volume=market.volume,
            open_interest=market.open_interest,
            result=_result(market.result),
            settlement_value=market.settlement_value,
            settled_at=market.settled_at,
            book=book,
            trades=[
                PublicTrade(
                    ticker=each.ticker,
                    at=each.at,
                    price=each.price,
                    count=each.count,
                    taker_side=each.taker_side,
                )
                for each in trades
            ],
        )


@dataclass(frozen=True, slots=True)
class HistoryLook:
    """Reads one market's candlesticks of the last `span`."""

    ticker: Ticker
    span: int

    def __call__(self, client: Client) -> tuple[Stick, ...]:
        """Oldest first; empty for a market that has none.  Raises what the client raises."""
        _, period, length = next(each for each in _PERIODS if self.span <= each[0])
        now = client.session.now()
        start, end = Instant(now - self.span), Instant((now // length + 1) * length)
        found = client.markets.candles_of([self.ticker], start=start, end=end, period=period)
        return tuple(
            Stick(
                end_at=each.end_at,
                open=each.price.open,
                high=each.price.high,
                low=each.price.low,
                close=each.price.close,
                bid=_offered(each.yes_bid.close),
                ask=_offered(each.yes_ask.close),
                volume=each.volume,
            )
            for market in found
            for each in market.candles
        )


def _result(word: str) -> MarketResult | None:
    """The result, where there is one that is known."""
    try:
        return MarketResult(word)
    except ValueError:
        return None


def _offered(price: Price) -> Price | None:
    """An empty side is told as a bid of 0 or an ask of 1."""
    return price if 0 < price.units < Price.of_cents(100).units else None


@dataclass(frozen=True, slots=True)
class PairsLook:
    """Compares the pairs of the configured mapping with the other venue's public prices."""

    settings: DeskSettings

    def __call__(self, client: Client) -> tuple[Compared, ...]:
        """Every pair.  Raises what either venue's answer raises, and `ConfigError`."""
        asked = self.settings.config.feeds.polymarket
        if asked is None:
            return ()
        path = self.settings.home / asked.mapping
        finder = Finder(client, path, gamma=asked.gamma, clob=asked.clob)
        return tuple(finder.compare())
