"""The account and the exchange as they state themselves: positions, the past, opening hours.

Fills leave the live tier after about 90 days, and orders after about two weeks, while a
position may be older than both.  So the exchange's own listing of positions is the
measure: where the fills that were read do not add up to it, the historical tier is asked,
market by market, and what even that does not tell is the machine's to judge.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from trueup.core.errors import ExchangeRefused
from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import DAY, MINUTE, SECOND, Instant
from trueup.core.market import MarketStatus
from trueup.core.statements import PositionStated
from trueup.core.units import Price
from trueup.engine import inputs as i
from trueup.engine.hours import Activity
from trueup.engine.portfolio import Portfolio
from trueup.net.client import AsyncClient
from trueup.run.bot.exchange_hours import closings
from trueup.run.bot.live_feeds import Give, batches, paid_value
from trueup.run.clock import Clock
from trueup.wire.rest import historical

REVISED_FOR: Final = 14 * DAY
"""For how long after its payment a market is looked at again for a correction."""

_MAY_NOT_SEE: Final = frozenset({403, 404})
_RECENT: Final = 5 * MINUTE
_LAG: Final = 2 * SECOND
"""How far a balance may lag behind; what was sent in that time counts until the next reading."""


@dataclass
class AccountReader:
    """Reads what the exchange states, and gives it to the machine.

    `portfolio` is what the machine counts so far, `held` are the markets in which
    something is held or ordered.
    """

    client: AsyncClient
    clock: Clock
    give: Give
    subaccounts: tuple[Subaccount, ...]
    portfolio: Portfolio
    held: Callable[[], list[Ticker]]
    _sees_others: bool = True

    # -- positions -------------------------------------------------------------------------

    async def read_positions(self) -> None:
        """Read the open positions of every subaccount that we trade on."""
        for subaccount in self.subaccounts:
            rows = await self._positions(subaccount)
            self._tell(subaccount, rows, at_start=False)

    async def begin(self, read_recent: Callable[[Instant], Awaitable[None]]) -> None:
        """Make what we count complete: the historical tier, then the exchange's statement.

        `read_recent` reads orders and fills from an instant on.
        """
        for subaccount in self.subaccounts:
            rows = await self._positions(subaccount)
            for ticker in self._differing(subaccount, rows):
                await self._read_archive(ticker, subaccount)
        await self._read_archived_results()
        for subaccount in self.subaccounts:
            await read_recent(Instant(self.clock.now() - _RECENT))
            self._tell(subaccount, await self._positions(subaccount), at_start=True)

    async def _positions(self, subaccount: Subaccount) -> tuple[PositionStated, ...]:
        listing = self.client.portfolio.positions(subaccount=subaccount)
        return tuple([each async for each in listing if each.net])

    def _tell(
        self, subaccount: Subaccount, rows: tuple[PositionStated, ...], *, at_start: bool
    ) -> None:
        self.give(
            i.PositionsRead(
                at=self.clock.now(), subaccount=subaccount, positions=rows, at_start=at_start
            )
        )

    def _differing(self, subaccount: Subaccount, rows: tuple[PositionStated, ...]) -> list[Ticker]:
        stated = {each.ticker: each.net for each in rows}
        known = dict.fromkeys((*stated, *self.portfolio.open_on(subaccount)))
        return [
            ticker
            for ticker in known
            if self.portfolio.net(ticker, subaccount=subaccount).units
            != (stated[ticker].units if ticker in stated else 0)
        ]

    async def _read_archive(self, ticker: Ticker, subaccount: Subaccount) -> None:
        """Orders and fills of one market that have left the live tier; orders first, they say whose."""
        try:
            orders = historical.orders(ticker=ticker, subaccount=subaccount)
            async for page in self.client.pages(orders):
                for order in page.items:
                    self.give(i.OrderSeen(at=self.clock.now(), order=order))
            listing = self.client.historical.fills(ticker=ticker, subaccount=subaccount)
            fills = [fill async for fill in listing]
        except ExchangeRefused as error:
            if error.status not in _MAY_NOT_SEE:
                raise
            return
        for fill in sorted(fills, key=lambda each: each.at):
            self.give(i.FillSeen(at=self.clock.now(), fill=fill))

    async def _read_archived_results(self) -> None:
        """What markets paid that have left the live tier with a position of ours in them."""
        held = {ticker for _, ticker, _ in self.portfolio.held()}
        for batch in batches(sorted(held)):
            listing = self.client.historical.markets(tickers=batch)
            async for market in listing:
                value = paid_value(market)
                if value is not None:
                    self._settled(market.ticker, value)

    # -- settlements -----------------------------------------------------------------------

    async def read_settled(self) -> None:
        """Tell which of the held markets have paid."""
        await self._read_results(sorted(self.held()))

    async def read_revised(self) -> None:
        """Look again at what paid not long ago: the exchange may have corrected it."""
        since = Instant(self.clock.now() - REVISED_FOR)
        await self._read_results(sorted(self.portfolio.paid_since(since)))

    async def _read_results(self, tickers: list[Ticker]) -> None:
        for batch in batches(tickers):
            async for market in self.client.markets.list(tickers=batch):
                value = paid_value(market)
                if market.status is MarketStatus.FINALIZED and value is not None:
                    self._settled(market.ticker, value)

    def _settled(self, ticker: Ticker, value: Price) -> None:
        self.give(i.MarketSettled(at=self.clock.now(), ticker=ticker, value=value))

    # -- money -----------------------------------------------------------------------------

    async def read_account(self) -> None:
        """Read what cash is available: on every shard of our subaccounts, then elsewhere."""
        for subaccount in self.subaccounts:
            as_of = Instant(self.clock.now() - _LAG)
            balance = await self.client.portfolio.balance(subaccount=subaccount)
            for stated in balance.statements(self.clock.now(), subaccount):
                self.give(i.BalanceRead(at=self.clock.now(), balance=stated, as_of=as_of))

    async def read_other_pots(self) -> None:
        """Read the cash of the other subaccounts: a refusal can then say where the money is.

        A key that may not see them is not asked again.
        """
        if not self._sees_others:
            return
        now = self.clock.now()
        try:
            rows = await self.client.transfers.subaccount_balances()
        except ExchangeRefused as error:
            if error.status not in _MAY_NOT_SEE:
                raise
            self._sees_others = False
            return
        for row in rows:
            if row.subaccount not in self.subaccounts:
                self.give(i.BalanceRead(at=now, balance=row.statement(now)))

    # -- hours -----------------------------------------------------------------------------

    async def read_status(self) -> None:
        """Read whether the exchange works, shard by shard."""
        status = await self.client.exchange.status()
        shards = {
            each.shard: Activity(
                exchange_active=each.exchange_active, trading_active=each.trading_active
            )
            for each in status.shards
        }
        activity = Activity(
            exchange_active=status.exchange_active, trading_active=status.trading_active
        )
        self.give(
            i.ExchangeStated(
                at=self.clock.now(), activity=activity, shards=shards, resumes_at=status.resumes_at
            )
        )

    async def read_schedule(self) -> None:
        """Read when the exchange will be closed in the coming week."""
        schedule = await self.client.exchange.schedule()
        now = self.clock.now()
        self.give(i.ClosingsPlanned(at=now, windows=closings(schedule, now)))
