"""A member's account as REST answers about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trueup.core.facts import Filled
from trueup.core.ids import PRIMARY, OrderId
from trueup.net.acceptor import replies
from trueup.net.acceptor.forms import Forms, Words, words_of
from trueup.net.acceptor.question import Answer, Question, page
from trueup.net.acceptor.replies import Content, Reply
from trueup.sim.commands import Member
from trueup.sim.exchange import Exchange
from trueup.sim.paging import Query
from trueup.sim.surface import AccountSurface, OrderView, PositionsView
from trueup.sim.tiers import Tiers
from trueup.wire.rest import encode
from trueup.wire.rest.rows.balances import Balance, ShardBalance, SubaccountBalance
from trueup.wire.spelling import Record, counted

_ALL: Final = Query(limit=1_000_000)


class AccountAnswers:
    """Reads of one account.  They lag behind its writes as far as the question says."""

    def __init__(
        self,
        exchange: Exchange,
        member: Member,
        tiers: Tiers,
        *,
        forms: Forms,
        words: Mapping[OrderId, Words],
    ) -> None:
        self._member = member
        self._words = words
        self._account = AccountSurface(exchange, member, tiers)
        self._forms = forms

    def table(self) -> dict[str, Answer]:
        """The answers by operation id."""
        account, forms = self._account, self._forms
        return {
            "GetBalance": self._balance,
            "GetSubaccountBalances": self._subaccount_balances,
            "GetFills": lambda q: page("fills", account.fills(q.read_at, q.query), self._fill),
            "GetFillsHistorical": lambda q: page(
                "fills", account.historical_fills(q.read_at, q.query), self._fill
            ),
            "GetOrders": lambda q: page("orders", account.orders(q.read_at, q.query), self._order),
            "GetHistoricalOrders": lambda q: page(
                "orders", account.historical_orders(q.read_at, q.query), self._order
            ),
            "GetOrder": self._one_order,
            "GetOrderQueuePositions": self._queue_positions,
            "GetOrderQueuePosition": self._queue_position,
            "GetSettlements": lambda q: page(
                "settlements", account.settlements(q.read_at, q.query), forms.settlement
            ),
            "GetPositions": lambda q: self._positions(account.positions(q.read_at, q.query)),
            "GetHistoricalPositions": lambda q: self._positions(
                account.historical_positions(q.read_at, q.query)
            ),
            "GetDeposits": lambda q: page(
                "deposits", account.deposits(q.read_at, q.query), encode.banked
            ),
            "GetWithdrawals": lambda q: page(
                "withdrawals", account.withdrawals(q.read_at, q.query), encode.banked
            ),
            "GetSubaccountTransfers": lambda q: page(
                "transfers",
                account.subaccount_transfers(q.read_at, q.query),
                encode.subaccount_transfer,
            ),
            "GetIntraExchangeInstanceTransfers": lambda q: page(
                "transfers", account.shard_transfers(q.read_at, q.query), encode.shard_transfer
            ),
            "GetIntraExchangeInstanceTransfer": self._shard_transfer,
        }

    def _balance(self, question: Question) -> Content:
        view = self._account.balance(question.read_at, question.query)
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
            for one in self._account.subaccount_balances(question.read_at)
        ]
        return Content({"subaccount_balances": rows}, rows="subaccount_balances")

    def _order(self, view: OrderView) -> Record:
        words = self._words.get(view.order.order_id) or words_of(view.order.side)
        return self._forms.order(view, self._member, words)

    def _fill(self, filled: Filled) -> Record:
        words = self._words.get(filled.order_id) or words_of(filled.side)
        return self._forms.fill(filled, words)

    def _one_order(self, question: Question) -> Content | Reply:
        view = self._account.order(question.read_at, OrderId(question.path["order_id"]))
        if view is None or question.caller.subaccount not in {None, view.order.subaccount}:
            return replies.NOT_FOUND
        return Content({"order": self._order(view)})

    def _queue_positions(self, question: Question) -> Content:
        subaccount = question.query.subaccount
        places = self._account.queue_positions(
            question.query, subaccount=PRIMARY if subaccount is None else subaccount
        )
        rows: list[Record] = [
            {
                "order_id": one.order_id,
                "market_ticker": one.ticker,
                "queue_position_fp": counted(one.ahead),
            }
            for one in places
        ]
        return Content({"queue_positions": rows}, rows="queue_positions")

    def _queue_position(self, question: Question) -> Content | Reply:
        wanted = question.path["order_id"]
        for one in self._account.queue_positions(_ALL, subaccount=question.caller.subaccount):
            if one.order_id == wanted:
                return Content({"queue_position_fp": counted(one.ahead)})
        return replies.NOT_FOUND

    def _positions(self, view: PositionsView) -> Content:
        tree: Record = {
            "cursor": view.markets.cursor,
            "market_positions": [self._forms.position(one) for one in view.markets.items],
            "event_positions": [self._forms.event_position(one) for one in view.events],
        }
        return Content(tree, rows="market_positions")

    def _shard_transfer(self, question: Question) -> Content | Reply:
        wanted = question.path["transfer_id"]
        for one in self._account.shard_transfers(question.read_at, _ALL).items:
            if one.transfer_id == wanted:
                return Content({"transfer": encode.shard_transfer(one)})
        return replies.NOT_FOUND
