"""What REST lets anybody see of series, events, markets and fee changes at an instant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from trueup.core import catalog
from trueup.core.grid import PriceGrid
from trueup.core.ids import EventTicker, SeriesTicker, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketStatus
from trueup.core.statements import MarketStated
from trueup.core.units import ZERO_COUNT, Count
from trueup.sim.exchange import Exchange
from trueup.sim.lifecycle import MarketState
from trueup.sim.paging import Listing, Query, page
from trueup.sim.tiers import Cutoffs, Tiers

STATUS_FILTERS: dict[str, frozenset[MarketStatus]] = {
    "unopened": frozenset({MarketStatus.INITIALIZED}),
    "open": frozenset({MarketStatus.ACTIVE}),
    "paused": frozenset({MarketStatus.INACTIVE}),
    "closed": frozenset(
        {
            MarketStatus.CLOSED,
            MarketStatus.DETERMINED,
            MarketStatus.DISPUTED,
            MarketStatus.AMENDED,
        }
    ),
    "settled": frozenset({MarketStatus.FINALIZED}),
}
"""The words of the listing's filter; they are not those of the market object."""

_COMBO: Final = "KXMVE"
"""How the tickers of combos begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketView:
    """A market as shown: what it is, where it stands, what it trades at, its grid.

    The counts are those at the top of its book now.
    """

    market: catalog.Market
    stated: MarketStated
    quote: catalog.Quote
    bid_count: Count
    ask_count: Count
    grid: PriceGrid
    settlement_timer: int
    listed_at: Instant


class MarketSurface:
    """The public side of the exchange."""

    def __init__(self, exchange: Exchange, tiers: Tiers) -> None:
        self._exchange = exchange
        self._tiers = tiers

    def cutoffs(self, at: Instant) -> Cutoffs:
        """Where the historical tier begins."""
        return self._tiers.cutoffs(at)

    # -- markets ---------------------------------------------------------------------------

    def market(self, at: Instant, ticker: Ticker) -> MarketView | None:
        """A market of the live tier; `None` for one that is archived or unknown."""
        return self._view(at, ticker, self._is_live(at))

    def historical_market(self, at: Instant, ticker: Ticker) -> MarketView | None:
        """A market of the historical tier."""
        return self._view(at, ticker, self._is_historical(at))

    def markets(self, at: Instant, query: Query) -> Listing[MarketView]:
        """Markets of the live tier, latest listed first."""
        statuses = STATUS_FILTERS.get(query.choice)
        live = self._is_live(at)

        def wanted(view: MarketView) -> bool:
            return live(view.stated) and (statuses is None or view.stated.status in statuses)

        return self._markets(at, query, f"markets {query.choice}", wanted=wanted)

    def historical_markets(self, at: Instant, query: Query) -> Listing[MarketView]:
        """Markets that settled before the cutoff."""
        historical = self._is_historical(at)
        return self._markets(
            at, query, "historical_markets", wanted=lambda view: historical(view.stated)
        )

    def _markets(
        self, at: Instant, query: Query, listing: str, *, wanted: Callable[[MarketView], bool]
    ) -> Listing[MarketView]:
        listings = self._exchange.books.listings

        def matches(state: MarketState) -> bool:
            market = state.market
            event = listings.events[market.event_ticker]
            if not query.concerns(market.ticker):
                return False
            if query.combos not in {None, market.ticker.startswith(_COMBO)}:
                return False
            if query.event_tickers and event.ticker not in query.event_tickers:
                return False
            if query.series_ticker not in {None, event.series_ticker}:
                return False
            view = self._view(at, market.ticker, _always)
            return view is not None and _in_time(view, query) and wanted(view)

        found = page(tuple(listings.markets.values()), query, listing=listing, wanted=matches)
        views = (self._view(at, state.market.ticker, _always) for state in found.items)
        return Listing(tuple(view for view in views if view is not None), found.cursor)

    def _view(
        self, at: Instant, ticker: Ticker, belongs: Callable[[MarketStated], bool]
    ) -> MarketView | None:
        state = self._exchange.books.listings.markets.get(ticker)
        stated = None if state is None else state.stated(at)
        if state is None or stated is None or not belongs(stated):
            return None
        bid, ask = state.book.best_bid(), state.book.best_ask()
        return MarketView(
            bid_count=Count(bid.total if bid else 0),
            ask_count=Count(ask.total if ask else 0),
            market=state.market,
            stated=stated,
            quote=state.quotes.at(at) or _no_quote(ticker),
            grid=state.grid,
            settlement_timer=state.settlement_timer,
            listed_at=self._exchange.books.listings.listed_at[ticker],
        )

    def _is_live(self, at: Instant) -> Callable[[MarketStated], bool]:
        since = self._tiers.live(at).market_settled
        return lambda stated: stated.settled_at is None or stated.settled_at >= since

    def _is_historical(self, at: Instant) -> Callable[[MarketStated], bool]:
        until = self._tiers.cutoffs(at).market_settled
        return lambda stated: stated.settled_at is not None and stated.settled_at < until

    # -- events and series -----------------------------------------------------------------

    def event(self, at: Instant, ticker: EventTicker) -> catalog.Event | None:
        """An event, also an old one."""
        return self._exchange.books.listings.event_at(ticker, at)

    def markets_of(self, at: Instant, ticker: EventTicker) -> tuple[MarketView, ...]:
        """The markets of an event that are still in the live tier."""
        tickers = self._exchange.books.listings.markets_of.get(ticker, [])
        views = (self.market(at, one) for one in tickers)
        return tuple(view for view in views if view is not None)

    def events(self, at: Instant, query: Query) -> Listing[catalog.Event]:
        """Events, latest listed first.  One has the status of any of its live markets."""
        listings = self._exchange.books.listings
        statuses = STATUS_FILTERS.get(query.choice)

        def has_status(ticker: EventTicker) -> bool:
            if statuses is None:
                return True
            return any(view.stated.status in statuses for view in self.markets_of(at, ticker))

        found = page(
            tuple(listings.events.values()),
            query,
            listing=f"events {query.choice}",
            wanted=lambda one: (
                listings.listed_at[one.ticker] <= at
                and (not query.event_tickers or one.ticker in query.event_tickers)
                and query.series_ticker in {None, one.series_ticker}
                and has_status(one.ticker)
            ),
        )
        shown = (self.event(at, one.ticker) for one in found.items)
        return Listing(tuple(one for one in shown if one is not None), found.cursor)

    def series(self, at: Instant, ticker: SeriesTicker) -> catalog.Series | None:
        """A series with the fee terms that hold at `at`."""
        return self._exchange.books.listings.series_at(ticker, at)

    def series_list(self, at: Instant, category: str = "") -> tuple[catalog.Series, ...]:
        """All series by ticker, or those of one category."""
        shown = (self.series(at, ticker) for ticker in sorted(self._exchange.books.listings.series))
        return tuple(one for one in shown if one is not None and category in {"", one.category})

    # -- fee changes -----------------------------------------------------------------------

    def series_fee_changes(self, at: Instant, query: Query) -> tuple[catalog.FeeChange, ...]:
        """Changes of series' fees: the upcoming ones, or all if history is asked for."""
        return tuple(
            one
            for one in self._fee_changes(query)
            if one.event_ticker is None and (query.show_historical or one.effective_at > at)
        )

    def event_fee_changes(self, query: Query) -> Listing[catalog.FeeChange]:
        """Changes of events' overrides, past and upcoming, latest announced first."""
        rows = [one for one in self._fee_changes(query) if one.event_ticker is not None]
        return page(
            rows,
            query,
            listing="event_fee_changes",
            wanted=lambda one: not query.event_tickers or one.event_ticker in query.event_tickers,
        )

    def _fee_changes(self, query: Query) -> list[catalog.FeeChange]:
        changes = self._exchange.books.listings.fee_changes
        return [one for one in changes if query.series_ticker in {None, one.series_ticker}]


def _always(_stated: MarketStated) -> bool:
    return True


def _in_time(view: MarketView, query: Query) -> bool:
    closes, settles = view.stated.close_at, view.stated.settled_at
    after = query.updated_after
    return (
        (after is None or view.listed_at > after)
        and _between(view.listed_at, None, query.max_updated_at)
        and _between(view.listed_at, query.min_at, query.max_at)
        and _between(closes, query.min_close_at, query.max_close_at)
        and _between(settles, query.min_settled_at, query.max_settled_at)
    )


def _between(at: Instant | None, low: Instant | None, high: Instant | None) -> bool:
    """Whether a time lies within bounds; an unknown time lies within no bounds at all."""
    if low is None and high is None:
        return True
    return at is not None and (low is None or at >= low) and (high is None or at <= high)


def _no_quote(ticker: Ticker) -> catalog.Quote:
    return catalog.Quote(
        ticker=ticker,
        yes_bid=None,
        yes_ask=None,
        last=None,
        volume=ZERO_COUNT,
        volume_24h=ZERO_COUNT,
        open_interest=ZERO_COUNT,
    )
