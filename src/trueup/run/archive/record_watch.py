"""What a recorder tells its operator: that nothing is written any more, and why."""

from __future__ import annotations

from typing import Final

from trueup.core.alerts import Alert, AlertKind
from trueup.core.instant import Instant, format_age
from trueup.run.archive.recorder import Recorded
from trueup.run.clock import SystemClock
from trueup.run.operator.beside import Operator
from trueup.run.operator.condition import Condition

_LATE: Final = 3
"""After so many pauses between two files without a word the recorder is not well."""


class RecordWatch:
    """Follows a recorder that flushes every `flush` microseconds."""

    def __init__(self, operator: Operator, *, flush: int) -> None:
        self._operator = operator
        self._flush = flush
        self._clock = SystemClock()
        self._told_at = self._clock.now()
        self._trouble = ""
        self._ticks = 0
        operator.begin(self.condition)

    def told(self, recorded: Recorded, markets: int) -> None:
        """The recorder is at work; told a few times a second."""
        self._told_at = self._clock.now()
        if recorded.trouble and recorded.trouble != self._trouble:
            words = f"the recorder loses rows: {recorded.trouble}"
            self._tell(words, key="record")
        elif self._trouble and not recorded.trouble:
            self._tell("the recorder writes again", key=f"record {self._told_at}", ends="record")
        self._trouble = recorded.trouble
        if recorded.ticks != self._ticks:
            self._ticks = recorded.ticks
            self._operator.log.debug("written", markets=markets, ticks=recorded.ticks)
        self._operator.metrics.healthy(is_healthy=self.condition(self._told_at).is_healthy)

    def condition(self, now: Instant) -> Condition:
        """How the recorder is."""
        reasons: list[str] = []
        if now - self._told_at > _LATE * self._flush:
            reasons.append(
                f"hanging: the recorder was not seen at work for {format_age(now - self._told_at)}"
            )
        if self._trouble:
            reasons.append(f"record: {self._trouble}")
        return Condition(reasons=tuple(reasons))

    def _tell(self, words: str, *, key: str, ends: str = "") -> None:
        self._operator.tell(
            Alert(at=self._told_at, kind=AlertKind.TROUBLE, words=words, key=key, ends=ends)
        )
