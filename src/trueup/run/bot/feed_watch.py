"""Which of a bot's feeds are lost: told once when it has lasted, and once when it is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from trueup.core.alerts import Alert, AlertKind
from trueup.core.instant import MINUTE, Instant

LOST_AFTER: Final = MINUTE
"""How long a feed may be down before somebody hears of it: streams reconnect by themselves."""


class FeedWatch:
    """Compares one look at the feeds with the looks before."""

    def __init__(self) -> None:
        self._down: dict[str, Instant] = {}
        self._lost: set[str] = set()

    def look(self, shown: Mapping[str, Any], now: Instant) -> Iterator[Alert]:
        """What an operator should hear after this status document of the bot."""
        for each in shown["connections"]:
            name = each["name"]
            if not each["up"]:
                since = self._down.setdefault(name, now)
                if now - since >= LOST_AFTER and name not in self._lost:
                    self._lost.add(name)
                    words = f"{name} is lost: {each['words'] or 'nothing is heard'}"
                    yield Alert(at=now, kind=AlertKind.CONNECTION, words=words, key=_key(name))
                continue
            self._down.pop(name, None)
            if name in self._lost:
                self._lost.discard(name)
                yield Alert(
                    at=now,
                    kind=AlertKind.CONNECTION,
                    words=f"{name} is heard again",
                    key=f"back {name} {now}",
                    ends=_key(name),
                )


def _key(name: str) -> str:
    return f"lost {name}"
