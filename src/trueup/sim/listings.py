"""What is listed: series, events, markets and the fee terms over time."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from trueup.core import catalog
from trueup.core.errors import InvariantBroken
from trueup.core.fees import TermsAt
from trueup.core.ids import EventTicker, SeriesTicker, Ticker
from trueup.core.instant import Instant
from trueup.sim.charging import FeeRule, unknown_fees
from trueup.sim.lifecycle import MarketState

_NEVER: Final = Instant(2**62)


class Listings:
    """Everything that can be traded, was traded or will be."""

    def __init__(self) -> None:
        self.series: dict[SeriesTicker, catalog.Series] = {}
        """With the terms that held when the series was listed."""
        self.events: dict[EventTicker, catalog.Event] = {}
        self.markets: dict[Ticker, MarketState] = {}
        self.markets_of: dict[EventTicker, list[Ticker]] = {}
        self.events_of: dict[SeriesTicker, list[EventTicker]] = {}
        self.fee_changes: list[catalog.FeeChange] = []
        self.listed_at: dict[str, Instant] = {}
        self._changes_of: dict[SeriesTicker, list[catalog.FeeChange]] = {}
        self._catalogs: dict[Ticker, catalog.Catalog] = {}

    def add_series(self, at: Instant, series: catalog.Series) -> bool:
        """List a series; returns whether it is new."""
        if series.ticker in self.series:
            return False
        self.series[series.ticker] = series
        self.events_of[series.ticker] = []
        self.listed_at[series.ticker] = at
        return True

    def add_event(self, at: Instant, event: catalog.Event) -> bool:
        """List an event; returns whether it is new and its series known."""
        if event.ticker in self.events or event.series_ticker not in self.series:
            return False
        self.events[event.ticker] = event
        self.events_of[event.series_ticker].append(event.ticker)
        self.markets_of[event.ticker] = []
        self.listed_at[event.ticker] = at
        return True

    def add_market(self, at: Instant, state: MarketState) -> bool:
        """List a market; returns whether it is new and its event known."""
        market = state.market
        if market.ticker in self.markets or market.event_ticker not in self.events:
            return False
        self.markets[market.ticker] = state
        self.markets_of[market.event_ticker].append(market.ticker)
        self.listed_at[market.ticker] = at
        return True

    def add_fee_change(self, change: catalog.FeeChange) -> None:
        """Take note of a change of fees."""
        self.fee_changes.append(change)
        self._changes_of.setdefault(change.series_ticker, []).append(change)
        self._catalogs.clear()
        for state in self.markets.values():
            state.fee_rule = None

    def fee_terms(self, ticker: Ticker) -> TermsAt:
        """The fee terms of a market as a function of the time.

        One small catalog per market: its own event, series and changes.
        """
        known = self._catalogs.get(ticker)
        if known is None:
            market = self.markets[ticker].market
            event = self.events[market.event_ticker]
            series = self.series[event.series_ticker]
            known = catalog.Catalog(
                series=[series],
                events=[event],
                markets=[market],
                fee_changes=self._changes_of.get(series.ticker, ()),
                observed_at=self.listed_at[series.ticker],
            )
            self._catalogs[ticker] = known
        found = known

        def terms_at(at: Instant) -> catalog.FeeTerms:
            terms = found.fee_terms(ticker, at)
            if terms is None:
                message = f"nothing says what fees {ticker} had at {at}"
                raise InvariantBroken(message)
            return terms

        return terms_at

    def fee_rule(self, ticker: Ticker, at: Instant) -> FeeRule:
        """How fills of a market are charged at `at`, and until when."""
        terms = self.fee_terms(ticker)(at)
        if terms is None:
            raise unknown_fees(ticker, at)
        market = self.markets[ticker].market
        series = self.events[market.event_ticker].series_ticker
        ends = [change.effective_at for change in self._changes_of.get(series, ())]
        if market.fee_waiver_until is not None:
            ends.append(market.fee_waiver_until)
        return FeeRule(terms, at, min((one for one in ends if one > at), default=_NEVER))

    def series_at(self, ticker: SeriesTicker, at: Instant) -> catalog.Series | None:
        """A series as shown at `at`: with the terms that hold then."""
        series = self.series.get(ticker)
        if series is None or self.listed_at[ticker] > at:
            return None
        for change in self._effective(ticker, at):
            if (
                change.event_ticker is None
                and change.fee_type
                and change.fee_multiplier is not None
            ):
                series = replace(
                    series, fee_type=change.fee_type, fee_multiplier=change.fee_multiplier
                )
        return series

    def event_at(self, ticker: EventTicker, at: Instant) -> catalog.Event | None:
        """An event as shown at `at`: with the override that holds then."""
        event = self.events.get(ticker)
        if event is None or self.listed_at[ticker] > at:
            return None
        for change in self._effective(event.series_ticker, at):
            if change.event_ticker == ticker:
                event = replace(
                    event,
                    fee_type_override=change.fee_type,
                    fee_multiplier_override=change.fee_multiplier,
                )
        return event

    def _effective(self, ticker: SeriesTicker, at: Instant) -> list[catalog.FeeChange]:
        changes = (one for one in self._changes_of.get(ticker, ()) if one.effective_at <= at)
        return sorted(changes, key=lambda one: (one.effective_at, one.change_id))
