"""The machine's effects as calls to the exchange, and the answers as its inputs.

Every write goes out once.  What came back as an error is told apart by what it
proves: a refusal proves that nothing happened, anything else proves nothing.
"""

from __future__ import annotations

from typing import Final, TypeVar, assert_never

from trueup.core.errors import (
    CallerError,
    ExchangeRefused,
    NotAuthorized,
    OutcomeUnknown,
    TrueupError,
)
from trueup.core.facts import OrderReported
from trueup.core.ids import OrderGroupId, Subaccount
from trueup.core.instant import SECOND, Instant
from trueup.core.order_entry import Amendment, Cancellation, NewOrder, OrderQuestion
from trueup.core.orders import OrderStatus, TimeInForce
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.inflight import Intent
from trueup.engine.wishes import Style
from trueup.net.client import AsyncClient
from trueup.net.order_roads import OrderRoad
from trueup.run.clock import Clock

T = TypeVar("T")

_UNAUTHORIZED: Final = 401

Called = f.Place | f.Cancel | f.Amend | f.Sweep | f.Ask | f.ReadResting
"""The effects that are calls."""


class Calls:
    """Carries effects out over one client.  `answer` never raises what the exchange did.

    Orders take `road`; what is read is read by REST.
    """

    def __init__(self, client: AsyncClient, road: OrderRoad, clock: Clock) -> None:
        self._client = client
        self._road = road
        self._clock = clock

    async def answer(self, effect: Called) -> tuple[i.Input, ...]:
        """Carry one effect out; the inputs that tell the machine how it went."""
        try:
            given = await self._do(effect)
        except ExchangeRefused as error:
            refused = i.Refused(code=error.code or str(error.status), words=str(error))
            told = (self._succeeded(), *self._ended(effect, refused))
            if is_key_refused(error):
                return (i.KeyRefused(at=self._clock.now(), words=str(error)), *told)
            return told
        except CallerError as error:
            refused = i.Refused(code="caller", words=str(error))
            return tuple(self._ended(effect, refused))
        except (OutcomeUnknown, TrueupError) as error:
            failed = i.CallEnded(at=self._clock.now(), ok=False, words=str(error))
            return (failed, *self._ended(effect, i.Unknown(words=str(error))))
        return (self._succeeded(), given)

    def _succeeded(self) -> i.CallEnded:
        # A refusal is an answer, too: the exchange is there.
        return i.CallEnded(at=self._clock.now(), ok=True)

    async def _do(self, effect: Called) -> i.Input:
        match effect:
            case f.Place():
                return await self._place(effect)
            case f.Cancel():
                return await self._cancel(effect)
            case f.Amend():
                return await self._amend(effect)
            case f.Sweep():
                await self._road.cancel_all(effect.subaccounts)
                return i.SweepEnded(at=self._clock.now(), done=True)
            case f.Ask():
                return await self._ask(effect)
            case f.ReadResting():
                as_of = await self._as_of()
                resting = await self.resting(effect.subaccounts)
                return i.RestingRead(at=self._clock.now(), resting=resting, as_of=as_of)
            case _:
                assert_never(effect)

    async def _place(self, effect: f.Place) -> i.Input:
        placed = await self._road.create(new_order(effect.intent))
        accepted = i.Accepted(
            order_id=placed.order_id,
            fill_count=placed.fill_count,
            remaining_count=placed.remaining_count,
        )
        name = effect.intent.client_order_id
        return i.SendEnded(at=self._clock.now(), client_order_id=name, outcome=accepted)

    async def _cancel(self, effect: f.Cancel) -> i.Input:
        canceled = await self._road.cancel(
            Cancellation(
                order_id=effect.order_id,
                ticker=effect.ticker,
                subaccount=effect.subaccount,
                shard=effect.shard,
            )
        )
        if effect.client_order_id is None:
            return i.CallEnded(at=self._clock.now(), ok=True)
        return i.CancelEnded(
            at=self._clock.now(),
            client_order_id=effect.client_order_id,
            outcome=i.Canceled(reduced_by=canceled.reduced_by),
        )

    async def _amend(self, effect: f.Amend) -> i.Input:
        amended = await self._road.amend(
            Amendment(
                order_id=effect.order_id,
                ticker=effect.ticker,
                side=effect.side,
                price=effect.price,
                count=effect.total,
                expires_at=whole_seconds(effect.expires_at),
                subaccount=effect.subaccount,
                shard=effect.shard,
            )
        )
        outcome = i.Amended(
            fill_count=amended.fill_count,
            remaining_count=amended.remaining_count,
            told_at=amended.at,
        )
        return i.AmendEnded(
            at=self._clock.now(), client_order_id=effect.client_order_id, outcome=outcome
        )

    async def _ask(self, effect: f.Ask) -> i.Input:
        # The time first: the list that is read after it is at least as current.
        as_of = await self._as_of()
        question = OrderQuestion(
            sent_at=effect.since,
            lost_at=self._clock.now(),
            client_order_id=effect.client_order_id,
            order_id=effect.order_id,
            ticker=effect.ticker,
            subaccount=effect.subaccount,
        )
        found = await self._client.orders.find(question)
        return i.Asked(
            at=self._clock.now(),
            client_order_id=effect.client_order_id,
            found=found,
            as_of=as_of,
        )

    async def resting(self, subaccounts: tuple[Subaccount, ...]) -> tuple[OrderReported, ...]:
        """Everything that rests on these subaccounts, on every shard."""
        found: list[OrderReported] = []
        for subaccount in subaccounts:
            listing = self._client.orders.list(status=OrderStatus.RESTING, subaccount=subaccount)
            found.extend([each.reported async for each in listing])
        return tuple(found)

    async def _as_of(self) -> Instant:
        """How current the exchange's lists are, by our own clock."""
        told = await self._client.exchange.user_data_timestamp()
        skew = self._client.skew
        # Ours minus theirs is at least `low`: an absence must not be believed too early.
        return told if skew is None else Instant(told + skew.low)

    def _ended(self, effect: Called, outcome: i.Refused | i.Unknown) -> tuple[i.Input, ...]:
        """What an answer without a result means for an effect."""
        at = self._clock.now()
        match effect:
            case f.Place(intent=intent):
                name = intent.client_order_id
                return (i.SendEnded(at=at, client_order_id=name, outcome=outcome),)
            case f.Cancel(client_order_id=name):
                if name is None:
                    return ()
                return (i.CancelEnded(at=at, client_order_id=name, outcome=outcome),)
            case f.Amend(client_order_id=name):
                return (i.AmendEnded(at=at, client_order_id=name, outcome=outcome),)
            case f.Sweep():
                return (i.SweepEnded(at=at, done=False, words=outcome.words),)
            case f.Ask() | f.ReadResting():
                # Nothing was learnt; the driver asks again.
                return ()
            case _:
                assert_never(effect)


def is_key_refused(error: Exception) -> bool:
    """Whether the exchange does not know who asks: a revoked key, a wrong signature or clock."""
    return isinstance(error, NotAuthorized) and error.status == _UNAUTHORIZED


def new_order(intent: Intent) -> NewOrder:
    """An intent in the words of order entry."""
    takes = intent.style is Style.TAKE
    return NewOrder(
        ticker=intent.ticker,
        side=intent.side,
        count=intent.count,
        price=intent.limit,
        client_order_id=intent.client_order_id,
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL if takes else TimeInForce.GOOD_TILL_CANCELED,
        expires_at=whole_seconds(intent.expires_at),
        post_only=intent.style is Style.POST,
        reduce_only=intent.only_reduce and takes,
        cancel_on_pause=not takes,
        group_id=OrderGroupId(intent.order_group) if intent.order_group else None,
        subaccount=intent.subaccount,
        shard=intent.shard,
    )


def whole_seconds(at: Instant | None) -> Instant | None:
    """An expiry as the exchange takes it: in whole seconds, never later than meant."""
    return None if at is None else Instant(at // SECOND * SECOND)
