"""Getting alerts to a person: a thread with a bounded queue, retries, and an honest count.

`tell` returns at once, whatever the network does: the bot's loop never waits for a
messenger.  The thread asks the policy what is to be sent, sends it to every channel,
and repeats what failed on the retry schedule.  A message that could not be delivered
is told to `trouble` and counted; so is one for which the queue had no room.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Final

import urllib3

from trueup.core.alerting import AlertPolicy, Message
from trueup.core.alerts import Alert, Severity
from trueup.core.instant import MINUTE, SECOND, Instant, format_instant
from trueup.net.alert_targets import Channel
from trueup.net.retry import Chance, RetryPolicy, pause_before_retry
from trueup.net.secret import Secret

QUEUE_MAX: Final = 1_000
RETRIES: Final = RetryPolicy(attempts=6, first=2 * SECOND, ceiling=5 * MINUTE, total=20 * MINUTE)

_IDLE: Final = 3_600
_PING_TIMEOUT: Final = 10


def message_text(message: Message, heading: str) -> tuple[str, str]:
    """The title and the body of a message.  `heading` says which account it is about."""
    title = f"{heading}: {message.kind.value.replace('_', ' ')}"
    if message.severity is Severity.CRITICAL:
        title = f"‼ {title}"
    whose = f"{message.strategy}: " if message.strategy else ""
    return title, f"{whose}{message.words}\n{format_instant(message.at)[:19]}Z"


@dataclass(order=True, slots=True)
class _Delivery:
    """A message on its way to one channel."""

    due: int
    number: int
    attempt: int = field(compare=False)
    began: Instant = field(compare=False)
    channel: Channel = field(compare=False)
    message: Message = field(compare=False)


class AlertDelivery:
    """Delivers alerts until it is closed.  `tell` may be called from any thread."""

    def __init__(
        self,
        channels: Sequence[Channel],
        policy: AlertPolicy,
        *,
        heading: str,
        clock: Callable[[], Instant],
        chance: Chance,
        trouble: Callable[[str], None],
        retries: RetryPolicy = RETRIES,
    ) -> None:
        self.counts: Counter[str] = Counter()
        """Messages ``delivered`` and ``failed`` (per channel), alerts ``dropped``, ``retried``."""
        self._channels = tuple(channels)
        self._policy = policy
        self._heading = heading
        self._clock = clock
        self._chance = chance
        self._trouble = trouble
        self._retries = retries
        self._queue: Queue[Alert | None] = Queue(QUEUE_MAX)
        self._waiting: list[_Delivery] = []
        self._numbers = count()
        self._ended = Event()
        self._patience = 0
        self._thread = Thread(target=self._run, name="trueup-alerts", daemon=True)
        self._thread.start()

    @property
    def decided(self) -> Counter[str]:
        """What the policy did with the alerts: sent, muted, repeated, held."""
        return self._policy.counts

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the channels."""
        return tuple(each.name for each in self._channels)

    def tell(self, alert: Alert) -> None:
        """Hand over an alert; returns at once."""
        try:
            self._queue.put_nowait(alert)
        except Full:
            self.counts["dropped"] += 1

    def close(self, patience_seconds: int = 10) -> None:
        """Send what waits, each once more, and end; gives up after the patience."""
        self._patience = patience_seconds
        try:
            self._queue.put(None, timeout=patience_seconds)
        except Full:
            self.counts["dropped"] += 1
        self._thread.join(patience_seconds)
        if self._thread.is_alive():
            self._trouble("alerts were still under way when the program ended")

    # -- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            try:
                alert = self._queue.get(timeout=self._pause())
            except Empty:
                pass
            else:
                if alert is None:
                    break
                self._enqueue(self._policy.hear(alert))
            self._enqueue(self._policy.due(self._clock()))
            self._deliver_due()
        self._enqueue(self._policy.rest(self._clock()))
        while self._waiting:
            self._attempt(heappop(self._waiting), is_last=True)
        if self.counts["dropped"]:
            self._trouble(f"{self.counts['dropped']} alerts found no room and were dropped")

    def _pause(self) -> float:
        """Seconds until something is due."""
        moments = [self._waiting[0].due] if self._waiting else []
        wake = self._policy.wake_at()
        if wake is not None:
            moments.append(wake)
        if not moments:
            return _IDLE
        return min(_IDLE, max(0, min(moments) - self._clock()) / SECOND)

    def _enqueue(self, messages: Sequence[Message]) -> None:
        now = self._clock()
        for message in messages:
            for channel in self._channels:
                number = next(self._numbers)
                heappush(self._waiting, _Delivery(now, number, 1, now, channel, message))

    def _deliver_due(self) -> None:
        while self._waiting and self._waiting[0].due <= self._clock():
            self._attempt(heappop(self._waiting))

    def _attempt(self, delivery: _Delivery, *, is_last: bool = False) -> None:
        title, body = message_text(delivery.message, self._heading)
        failure = delivery.channel.deliver(title, body, delivery.message.severity)
        if not failure:
            self.counts["delivered"] += 1
            return
        now = self._clock()
        pause = pause_before_retry(
            self._retries, delivery.attempt, now - delivery.began, chance=self._chance
        )
        if is_last or pause is None:
            self.counts["failed"] += 1
            self._trouble(
                f"an alert could not be delivered to {delivery.channel.name}: {failure} "
                f"(it said: {delivery.message.words})"
            )
            return
        self.counts["retried"] += 1
        delivery.attempt += 1
        delivery.due = now + pause
        heappush(self._waiting, delivery)


class DeadmanPing:
    """Tells an outside watcher every few minutes that all is well; silence is the alarm.

    `unwell` gives the reason why all is not well (empty: it is).  Then no ping is sent,
    and the outside service raises the alarm, as it does when this machine is dead.
    """

    def __init__(
        self,
        address: Secret,
        *,
        every_seconds: int,
        unwell: Callable[[], str],
        trouble: Callable[[str], None],
    ) -> None:
        self.counts: Counter[str] = Counter()
        """Pings ``sent``, ``failed`` and ``withheld``."""
        self._address = address
        self._every = every_seconds
        self._unwell = unwell
        self._trouble = trouble
        self._ended = Event()
        self._last = ""
        self._pool = urllib3.PoolManager(
            num_pools=1, retries=False, timeout=urllib3.Timeout(total=_PING_TIMEOUT)
        )
        self._thread = Thread(target=self._run, name="trueup-ping", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; the outside service will notice unless it is told to rest."""
        self._ended.set()
        self._thread.join(_PING_TIMEOUT + 1)
        self._pool.clear()

    def _run(self) -> None:
        while True:
            reason = self._unwell()
            failure = "" if reason else ping(self._pool, self._address)
            self.counts["withheld" if reason else "failed" if failure else "sent"] += 1
            words = f"no ping, since all is not well: {reason}" if reason else failure
            if words and words != self._last:
                self._trouble(words)
            self._last = words
            if self._ended.wait(self._every):
                return


def ping(pool: urllib3.PoolManager, address: Secret) -> str:
    """Call the address once.  Returns why that failed; empty when it did not."""
    try:
        answer = pool.request("GET", address.reveal().decode(), redirect=False)
    except (urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
        # Its text would name the address, which is a secret.
        return f"the dead-man's switch could not be reached ({type(error).__name__})"
    if answer.status >= 400:  # noqa: PLR2004  # HTTP's own line between yes and no
        return f"the dead-man's switch answered {answer.status}"
    return ""
