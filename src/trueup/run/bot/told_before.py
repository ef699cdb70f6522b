"""What earlier runs of a bot have told: every start reads it back, and nobody hears it again.

Starting is recovering: the fills and settlements of months come to the machine once more, and
it tells each of them as it tells a new one.  The decision log knows which were told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from trueup.core.alerts import Alert, AlertKind
from trueup.core.errors import BooksError
from trueup.core.instant import Instant, format_instant
from trueup.run.bot.decision_log import Line

_KINDS: Final[tuple[AlertKind, ...]] = (AlertKind.FILL, AlertKind.SETTLEMENT)
_MARKS: Final = tuple(f'"alert":"{kind}"'.encode() for kind in _KINDS)
_SECOND: Final = len("2026-10-06T16:00:00")


class ToldBefore:
    """Which fills and settlements were told, from the lines of a decision log.

    `read_back` counts those that came again, `missed` are those that nobody was told of:
    they happened while no bot ran.
    """

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self.read_back: dict[AlertKind, int] = dict.fromkeys(_KINDS, 0)
        self.missed: list[Alert] = []
        self._fills: set[str] = set()
        self._settlements: set[tuple[str, str]] = set()
        self._until = ""
        for line in lines:
            if line["alert"] == AlertKind.SETTLEMENT:
                self._settlements.add((line["strategy"], line["words"]))
            elif "key" in line:
                self._fills.add(line["key"])
            else:
                # Lines of older versions do not say which fill they are: their time has to do.
                self._until = max(self._until, line["at"][:_SECOND])

    def concerns(self, alert: Alert) -> bool:
        """Whether it is of the kind that comes again."""
        return alert.kind in _KINDS

    def knows(self, alert: Alert) -> bool:
        """Whether this one was told; either way it is counted."""
        if alert.kind is AlertKind.SETTLEMENT:
            was_told = (alert.strategy, alert.words) in self._settlements
        else:
            at = format_instant(alert.at)[:_SECOND]
            was_told = alert.key in self._fills or at <= self._until
        if was_told:
            self.read_back[alert.kind] += 1
        else:
            self.missed.append(alert)
        return was_told

    def news(self, at: Instant) -> Iterator[Alert]:
        """What nobody was told of, in one alert for each kind."""
        for kind in _KINDS:
            missed = [each for each in self.missed if each.kind is kind]
            if len(missed) == 1:
                yield replace(missed[0], words=f"{missed[0].words} (before this start)")
            elif missed:
                last = f"{missed[-1].strategy}: {missed[-1].words}"
                words = f"{len(missed)} {kind}s before this start; the last: {last}"
                yield Alert(at=at, kind=kind, words=words, key=f"before {at}")

    def summary(self, at: Instant) -> Alert | None:
        """One line for a screen on what came again; `None` where nothing did."""
        counted = [(kind, number) for kind, number in self.read_back.items() if number]
        if not counted:
            return None
        parts = [f"{number} {kind}{'' if number == 1 else 's'}" for kind, number in counted]
        words = f"read back: {', '.join(parts)} of earlier runs"
        return Alert(at=at, kind=counted[0][0], words=words)


def told_before(path: Path) -> ToldBefore:
    """What the decision log at this path says.  Raises `BooksError` when it cannot be read."""
    try:
        with path.open("rb") as file:
            return ToldBefore(_lines(file, _MARKS))
    except FileNotFoundError:
        return ToldBefore()
    except OSError as error:
        raise BooksError(f"the decision log {path} cannot be read: {error.strerror}") from error


def _lines(file: Iterable[bytes], marks: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    """The lines that hold a mark; the others, by far the most, are not even decoded."""
    for content in file:
        if not any(mark in content for mark in marks):
            continue
        try:
            line: object = msgspec.json.decode(content)
        except msgspec.MsgspecError:
            continue
        if isinstance(line, dict) and {"alert", "at", "strategy", "words"} <= line.keys():
            yield cast("dict[str, Any]", line)
