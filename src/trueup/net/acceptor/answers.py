"""Every operation's answer from the simulated exchange: surface in, JSON tree out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from trueup.core.facts import OrderReported
from trueup.core.ids import EventTicker, OrderId, SeriesTicker, Ticker
from trueup.core.instant import Instant
from trueup.net.acceptor import house, replies
from trueup.net.acceptor.forms import FORMS, Personality
from trueup.net.acceptor.gate import Caller
from trueup.net.acceptor.keys import KeyRing
from trueup.net.acceptor.replies import Content, Reply
from trueup.sim import commands as c
from trueup.sim.exchange import Exchange
from trueup.sim.market_surface import MarketSurface, MarketView
from trueup.sim.paging import Listing, Query
from trueup.sim.surface import AccountSurface, PositionsView
from trueup.sim.tiers import Tiers
from trueup.wire.rest import encode, encode_exchange
from trueup.wire.rest.account import AccountLimits
from trueup.wire.rest.encode import Record
from trueup.wire.rest.historical import Cutoffs
from trueup.wire.rest.rows.balances import Balance, ShardBalance, SubaccountBalance


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request that was let in: who asks what, and when."""

    operation: str
    path: Mapping[str, str]
    query: Query
    given: Mapping[str, str]
    caller: Caller
    at: Instant


class Answers(Protocol):
    """Whoever can answer: a simulated exchange, or a recording."""

    def answer(self, question: Question) -> Content | Reply:
        """The answer, or the refusal."""
        ...


T = TypeVar("T")

Answer = Callable[[Question], Content | Reply]


class HouseAnswers:
    """What does not depend on any market: status, limits, costs, keys."""

    def __init__(
        self, keys: KeyRing, limits: AccountLimits, personality: Personality, *, lag: int
    ) -> None:
        self._keys = keys
        self._limits = limits
        self._forms = FORMS[personality]
        self._lag = lag

    def table(self) -> dict[str, Answer]:
        """The answers by operation id."""
        return {
            "GetExchangeStatus": lambda _: Content(encode_exchange.exchange_status(house.OPEN)),
            "GetUserDataTimestamp": lambda question: Content(
                encode_exchange.user_data_timestamp(Instant(question.at - self._lag))
            ),
            "GetAccountApiLimits": lambda _: Content(self._forms.limits(self._limits)),
            "GetAccountEndpointCosts": lambda _: Content(
                encode_exchange.endpoint_costs(house.COSTS)
            ),
            "GetApiKeys": lambda _: Content(
                encode_exchange.api_keys(self._keys.listed()), rows="api_keys"
            ),
        }


class WorldAnswers:
    """Answers from an exchange machine, as one of its members sees it."""

    def __init__(
        self,
        exchange: Exchange,
        member: c.Member,
        house_answers: HouseAnswers,
        *,
        tiers: Tiers,
        personality: Personality,
    ) -> None:
        self._exchange = exchange
        self._member = member
        self._account = AccountSurface(exchange, member, tiers)
        self._markets = MarketSurface(exchange, tiers)
        self._forms = FORMS[personality]
        self._answers = house_answers.table() | self._account_table() | self._market_table()

    def answer(self, question: Question) -> Content | Reply:
        """The answer at the question's time; the exchange catches up with it first."""
        if question.at > self._exchange.now:
            self._exchange.step(c.Advance(at=question.at))
        answer = self._answers.get(question.operation)
        return replies.NOT_FOUND if answer is None else answer(question)

    # -- the account -----------------------------------------------------------------------

    def _account_table(self) -> dict[str, Answer]:
        account, forms = self._account, self._forms
        return {
            "GetBalance": self._balance,
            "GetSubaccountBalances": self._subaccount_balances,
            "GetFills": lambda q: _page("fills", account.fills(q.at, q.query), forms.fill),
            "GetFillsHistorical": lambda q: _page(
                "fills", account.historical_fills(q.at, q.query), forms.fill
            ),
            "GetOrders": lambda q: _page("orders", account.orders(q.at, q.query), self._order),
            "GetHistoricalOrders": lambda q: _page(
                "orders", account.historical_orders(q.at, q.query), self._order
            ),
            "GetOrder": self._one_order,
            "GetSettlements": lambda q: _page(
                "settlements", account.settlements(q.at, q.query), forms.settlement
            ),
            "GetPositions": lambda q: self._positions(account.positions(q.at, q.query)),
            "GetHistoricalPositions": lambda q: self._positions(
                account.historical_positions(q.at, q.query)
            ),
            "GetDeposits": lambda q: _page(
                "deposits", account.deposits(q.at, q.query), encode.banked
            ),
            "GetWithdrawals": lambda q: _page(
                "withdrawals", account.withdrawals(q.at, q.query), encode.banked
            ),
            "GetSubaccountTransfers": lambda q: _page(
                "transfers",
                account.subaccount_transfers(q.at, q.query),
                encode.subaccount_transfer,
            ),
            "GetIntraExchangeInstanceTransfers": lambda q: _page(
                "transfers", account.shard_transfers(q.at, q.query), encode.shard_transfer
            ),
            "GetIntraExchangeInstanceTransfer": self._shard_transfer,
        }

    def _balance(self, question: Question) -> Content:
        view = self._account.balance(question.at, question.query)
        stated = Balance(
            low=view.dollars,
            high=view.dollars,
            portfolio_value=view.portfolio,
            at=view.updated_at,
            shard=question.query.shard,
            breakdown=tuple(ShardBalance(shard, amount) for shard, amount in view.breakdown),
        )
        return Content(self._forms.balance(stated, question.caller.subaccount is None))

    def _subaccount_balances(self, question: Question) -> Content:
        rows: list[Record] = [
            encode.subaccount_balance(
                SubaccountBalance(
                    subaccount=one.subaccount,
                    shard=one.shard,
                    amount=one.dollars,
                    at=one.updated_at,
                )
            )
            for one in self._account.subaccount_balances(question.at)
        ]
        return Content({"subaccount_balances": rows}, rows="subaccount_balances")

    def _order(self, reported: OrderReported) -> Record:
        return self._forms.order(reported, self._member)

    def _one_order(self, question: Question) -> Content | Reply:
        order = self._account.order(question.at, OrderId(question.path["order_id"]))
        if order is None or question.caller.subaccount not in {None, order.subaccount}:
            return replies.NOT_FOUND
        return Content({"order": self._order(order)})

    def _positions(self, view: PositionsView) -> Content:
        tree: Record = {
            "cursor": view.markets.cursor,
            "market_positions": [self._forms.position(one) for one in view.markets.items],
            "event_positions": [self._forms.event_position(one) for one in view.events],
        }
        return Content(tree, rows="market_positions")

    def _shard_transfer(self, question: Question) -> Content | Reply:
        wanted = question.path["transfer_id"]
        for one in self._account.shard_transfers(question.at, _ALL).items:
            if one.transfer_id == wanted:
                return Content({"transfer": encode.shard_transfer(one)})
        return replies.NOT_FOUND

    # -- the markets -----------------------------------------------------------------------

    def _market_table(self) -> dict[str, Answer]:
        markets, forms = self._markets, self._forms
        return {
            "GetHistoricalCutoff": self._cutoffs,
            "GetMarkets": lambda q: _page("markets", markets.markets(q.at, q.query), forms.market),
            "GetHistoricalMarkets": lambda q: _page(
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
            "GetEventFeeChanges": lambda q: _page(
                "event_fee_changes",
                markets.event_fee_changes(q.query),
                encode_exchange.event_fee_change,
            ),
        }

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
        record = encode_exchange.event(event)
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
            record = encode_exchange.event(event)
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


_ALL: Final = Query(limit=1_000_000)


def _page(key: str, listing: Listing[T], write: Callable[[T], Record]) -> Content:
    rows = [write(one) for one in listing.items]
    return Content(encode.page(key, rows, listing.cursor), rows=key)
