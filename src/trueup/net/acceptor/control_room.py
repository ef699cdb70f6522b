"""What can be done to a running sandbox from outside: the words of the control API.

A `ControlRoom` holds the strings: the floor, the clock, the faults, the kept
moments.  Each word of the API (`control.py` carries them over HTTP) is a small
body and a function that returns what is answered.  Everything that happens to
the exchange happens through its own commands, at the world's present, after the
world has caught up with it.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from trueup.core.errors import CallerError, NotFound
from trueup.core.facts import BankingStatus
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, Shard, Ticker
from trueup.core.instant import MINUTE, Instant
from trueup.core.units import ZERO_MONEY, Money
from trueup.net.acceptor.floor import Floor
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.faults import FaultPlan
from trueup.sim.lifecycle import MarketState
from trueup.sim.living.world import HOUSE_MONEY, SHARDS, LivingWorld

SLICE: Final = 2 * MINUTE
"""How much of the world's time passes before others get their turn."""

VISITORS: Final = (c.Member("visitor-1"), c.Member("visitor-2"))
"""Who trades and quotes when the control API asks for it."""


class SteeredClock(Protocol):
    """The world's clock, which can be moved."""

    @property
    def speed(self) -> int:
        """How many times faster than the machine; 0 is stepped."""
        ...

    def now(self) -> Instant:
        """The world's present."""
        ...

    def advance(self, microseconds: int) -> Instant:
        """Let time pass; returns the new present."""
        ...

    def set_speed(self, speed: int) -> None:
        """Go on at another speed."""
        ...

    def rewind(self, to: Instant) -> None:
        """Show an earlier time."""
        ...


Rebuild = Callable[[int], LivingWorld]
"""Makes the same world again, from this seed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A moment that can be returned to."""

    at: Instant
    content: bytes


@dataclass(kw_only=True)
class ControlRoom:
    """The strings of a running sandbox.  For the server's own thread only.

    `world` is `None` where the exchange has no world around it; then it cannot be
    kept or reset.  `disconnect` cuts all streams: after a change of the past
    nobody's books are true any more.
    """

    floor: Floor
    clock: SteeredClock
    plan: FaultPlan
    member: c.Member
    new_id: Callable[[], str]
    world: LivingWorld | None = None
    rebuild: Rebuild | None = None
    seed: int = 0
    disconnect: Callable[[], None] = lambda: None
    kept: dict[str, Kept] = field(default_factory=dict[str, Kept])

    # -- time ------------------------------------------------------------------------------

    def present(self) -> Instant:
        """The world's present, with everything done that was due until then."""
        at = self.floor.time_for(self.clock.now())
        self.floor.catch_up(at)
        return at

    async def advance(self, microseconds: int, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass in slices, until a condition holds; returns whether it does."""
        target = Instant(self.present() + microseconds)
        while not until():
            left = target - self.clock.now()
            if left <= 0:
                return False
            self.clock.advance(min(SLICE, left))
            self.present()
            await asyncio.sleep(0)
        return True

    # -- commands --------------------------------------------------------------------------

    def do(self, *commands: c.Command) -> tuple[e.Event, ...]:
        """Carry commands out; `CallerError` for the first that the exchange refuses."""
        done: list[e.Event] = []
        for command in commands:
            for event in self.floor.step(command):
                if isinstance(event, e.Refused) and event.command is command:
                    what = type(command).__name__
                    detail = f" ({event.detail})" if event.detail else ""
                    raise CallerError(f"the exchange refused {what}: {event.reason}{detail}")
                done.append(event)
        return tuple(done)

    def market(self, ticker: str) -> MarketState:
        """A market by its ticker; `NotFound` for one that does not exist."""
        state = self.floor.exchange.books.listings.markets.get(Ticker(ticker))
        if state is None:
            raise NotFound(f"there is no market {ticker!r}", status=404)
        return state

    def owner(self, member: str) -> c.Member:
        """A member by name, the user's own by default; `NotFound` for a stranger."""
        named = c.Member(member) if member else self.member
        if named not in self.floor.exchange.books.accounts:
            raise NotFound(f"there is no member {member!r}", status=404)
        return named

    def deposit(self, member: c.Member, amount: Money, shard: Shard) -> str:
        """Bring money in, at once, and to the shard where it is wanted."""
        at, banking_id = self.present(), self.new_id()
        commands: list[c.Command] = [
            c.Deposit(
                at=at,
                member=member,
                banking_id=banking_id,
                amount=amount,
                fee=ZERO_MONEY,
                method="ach",
            ),
            c.ConcludeBanking(
                at=at, member=member, banking_id=banking_id, status=BankingStatus.APPLIED
            ),
        ]
        if shard != SHARD_ZERO:
            transfer_id = self.new_id()
            commands += [
                c.TransferShard(
                    at=at,
                    member=member,
                    transfer_id=transfer_id,
                    amount=amount,
                    subaccount=PRIMARY,
                    from_shard=SHARD_ZERO,
                    to_shard=shard,
                ),
                c.ConcludeTransfer(at=at, member=member, transfer_id=transfer_id),
            ]
        self.do(*commands)
        return banking_id

    def visitors(self) -> tuple[c.Member, c.Member]:
        """Two members with plenty of money, admitted when first needed."""
        at = self.present()
        for member in VISITORS:
            if member in self.floor.exchange.books.accounts:
                continue
            self.do(
                c.OpenAccount(at=at, member=member, precision=Precision.DIRECT, history=False),
                *(
                    c.Credit(
                        at=at,
                        member=member,
                        subaccount=PRIMARY,
                        shard=shard,
                        amount=HOUSE_MONEY,
                        reason="a visitor's money",
                    )
                    for shard in SHARDS
                ),
            )
        return VISITORS

    # -- the past --------------------------------------------------------------------------

    def keep(self, name: str) -> Kept:
        """Keep the present under a name."""
        at = self.present()
        content = pickle.dumps(self._living(), pickle.HIGHEST_PROTOCOL)
        self.kept[name] = kept = Kept(at, content)
        return kept

    def restore(self, name: str) -> Kept:
        """Return to a moment that was kept."""
        kept = self.kept.get(name)
        if kept is None:
            known = ", ".join(sorted(self.kept)) or "none"
            raise NotFound(f"no moment {name!r} was kept; kept are: {known}", status=404)
        # What is read here was written by `keep`, in this process.
        world = pickle.loads(kept.content)  # noqa: S301
        self._become(world, kept.at)
        return kept

    def reset(self, seed: int) -> None:
        """Begin again, as a world of this seed begins."""
        if self.rebuild is None:
            raise CallerError("this sandbox cannot begin again: it serves no world of its own")
        world = self.rebuild(seed)
        self.seed = seed
        self._become(world, world.opening.start)

    def _living(self) -> LivingWorld:
        if self.world is None:
            raise CallerError("this sandbox serves no world that could be kept")
        return self.world

    def _become(self, world: LivingWorld, at: Instant) -> None:
        self._living().become(world)
        self.clock.rewind(at)
        self.disconnect()
