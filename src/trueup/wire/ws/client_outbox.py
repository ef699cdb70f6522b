"""The commands of a client: which are due, and what an answer refers to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from trueup.core.ids import Ticker
from trueup.core.instant import SECOND, Instant
from trueup.wire.ws.channels import Channel
from trueup.wire.ws.client_subscription import Doing, Pending, Subscription
from trueup.wire.ws.commands import (
    Action,
    ListSubscriptions,
    Sent,
    UpdateParams,
    UpdateSubscription,
    encode_command,
)

_REMEMBERED_MAX: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTimes:
    """How long to wait, in microseconds.

    For the answer to a command, and how often it is sent; for a snapshot that was
    asked for; between two requests for snapshots; before a lost subscription is
    made again.
    """

    answer: int = 10 * SECOND
    attempts: int = 3
    snapshot: int = 5 * SECOND
    between_snapshots: int = SECOND // 4
    resubscribe: int = SECOND


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command was about; an error names nothing but the command."""

    channel: Channel
    names: tuple[str, ...]
    sid: int
    doing: Doing | None = None
    is_snapshot: bool = False


class Outbox:
    """Commands that are to be sent, and the last ones that were."""

    def __init__(self, times: ClientTimes) -> None:
        self.is_open = False
        self._times = times
        self._last_id = 0
        self._texts: list[bytes] = []
        self._asked: dict[int, Asked] = {}

    def open(self) -> None:
        """A new connection: ids start over."""
        self.close()
        self.is_open = True

    def close(self) -> None:
        """The connection is gone, and what was not sent with it."""
        self.is_open = False
        self._last_id = 0
        self._texts.clear()
        self._asked.clear()

    def drain(self) -> list[bytes]:
        """What is to be sent now, in order."""
        if not self._texts:
            return []
        texts, self._texts = self._texts, []
        return texts

    def asked(self, command_id: object) -> Asked | None:
        """What the command with this id was about."""
        return self._asked.get(command_id) if isinstance(command_id, int) else None

    def go_on(self, subscription: Subscription, now: Instant) -> None:
        """Say the next thing that brings the exchange to what is wanted."""
        is_waiting = subscription.pending is not None or now < subscription.retry_at
        if not self.is_open or is_waiting:
            return
        step = subscription.next_step()
        if step is not None:
            doing, names = step
            command = subscription.command(self._last_id + 1, doing, names)
            subscription.pending = Pending(self._last_id + 1, doing, names, now)
            self._say(command, Asked(subscription.channel, names or (), subscription.sid, doing))

    def ask_snapshots(
        self, subscription: Subscription, tickers: Sequence[Ticker], now: Instant
    ) -> None:
        """Ask for books, but not for every message of a burst of losses."""
        if not tickers or not subscription.sid:
            return
        soon = subscription.snapshots_asked_at + self._times.between_snapshots
        if now < soon:
            # The next tick after `soon` finds that the answer is overdue.
            subscription.snapshots_asked_at = Instant(soon - self._times.snapshot)
            return
        subscription.snapshots_asked_at = now
        names = tuple(map(str, tickers))
        params = UpdateParams(
            sids=(subscription.sid,), action=Action.GET_SNAPSHOT, market_tickers=names
        )
        self._say(
            UpdateSubscription(self._last_id + 1, params),
            Asked(subscription.channel, names, subscription.sid, is_snapshot=True),
        )

    def ask_names(self, subscription: Subscription) -> None:
        """Ask which indices or underlyings a channel has."""
        is_pyth = subscription.channel is Channel.PYTH
        action = Action.LIST_UNDERLYINGS if is_pyth else Action.LIST_INDICES
        params = UpdateParams(sids=(subscription.sid,), action=action)
        self._say(
            UpdateSubscription(self._last_id + 1, params),
            Asked(subscription.channel, (), subscription.sid),
        )

    def ask_subscriptions(self) -> None:
        """Ask what the exchange thinks is subscribed to."""
        self._say(ListSubscriptions(self._last_id + 1), None)

    def _say(self, command: Sent, asked: Asked | None) -> None:
        self._last_id += 1
        self._texts.append(encode_command(command))
        if asked is not None:
            self._asked[self._last_id] = asked
            if len(self._asked) > _REMEMBERED_MAX:
                del self._asked[next(iter(self._asked))]
