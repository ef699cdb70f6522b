"""The bot of `benchmarks web-live`: the real machine, teller and control channel, but no exchange.

Markets move by a list of its own instead of a feed; when each did is written at the end.

    python -m benchmarks.web_live_bot MOVES_A_SECOND LOG
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.engine import a_machine
from trueup.core.facts import Filled
from trueup.core.ids import PRIMARY, SHARD_ZERO, OrderId, Ticker, TradeId
from trueup.core.instant import HOUR, Instant
from trueup.core.orders import Side
from trueup.core.units import ZERO_MONEY, Count, Money, Price
from trueup.engine import inputs as i
from trueup.engine.market import Top
from trueup.engine.strategies.threshold import Threshold
from trueup.engine.strategy import Mandate
from trueup.net.control import Said
from trueup.net.control_server import ControlServer
from trueup.run.bot.places import control_path
from trueup.run.bot.status import About, Status, as_document, status_of
from trueup.run.bot.tally import Tally
from trueup.run.bot.telling import Teller
from trueup.run.clock import SystemClock
from trueup.run.config import read_environment
from trueup.run.desk import read_desk_settings

HELD: Final = [Ticker(f"KXBENCH-26NOV28-T{number:02}") for number in range(20)]
_FIRST: Final = 1_000
"""The first bid, $0.10; each move is a ten-thousandth of a dollar, so every figure is another one."""
_TURN: Final = 7_000


def holdings(at: Instant) -> list[Filled]:
    """What is held: ten contracts of each market."""
    return [
        Filled(
            trade_id=TradeId(f"{number:08x}-0000-4000-8000-00000000000f"),
            order_id=OrderId(f"{number:08x}-0001-4000-8000-00000000000f"),
            ticker=ticker,
            side=Side.YES,
            count=Count.of_contracts(10),
            price=Price.of_cents(30),
            fee=ZERO_MONEY,
            is_taker=True,
            at=at,
            subaccount=PRIMARY,
            shard=SHARD_ZERO,
        )
        for number, ticker in enumerate(HELD)
    ]


def bid(version: int) -> Price:
    """The bid of a market after so many moves."""
    return Price(_FIRST + version % _TURN)


class Room:
    """What an operator may see of this bot."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def status(self) -> Mapping[str, object]:
        return as_document(self._status)

    def decisions(self, *, after: int | None, limit: int) -> Sequence[Mapping[str, object]]:
        del after, limit
        return ()

    def obey(self, command: str, said: Said) -> Mapping[str, object]:
        del command, said
        return {}

    async def kept(self, command: str) -> bool:  # noqa: ARG002
        """Nothing is written here."""
        return False


async def move_markets(rate: int) -> list[float]:
    """Move one market after the other until told to end; returns when each did."""
    clock, settings = SystemClock(), read_desk_settings(read_environment())
    machine = a_machine([(Threshold(), Mandate(capital=Money.parse("250")))])
    for fill in holdings(Instant(clock.now() - HOUR)):
        machine.step(i.FillSeen(at=clock.now(), fill=fill))
    started_at = clock.now()

    def status(*, tops: bool = True) -> Status:
        about = About(
            venue="demo",
            account="main",
            mode="live",
            live=False,
            version="benchmark",
            pid=os.getpid(),
            started_at=started_at,
            at=clock.now(),
        )
        return status_of(machine.state, Tally(), about, tops=tops)

    server = ControlServer(control_path(settings), Room(status()), started_at=started_at)
    await server.start()
    teller = asyncio.create_task(Teller(machine.state, partial(status, tops=False), server).run())
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    moves: list[float] = []
    began = time.monotonic()
    while not ended.is_set():
        while len(moves) < (time.monotonic() - began) * rate:
            version, place = divmod(len(moves), len(HELD))
            top = Top(ticker=HELD[place], at=clock.now(), bid=bid(version), ask=Price(9_900))
            machine.step(i.MarketsMoved(at=top.at, tops=(top,)))
            moves.append(time.monotonic())
        await asyncio.sleep(1 / rate)
    teller.cancel()
    await server.stop()
    return moves


if __name__ == "__main__":
    moved_at = asyncio.run(move_markets(int(sys.argv[1])))
    Path(sys.argv[2]).write_text(json.dumps(moved_at))
