"""Series, events and markets as REST answers about them."""

from __future__ import annotations

from trueup.core.ids import EventTicker, SeriesTicker, Ticker
from trueup.net.acceptor import house, replies
from trueup.net.acceptor.forms import Forms
from trueup.net.acceptor.question import Answer, Question, page
from trueup.net.acceptor.replies import Content, Reply
from trueup.sim.events import Refusal
from trueup.sim.exchange import Exchange
from trueup.sim.market_surface import MarketSurface, MarketView
from trueup.sim.tiers import Tiers
from trueup.wire.rest import encode, encode_exchange
from trueup.wire.rest.historical import Cutoffs
from trueup.wire.spelling import Record


class MarketAnswers:
    """The public side of the exchange."""

    def __init__(self, exchange: Exchange, tiers: Tiers, *, forms: Forms) -> None:
        self._exchange = exchange
        self._markets = MarketSurface(exchange, tiers)
        self._forms = forms

    def table(self) -> dict[str, Answer]:
        """The answers by operation id."""
        markets, forms = self._markets, self._forms
        return {
            "GetExchangeStatus": self._status,
            "GetHistoricalCutoff": self._cutoffs,
            "GetMarkets": lambda q: page("markets", markets.markets(q.at, q.query), forms.market),
            "GetHistoricalMarkets": lambda q: page(
                "markets", markets.historical_markets(q.at, q.query), forms.market
            ),
            "GetMarket": lambda q: self._market(markets.market(q.at, Ticker(q.path["ticker"]))),
            "GetHistoricalMarket": lambda q: self._market(
                markets.historical_market(q.at, Ticker(q.path["ticker"]))
            ),
            "GetEvent": self._event,
            "GetEvents": self._events,
            "GetMultivariateEvents": lambda _: Content({"events": [], "cursor": ""}),
            "GetSeries": self._series,
            "GetSeriesList": self._series_list,
            "GetSeriesFeeChanges": self._series_fee_changes,
            "GetEventFeeChanges": lambda q: page(
                "event_fee_changes",
                markets.event_fee_changes(q.query),
                encode_exchange.event_fee_change,
            ),
        }

    def _status(self, _question: Question) -> Content:
        paused = self._exchange.books.paused
        closed = {shard for shard, why in paused.items() if why is Refusal.EXCHANGE_PAUSED}
        return Content(self._forms.status(house.status(closed, paused)))

    def _cutoffs(self, question: Question) -> Content:
        found = self._markets.cutoffs(question.at)
        return Content(
            encode_exchange.cutoffs(
                Cutoffs(
                    trades_created_at=found.trades_created,
                    orders_updated_at=found.orders_updated,
                    market_settled_at=found.market_settled,
                    positions_updated_at=found.positions_updated,
                )
            )
        )

    def _market(self, view: MarketView | None) -> Content | Reply:
        if view is None:
            return replies.NOT_FOUND
        return Content({"market": self._forms.market(view)})

    def _event(self, question: Question) -> Content | Reply:
        ticker = EventTicker(question.path["event_ticker"])
        event = self._markets.event(question.at, ticker)
        if event is None:
            return replies.NOT_FOUND
        nested = question.given.get("with_nested_markets") == "true"
        markets = self._markets_of(question, ticker)
        record = self._forms.event(event)
        if nested:
            record["markets"] = markets
        return Content({"event": record, "markets": [] if nested else markets})

    def _markets_of(self, question: Question, ticker: EventTicker) -> list[Record]:
        return [self._forms.market(view) for view in self._markets.markets_of(question.at, ticker)]

    def _events(self, question: Question) -> Content:
        found = self._markets.events(question.at, question.query)
        nested = question.given.get("with_nested_markets") == "true"
        rows: list[Record] = []
        for event in found.items:
            record = self._forms.event(event)
            if nested:
                record["markets"] = self._markets_of(question, event.ticker)
            rows.append(record)
        return Content(encode.page("events", rows, found.cursor), rows="events")

    def _series(self, question: Question) -> Content | Reply:
        series = self._markets.series(question.at, SeriesTicker(question.path["series_ticker"]))
        if series is None:
            return replies.NOT_FOUND
        return Content({"series": encode_exchange.series(series)})

    def _series_list(self, question: Question) -> Content:
        found = self._markets.series_list(question.at, question.given.get("category", ""))
        return Content({"series": [encode_exchange.series(one) for one in found]}, rows="series")

    def _series_fee_changes(self, question: Question) -> Content:
        found = self._markets.series_fee_changes(question.at, question.query)
        rows = [encode_exchange.series_fee_change(one) for one in found]
        return Content({"series_fee_change_arr": rows}, rows="series_fee_change_arr")
