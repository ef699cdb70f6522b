"""Everything that a bot says, in one place: written down, counted, and passed on.

A decision log that cannot be written stops trading (the machine hears of it as
failed storage); the lines wait in memory and are written once that is possible.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from trueup.core.errors import BooksError
from trueup.engine import effects as f
from trueup.run.bot_tally import Tally
from trueup.run.decision_log import DecisionLog, line_of

Told = Callable[[f.Decision | f.Alert], None]
"""Hears decisions and alerts.  It must not raise and must not take long."""

Push = Callable[[str, Mapping[str, object]], None]

_WAITING_MAX: Final = 100_000


class Hearing:
    """Takes what the machine says.

    `failed` hears once when the log cannot be written.  `push` gets each line with its kind.
    """

    def __init__(self, log: DecisionLog, tally: Tally, *, failed: Callable[[str], None]) -> None:
        self.listeners: list[Told] = []
        self.pushes: list[Push] = []
        self._log = log
        self._tally = tally
        self._failed = failed
        self._waiting: deque[Mapping[str, Any]] = deque(maxlen=_WAITING_MAX)
        self._is_failing = False

    def __call__(self, told: f.Decision | f.Alert) -> None:
        """Hear one."""
        self._tally.count(told)
        line = line_of(told)
        self._waiting.append(line)
        kind = "alert" if isinstance(told, f.Alert) else "decision"
        for push in self.pushes:
            push(kind, line)
        for listener in self.listeners:
            listener(told)
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
                self._failed(str(error))
        else:
            self._is_failing = False
