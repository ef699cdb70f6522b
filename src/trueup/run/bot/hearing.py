"""Everything that a bot says, in one place: written down, counted, and passed on.

A strategy may wish for the same at every tick and be refused for the same reason: the
first refusal is a line at once, the next ones are one line a minute with their number.

A decision log that cannot be written stops trading (the machine hears of it as
failed storage); the lines wait in memory and are written once that is possible.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from trueup.core.errors import BooksError, with_remedy
from trueup.core.instant import MINUTE, Instant
from trueup.engine import effects as f
from trueup.run.bot.decision_log import DecisionLog, line_of, wish_words
from trueup.run.bot.tally import Tally
from trueup.run.bot.told_before import ToldBefore

Told = Callable[[f.Decision | f.Alert], None]
"""Hears decisions and alerts.  It must not raise and must not take long."""

Push = Callable[[str, Mapping[str, object]], None]

_WAITING_MAX: Final = 100_000


_SAME_EVERY: Final = MINUTE
_SAME_MAX: Final = 10_000


@dataclass(slots=True)
class _Again:
    """The refusal that was last a line, the newest like it, and how many came since."""

    told: f.Decision
    last: f.Decision
    count: int = 0


class Hearing:
    """Takes what the machine says.

    `failed` hears once when the log cannot be written.  `push` gets each line with its kind.
    Until `recovered` fills and settlements that were told `before` are not told again.
    """

    def __init__(
        self,
        log: DecisionLog,
        tally: Tally,
        *,
        failed: Callable[[str], None],
        before: ToldBefore | None = None,
    ) -> None:
        self.listeners: list[Told] = []
        self.pushes: list[Push] = []
        self._log = log
        self._tally = tally
        self._failed = failed
        self._before = before
        self._waiting: deque[Mapping[str, Any]] = deque(maxlen=_WAITING_MAX)
        self._is_failing = False
        self._again: dict[tuple[object, ...], _Again] = {}

    def __call__(self, told: f.Decision | f.Alert) -> None:
        """Hear one."""
        if isinstance(told, f.Alert) and self._is_of_the_past(told):
            return
        self._tally.count(told)
        line = self._news(told) if isinstance(told, f.Decision) else line_of(told)
        if line is None:
            return
        self._keep("alert" if isinstance(told, f.Alert) else "decision", line)
        for listener in self.listeners:
            listener(told)
        self.write()

    def _is_of_the_past(self, told: f.Alert) -> bool:
        """Whether it is read back at the start; one that nobody heard of is written down."""
        before = self._before
        if before is None or not before.concerns(told):
            return False
        if not before.knows(told):
            self._tally.count(told)
            self._keep("alert", line_of(told))
            self.write()
        return True

    def _keep(self, kind: str, line: Mapping[str, Any]) -> None:
        self._waiting.append(line)
        for push in self.pushes:
            push(kind, line)

    def recovered(self, at: Instant) -> f.Alert | None:
        """What comes from now on is new.  Tells at once what nobody heard of before.

        Returns a line for a screen on what was read back; `None` where nothing was.
        """
        before, self._before = self._before, None
        if before is None:
            return None
        for alert in before.news(at):
            for listener in self.listeners:
                listener(alert)
        return before.summary(at)

    def _news(self, told: f.Decision) -> dict[str, Any] | None:
        """The line of a decision; `None` where the same was refused within the last minute."""
        if told.verdict is not f.Verdict.REFUSED:
            return line_of(told)
        key = (told.strategy, wish_words(told.wish), *(each.code for each in told.refusals))
        known = self._again.get(key)
        if known is not None and told.at - known.told.at < _SAME_EVERY:
            known.count += 1
            known.last = told
            return None
        if len(self._again) >= _SAME_MAX:
            self.finish()
        self._again[key] = _Again(told, told)
        line = line_of(told)
        return line if known is None or not known.count else line | {"repeated": known.count}

    def finish(self) -> None:
        """Write what has been repeated since its last line."""
        for each in self._again.values():
            if each.count:
                self._waiting.append(line_of(each.last) | {"repeated": each.count})
        self._again.clear()
        self.write()

    def write(self) -> None:
        """Write what waits; trouble is told once."""
        try:
            while self._waiting:
                self._log.write(self._waiting[0])
                self._waiting.popleft()
        except BooksError as error:
            if not self._is_failing:
                self._is_failing = True
                self._failed(with_remedy(error))
        else:
            self._is_failing = False
