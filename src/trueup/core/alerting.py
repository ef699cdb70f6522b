"""Which alerts reach a person, and when: muted, repeated, too many, or collected.

A phone that rings for every fill is switched off, and then it does not ring for
the halt.  So:

- a kind can be muted, and fills can be collected into one message;
- the same trouble told again within `repeat_after` is counted, not sent; when the
  time is over one message says how often it came;
- an alert that `ends` a trouble makes the next one of that trouble new again;
- after a `burst`, one message a `pause` goes out.  What was held back is summed
  up in one message.  Critical alerts have an allowance of their own, so that no
  flood of lesser ones can hold them back.

`AlertPolicy` is a machine without hands: give it alerts with `hear`, ask it with
`due` when `wake_at` has come, and send the messages it returns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from trueup.core.alerts import Alert, AlertKind, Severity
from trueup.core.instant import HOUR, MINUTE, SECOND, Instant, format_instant
from trueup.core.limits import Bucket

_TROUBLES_MAX: Final = 1_000
"""How many different troubles are remembered; the oldest is forgotten first."""
_LISTED_MAX: Final = 10
"""How many lines a collected message shows."""


class FillNews(StrEnum):
    """How fills are told."""

    EACH = "each"
    DIGEST = "digest"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRules:
    """What an operator wants to hear.  Times in microseconds."""

    least: Severity = Severity.INFO
    muted: frozenset[AlertKind] = frozenset()
    fills: FillNews = FillNews.EACH
    digest: int = 15 * MINUTE
    repeat_after: int = HOUR
    burst: int = 10
    pause: int = MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent to a person: `count` alerts in one."""

    at: Instant
    kind: AlertKind
    severity: Severity
    words: str
    strategy: str = ""
    count: int = 1


@dataclass(slots=True)
class _Trouble:
    """Something that was told, and how often it came again since."""

    alert: Alert
    told_at: Instant
    again: int = 0


@dataclass(slots=True)
class _Held:
    """What was held back by the rate limit."""

    kinds: Counter[AlertKind] = field(default_factory=Counter[AlertKind])
    last: Alert | None = None


class AlertPolicy:
    """Decides over alerts by the rules.  Reads no clock and sends nothing."""

    def __init__(self, rules: AlertRules, at: Instant) -> None:
        self.rules = rules
        self.counts: Counter[str] = Counter()
        """How many alerts were ``sent`` on, ``muted``, ``repeated`` or ``held`` back."""
        # A token is a second of the pause, so that whole tokens can be slower than one a second.
        self._cost = max(1, rules.pause // SECOND)
        self._buckets = {
            grave: Bucket.full(self._cost * max(1, rules.burst), 1, at) for grave in (False, True)
        }
        self._held = {False: _Held(), True: _Held()}
        self._troubles: dict[tuple[str, str, str], _Trouble] = {}
        self._fills: list[Alert] = []

    def hear(self, alert: Alert) -> list[Message]:
        """What is to be sent now because of this alert."""
        if alert.ends:
            self._forget(alert.ends)
        if self._is_muted(alert):
            self.counts["muted"] += 1
            return []
        if alert.kind is AlertKind.FILL and self.rules.fills is FillNews.DIGEST:
            self._fills.append(alert)
            return []
        known = self._troubles.get(alert.identity)
        if known is not None and alert.at - known.told_at < self.rules.repeat_after:
            known.again += 1
            known.alert = alert
            self.counts["repeated"] += 1
            return []
        again = 0 if known is None else known.again
        self._remember(alert)
        return self._send(_message(alert, again, again + 1), alert, alert.at)

    def due(self, now: Instant) -> list[Message]:
        """What time brings: repetitions counted, fills collected, summaries of what was held."""
        out: list[Message] = []
        for identity, trouble in list(self._troubles.items()):
            if now - trouble.told_at < self.rules.repeat_after:
                continue
            del self._troubles[identity]
            if trouble.again:
                self._remember(trouble.alert, at=now)
                out += self._send(
                    _message(trouble.alert, trouble.again, trouble.again), trouble.alert, now
                )
        if self._fills and now - self._fills[0].at >= self.rules.digest:
            out.append(self._digest(now))
        for grave, held in self._held.items():
            if held.last is not None and not self._buckets[grave].wait_for(self._cost, now):
                self._buckets[grave] = self._buckets[grave].take(self._cost, now)
                out.append(_summary(held, now))
                self._held[grave] = _Held()
        return out

    def wake_at(self) -> Instant | None:
        """When `due` may have something to send; `None` while nothing waits."""
        moments = [
            trouble.told_at + self.rules.repeat_after
            for trouble in self._troubles.values()
            if trouble.again
        ]
        if self._fills:
            moments.append(self._fills[0].at + self.rules.digest)
        for grave, held in self._held.items():
            if held.last is not None:
                bucket = self._buckets[grave]
                moments.append(bucket.at + bucket.wait_for(self._cost, bucket.at))
        return Instant(min(moments)) if moments else None

    def rest(self, now: Instant) -> list[Message]:
        """Everything that still waits, for the end of a run: limits do not matter any more."""
        out = [self._digest(now)] if self._fills else []
        for trouble in self._troubles.values():
            if trouble.again:
                out.append(_message(trouble.alert, trouble.again, trouble.again))
                trouble.again = 0
        for grave, held in self._held.items():
            if held.last is not None:
                out.append(_summary(held, now))
                self._held[grave] = _Held()
        return out

    def _is_muted(self, alert: Alert) -> bool:
        if alert.kind is AlertKind.TEST:
            return False
        rules = self.rules
        is_silent_fill = alert.kind is AlertKind.FILL and rules.fills is FillNews.OFF
        return is_silent_fill or alert.kind in rules.muted or alert.severity < rules.least

    def _forget(self, key: str) -> None:
        for identity in [each for each in self._troubles if each[2] == key]:
            del self._troubles[identity]

    def _remember(self, alert: Alert, *, at: Instant | None = None) -> None:
        if len(self._troubles) >= _TROUBLES_MAX:
            del self._troubles[next(iter(self._troubles))]
        self._troubles[alert.identity] = _Trouble(alert, alert.at if at is None else at)

    def _send(self, message: Message, alert: Alert, now: Instant) -> list[Message]:
        grave = alert.severity is Severity.CRITICAL
        bucket = self._buckets[grave]
        if alert.kind is not AlertKind.TEST:
            if bucket.wait_for(self._cost, now):
                self._held[grave].kinds[alert.kind] += message.count
                self._held[grave].last = alert
                self.counts["held"] += 1
                return []
            self._buckets[grave] = bucket.take(self._cost, now)
        self.counts["sent"] += 1
        return [message]

    def _digest(self, now: Instant) -> Message:
        fills, self._fills = self._fills, []
        shown = [f"{format_instant(each.at)[11:19]} {_line(each)}" for each in fills[-_LISTED_MAX:]]
        more = len(fills) - len(shown)
        lines = ([f"… and {more} before these"] if more else []) + shown
        self.counts["sent"] += len(fills)
        return Message(
            at=now,
            kind=AlertKind.FILL,
            severity=Severity.INFO,
            words="\n".join([f"{len(fills)} fills", *lines]),
            count=len(fills),
        )


def _line(alert: Alert) -> str:
    return f"{alert.strategy}: {alert.words}" if alert.strategy else alert.words


def _message(alert: Alert, again: int, count: int) -> Message:
    words = f"{alert.words} (again, {again} times)" if again else alert.words
    return Message(
        at=alert.at,
        kind=alert.kind,
        severity=alert.severity,
        words=words,
        strategy=alert.strategy,
        count=count,
    )


def _summary(held: _Held, now: Instant) -> Message:
    last = held.last
    assert last is not None  # noqa: S101  # only what was held back is summed up
    total = held.kinds.total()
    return Message(
        at=now,
        kind=last.kind,
        severity=last.severity,
        words=f"{total} more alerts were held back: {_counted(held.kinds)}. The last: {_line(last)}",
        count=total,
    )


def _counted(kinds: Mapping[AlertKind, int]) -> str:
    return ", ".join(f"{number} {kind.value}" for kind, number in sorted(kinds.items()))
