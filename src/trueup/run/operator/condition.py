"""Whether a running program is well, and if not, why: for /health, the ping and the alerts.

A pure function of the bot's status document and of what surrounds it.  Every
reason begins with a word of its own, so that programs can tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from trueup.core.errors import TrueupError
from trueup.core.instant import MINUTE, SECOND, Instant, format_age, parse_instant

STALE: Final = 20 * SECOND
"""How old the last look at the bot may be: older, and its loop hangs."""
FEED_PATIENCE: Final = 60 * SECOND
"""How long a feed may be down; streams reconnect by themselves."""
STARTING: Final = 2 * MINUTE
"""How long after the start feeds may not have been heard."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Reasons why not all is well (none: it is), and notes that are no reason yet."""

    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_healthy(self) -> bool:
        """Whether all is well."""
        return not self.reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was seen of a bot, and when."""

    at: Instant
    shown: Mapping[str, Any]


def condition_of(looked: Looked | None, now: Instant, *, proof_age_max: int) -> Condition:
    """How the bot is at `now`, by the last look at it."""
    if looked is None:
        return Condition(reasons=("starting: the bot was not seen at work yet",))
    age = now - looked.at
    if age > STALE:
        return Condition(reasons=(f"hanging: the bot's loop has not turned for {format_age(age)}",))
    if not has_begun(looked.shown):
        return Condition(reasons=("starting: the account and the markets are being read",))
    return _at_work(looked, now, proof_age_max)


def _at_work(looked: Looked, now: Instant, proof_age_max: int) -> Condition:
    shown = looked.shown
    reasons: list[str] = []
    notes: list[str] = []
    for each in shown["halts"]:
        whom = each["strategy"] or "all trading"
        reasons.append(f"halted: {whom} ({each['code']}): {each['words']}")
    if shown["sweep"] is not None:
        reasons.append("sweeping: it is not proven yet that nothing rests")
    paused = [each["name"] for each in shown["strategies"] if each["state"] == "paused"]
    if paused:
        notes.append(f"paused: {', '.join(paused)}")
    if shown["unreadable"]:
        notes.append(f"unreadable: orders in {', '.join(shown['unreadable'])}")
    is_starting = looked.at - parse_instant(shown["started_at"]) < STARTING
    for each in shown["connections"]:
        if not each["up"]:
            words = f"feed down: {each['name']}: {each['words'] or 'nothing was heard yet'}"
            is_serious = _down_for(each, now) > FEED_PATIENCE and not is_starting
            (reasons if is_serious else notes).append(words)
    if shown["books"] is None:
        notes.append("books: no proof is made beside this bot")
    else:
        reasons += _books_reasons(shown["books"], now, proof_age_max)
    return Condition(tuple(reasons), tuple(notes))


def has_begun(shown: Mapping[str, Any]) -> bool:
    """Whether the bot has recovered and its feeds run: the first of them was heard."""
    return any(each["heard_at"] is not None for each in shown["connections"])


def proven_at(books: Mapping[str, Any]) -> Instant | None:
    """When the books were last proven, as whoever proves them tells it."""
    for name in ("at", "proven_at", "as_of"):
        text = books.get(name)
        if isinstance(text, str):
            try:
                return parse_instant(text)
            except TrueupError:
                continue
    return None


def _books_reasons(books: Mapping[str, Any], now: Instant, age_max: int) -> list[str]:
    if books.get("trouble"):
        return [f"proof failed: {books['trouble']}"]
    reasons: list[str] = []
    at = proven_at(books)
    if at is not None and now - at > age_max:
        reasons.append(f"proof stale: the books were last proven {format_age(now - at)} ago")
    if books.get("closes") is False:
        words = books.get("verdict") or "they do not agree with the exchange's"
        reasons.append(f"books: {words}")
    return reasons


def _down_for(shown: Mapping[str, Any], now: Instant) -> int:
    """Microseconds since a feed was heard; for ever where it never was."""
    heard = shown["heard_at"]
    return now if heard is None else now - parse_instant(heard)
