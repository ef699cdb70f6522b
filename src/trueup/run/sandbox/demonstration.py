"""The living part of the tour: a small bot trades three days on a living sandbox, over real HTTP.

The built-in account has months of trading behind it; now markets live around it,
and a bot of its own buys temperatures, keeps a table as bots do, and stops hours
before the end: what settles afterwards it never hears of.  Once the exchange takes
an order and loses the answer; the bot asks instead of sending again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, Instant, format_instant
from trueup.core.order_entry import OrderFound, OrderOutcomeUnknown
from trueup.core.orders import TimeInForce
from trueup.core.units import Count, Price
from trueup.net.acceptor.control_bodies import Advance, FaultBody, Speed
from trueup.net.acceptor.control_words import WORDS
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.net.client import Client
from trueup.run.clients import open_client
from trueup.run.clock import SystemClock
from trueup.run.private_files import write_private_file
from trueup.run.sandbox.living import HOME_WORLD, Wish, identifiers, prepare
from trueup.run.sandbox.serving import write_bot_database

DAYS: Final = 3
_LOOKS_EVERY: Final = 6 * HOUR
_MISSED_LOOKS: Final = 3
_SERIES: Final = SeriesTicker("KXHIGHNY")
_LOW, _HIGH = Price.parse("0.15"), Price.parse("0.60")
_CONTRACTS: Final = Count.of_contracts(5)
_PREFIX: Final = "wx"
"""How the bot begins its client ids: as the one that traded before it."""


@dataclass(frozen=True, slots=True)
class Traded:
    """What the bot did in its days."""

    orders: int
    filled: int
    lost_answers: int
    settled: int
    left_open: int


class LivingDemonstration:
    """The built-in account in a living market, served in this process; a context.

    The world begins some days ago and stands still until the bot moves it; at
    the end of `trade` it is the present.
    """

    def __init__(self, folder: Path) -> None:
        now = SystemClock().now()
        start = Instant(now - now % MINUTE - DAYS * DAY)
        prepared = prepare(
            Wish(world=HOME_WORLD, speed=0, start=start, with_history=True, mishap_rate=0)
        )
        self._begin = start
        self._living = prepared.living
        self._history = prepared.history
        self._key_file = folder / "tour.pem"
        self._server = SandboxServer(
            prepared.living,
            clock=SystemClock().now,
            settings=Settings(limits=UNLIMITED, new_id=identifiers(prepared.living.seed)),
        )

    def __enter__(self) -> Self:
        self._server.start()
        write_private_file(self._key_file, self._server.pair.pem)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()

    @property
    def environment(self) -> dict[str, str]:
        """What points the commands at this exchange."""
        return {
            "TRUEUP_BASE_URL": self._server.base_url,
            "KALSHI_API_KEY_ID": self._server.key_id,
            "KALSHI_PRIVATE_KEY_PATH": str(self._key_file),
        }

    def trade(self, table: Path, environment: Mapping[str, str]) -> Traded:
        """Let the bot trade its days, writing down what it knows into its table."""
        if self._history is not None:
            write_bot_database(table, self._history, seed=self._living.seed)
        with (
            open_client(venue="sandbox", environment=environment) as client,
            closing(sqlite3.connect(table)) as connection,
        ):
            bot = _Bot(client, connection)
            begin, looks = self._begin, DAYS * DAY // _LOOKS_EVERY
            for look in range(looks):
                if look == 1:
                    lost = FaultBody(name="accepted-then-503", times=1)
                    self._server.control(WORDS["fault"], lost)
                # The bot is stopped before the end; the exchange goes on.
                if look < looks - _MISSED_LOOKS:
                    bot.look(self._living.clock.now())
                self._pass(Instant(begin + (look + 1) * _LOOKS_EVERY))
            connection.commit()
            return bot.done()

    def go_on(self) -> None:
        """Let the world's clock run at normal speed from now on."""
        self._server.control(WORDS["speed"], Speed(speed=1))

    def _pass(self, until: Instant) -> None:
        by = until - self._living.clock.now()
        self._server.control(WORDS["advance"], Advance(by=f"{by // SECOND}s"))


class _Bot:
    """Buys temperatures that are neither likely nor unlikely, and keeps a table."""

    def __init__(self, client: Client, connection: sqlite3.Connection) -> None:
        self._client = client
        self._connection = connection
        self._bought: dict[str, int] = {}
        self._orders = self._filled = self._lost = self._settled = 0

    def look(self, now: Instant) -> None:
        """Write down what has settled, and buy what is not held yet."""
        self._note_results(now)
        for record in self._client.markets.list(status="open", series_ticker=_SERIES):
            ask = record.yes_ask
            if _LOW <= ask <= _HIGH and record.ticker not in self._bought:
                self._buy(record.ticker, ask, now)

    def _buy(self, ticker: str, price: Price, now: Instant) -> None:
        self._orders += 1
        name = f"{_PREFIX}-tour-{self._orders}"
        try:
            placed = self._client.orders.buy(
                ticker,
                "yes",
                count=_CONTRACTS,
                price=price,
                client_order_id=name,
                time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
            )
            filled = placed.fill_count
        except OrderOutcomeUnknown as unknown:
            # Never sent again: asked.
            self._lost += 1
            (fate,) = self._client.orders.resolve(unknown)
            if not isinstance(fate, OrderFound):
                return
            filled = fate.order.fill_count
        if not filled:
            return
        self._filled += 1
        row = self._connection.execute(
            "INSERT INTO trades (market_ticker, status, updated_at, side, quantity, entry_price) "
            "VALUES (?, 'open', ?, 'yes', ?, ?)",
            (ticker, format_instant(now), filled.units / 100, price.units / 10_000),
        ).lastrowid
        self._bought[ticker] = row or 0

    def _note_results(self, now: Instant) -> None:
        """Close the rows of markets that have settled, without a thought of fees."""
        for ticker, row in list(self._bought.items()):
            stated = self._client.markets.get(Ticker(ticker))
            if stated.settled_at is None or stated.settlement_value is None:
                continue
            paid = stated.settlement_value.units / 100
            self._connection.execute(
                "UPDATE trades SET status = 'settled', settled_price = ?, updated_at = ?, "
                "profit_loss = round(quantity * (? / 100 - entry_price), 4) WHERE id = ?",
                (paid, format_instant(now), paid, row),
            )
            self._settled += 1
            del self._bought[ticker]

    def done(self) -> Traded:
        """What it did."""
        return Traded(self._orders, self._filled, self._lost, self._settled, len(self._bought))
