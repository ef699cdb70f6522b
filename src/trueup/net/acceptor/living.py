"""What the acceptor needs to serve a world that lives: its clock, its pulse, its faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from trueup.core.ids import OrderId, TradeId
from trueup.core.instant import Instant
from trueup.core.units import Count
from trueup.net.acceptor.control import PREFIX, Control
from trueup.net.acceptor.control_room import ControlRoom, Rebuild, SteeredClock
from trueup.net.acceptor.floor import Floor
from trueup.net.acceptor.gate import Clock
from trueup.net.acceptor.stream import StreamHub
from trueup.net.acceptor.stream_faults import FaultyDelivery
from trueup.sim import commands as c
from trueup.sim.exchange import Exchange
from trueup.sim.faults import FaultPlan
from trueup.sim.living.paper_world import PaperWorld
from trueup.sim.living.replay import Replay
from trueup.sim.living.world import LivingWorld
from trueup.sim.order import Order

PULSE_SECONDS: Final = 0.05
"""How often a running world catches up with its clock although nobody asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """A living world to serve, a recording that is played, or a paper account.

    `token` opens the control API; empty, there is none.  A recording has one
    course only: it can be steered, but not kept, and not begun again.
    """

    world: LivingWorld | Replay | PaperWorld
    clock: SteeredClock
    plan: FaultPlan
    seed: int
    rebuild: Rebuild | None
    token: str = ""


def skewed(clock: Clock, plan: FaultPlan, world_clock: Clock) -> Clock:
    """A clock of the exchange's, off by what the plan says."""
    return lambda: Instant(clock() + plan.clock_skew(world_clock()))


class Life:
    """What makes a served world live: its pulse, and the room from which it is steered."""

    def __init__(self, room: ControlRoom, token: str) -> None:
        self.room = room
        self._token = token

    def join(self, app: web.Application) -> None:
        """Beat while the server runs, and open the door of the control API."""
        app.cleanup_ctx.append(self._beating)
        if self._token:
            control = Control(self.room, self._token)
            app.router.add_route("*", PREFIX + "/{word:.*}", control.handle)

    async def _beating(self, _: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self._beat())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            if self.room.clock.speed:
                self.room.present()


def give_life(living: Living, floor: Floor, streams: StreamHub, new_id: Callable[[], str]) -> Life:
    """Let a world live on its floor: with its faults, and steered from its room."""
    floor.tamper = FillBeforeCancel(floor.exchange, living.plan, new_id)
    streams.deliver = FaultyDelivery(living.plan, living.clock.now)
    if isinstance(living.world, LivingWorld):
        floor.listen(living.world.hear)

    def disconnect() -> None:
        for connection in streams.connections:
            connection.cut()

    return Life(
        ControlRoom(
            floor=floor,
            clock=living.clock,
            plan=living.plan,
            member=living.world.member,
            new_id=new_id,
            world=living.world if isinstance(living.world, LivingWorld) else None,
            rebuild=living.rebuild,
            seed=living.seed,
            disconnect=disconnect,
        ),
        living.token,
    )


class FillBeforeCancel:
    """Lets somebody take part of an order in the moment before it is cancelled.

    Only orders of accounts with a past are taken: traders of the world are not
    what this fault is about.
    """

    def __init__(self, exchange: Exchange, plan: FaultPlan, new_id: Callable[[], str]) -> None:
        self._exchange = exchange
        self._plan = plan
        self._new_id = new_id

    def __call__(self, command: c.Command) -> c.Command | None:
        """What happens just before a command, and is told after it."""
        if not isinstance(command, c.CancelOrder):
            return None
        order = self._resting(command.member, command.order_id)
        if order is None:
            return None
        percent = self._plan.taken_before_cancel(command.at, order.terms.ticker)
        count = order.remaining * percent // 100
        if not count:
            return None
        return c.Trade(
            at=command.at,
            member=command.member,
            order_id=command.order_id,
            trade_id=TradeId(self._new_id()),
            count=Count(count),
            price=order.terms.price,
            is_taker=False,
        )

    def _resting(self, member: c.Member, order_id: OrderId) -> Order | None:
        account = self._exchange.books.accounts.get(member)
        if account is None or not account.history:
            return None
        return account.resting.get(order_id)
