"""What a run of a bot came to, counted while it runs."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from trueup.engine import effects as f


@dataclass(slots=True)
class Tally:
    """Counts of decisions and alerts since the start."""

    sent: int = 0
    amended: int = 0
    withdrawn: int = 0
    refused: int = 0
    fills: int = 0
    refusals: Counter[str] = field(default_factory=Counter[str])
    alerts: Counter[str] = field(default_factory=Counter[str])
    words: deque[str] = field(default_factory=lambda: deque[str](maxlen=1_000))
    """What the newest alerts said, fills apart."""
    _last: dict[tuple[str, str, str], tuple[str, ...]] = field(
        default_factory=dict[tuple[str, str, str], tuple[str, ...]]
    )

    def count(self, told: f.Decision | f.Alert) -> None:
        """Count one."""
        if isinstance(told, f.Alert):
            self.alerts[told.kind] += 1
            if told.kind is f.AlertKind.FILL:
                self.fills += 1
            else:
                self.words.append(told.words)
            return
        self.sent += told.verdict is f.Verdict.SENT
        self.amended += told.verdict is f.Verdict.AMENDED
        self.withdrawn += told.verdict is f.Verdict.WITHDRAWN
        self.refused += told.verdict is f.Verdict.REFUSED
        self.refusals.update(each.code.value for each in told.refusals)

    def is_news(self, told: f.Decision | f.Alert) -> bool:
        """Whether it is worth a line on a screen: the same refusal again is not."""
        if isinstance(told, f.Alert):
            return True
        ticker = "" if isinstance(told.wish, str) else str(told.wish.ticker)
        key = (told.strategy, ticker, told.verdict)
        codes = tuple(each.code.value for each in told.refusals)
        news = told.verdict is not f.Verdict.REFUSED or self._last.get(key) != codes
        self._last[key] = codes
        return news
