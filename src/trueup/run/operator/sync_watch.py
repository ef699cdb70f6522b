"""What a scheduled sync tells the operator: new breaks, failures, and a bot that has died.

Each round the books are proven after they were brought up to date.  A break is told when
it appears or changes, once; that the exchange cannot be reached is told after three
rounds.  A bot that left its control file behind without living any more has died without
saying so.
"""

from __future__ import annotations

from typing import Final

from trueup.core.alerts import Alert, AlertKind
from trueup.core.errors import TrueupError
from trueup.core.instant import SECOND, Instant, format_age
from trueup.ledger.breaks import Severity
from trueup.net.control import NoBot, read_whereabouts
from trueup.run.books.account import Account
from trueup.run.books.proving import Reconciliation
from trueup.run.bot.places import control_path
from trueup.run.clock import SystemClock
from trueup.run.desk import DeskSettings
from trueup.run.operator.beside import Operator
from trueup.run.operator.condition import Condition
from trueup.store.break_register import AgedBreak, BreakStatus

_FAILURES_MAX: Final = 3
"""So many failed rounds in a row are told."""
_LATE: Final = 3
"""After so many pauses without success the sync is not well."""
_LISTED_MAX: Final = 5


class SyncWatch:
    """Follows the rounds of a sync that is repeated every `pause_seconds`."""

    def __init__(self, settings: DeskSettings, operator: Operator, *, pause_seconds: int) -> None:
        self._settings = settings
        self._operator = operator
        self._pause = pause_seconds * SECOND
        self._clock = SystemClock()
        self._began = self._clock.now()
        self._done_at: Instant | None = None
        self._failures = 0
        self._last_failure = ""
        self._told: dict[str, str] = {}
        self._books: Reconciliation | None = None
        operator.begin(self.condition)

    def succeeded(self, account: Account) -> None:
        """A round brought the books up to date: prove them, and tell what is new."""
        found = account.reconcile()
        now = self._clock.now()
        if self._failures >= _FAILURES_MAX:
            self._tell(AlertKind.CONNECTION, "the sync works again", f"sync {now}", ends="sync")
        self._done_at, self._failures, self._books = now, 0, found
        self._tell_of_breaks(found)
        self._look_after_the_bot()
        open_ = _open(found)
        self._operator.metrics.books(
            closes=found.undecided.closes, breaks=len(open_), age_seconds=0
        )
        self._operator.log.info("synced", closes=found.undecided.closes, open_breaks=len(open_))
        self._operator.metrics.healthy(is_healthy=self.condition(now).is_healthy)

    def failed(self, error: TrueupError) -> None:
        """A round failed; another one comes."""
        self._failures += 1
        self._last_failure = str(error)
        self._operator.failed(error, subject="sync")
        self._operator.metrics.healthy(is_healthy=self.condition(self._clock.now()).is_healthy)
        if self._failures == _FAILURES_MAX:
            words = f"the sync failed {self._failures} times in a row: {error}"
            self._tell(AlertKind.CONNECTION, words, "sync")
        self._look_after_the_bot()

    def condition(self, now: Instant) -> Condition:
        """How the sync is."""
        reasons: list[str] = []
        since = self._done_at or self._began
        if now - since > _LATE * self._pause:
            failure = f": {self._last_failure}" if self._last_failure else ""
            reasons.append(f"sync late: the last one ended {format_age(now - since)} ago{failure}")
        if self._books is not None and not self._books.undecided.closes:
            reasons.append(f"books: {self._books.undecided.words()}")
        return Condition(reasons=tuple(reasons))

    def _tell_of_breaks(self, found: Reconciliation) -> None:
        current = {
            each.found.identity: f"{each.found.summary} {each.found.amount}"
            for each in _open(found)
        }
        fresh = [name for name, words in current.items() if self._told.get(name) != words]
        self._told = current
        summaries = {each.found.identity: each.found for each in found.breaks}
        for name in fresh[:_LISTED_MAX]:
            broken = summaries[name]
            words = f"{broken.kind.value.replace('_', ' ')}: {broken.summary}"
            self._tell(AlertKind.BOOKS, words, f"{name} {broken.amount} {broken.summary}")
        if len(fresh) > _LISTED_MAX:
            words = f"{len(fresh) - _LISTED_MAX} more breaks; see `trueup breaks list`"
            self._tell(AlertKind.BOOKS, words, f"more {fresh}")

    def _look_after_the_bot(self) -> None:
        path = control_path(self._settings)
        if not path.exists():
            # None runs, or it said goodbye.
            return
        try:
            read_whereabouts(path)
        except NoBot as error:
            self._tell(AlertKind.DEAD_BOT, str(error), f"bot {error}")

    def _tell(self, kind: AlertKind, words: str, key: str, *, ends: str = "") -> None:
        self._operator.tell(Alert(at=self._clock.now(), kind=kind, words=words, key=key, ends=ends))


def _open(found: Reconciliation) -> list[AgedBreak]:
    """The breaks that somebody has to look at: green ones explain themselves, as on the page."""
    return [
        each
        for each in found.breaks
        if each.status is BreakStatus.OPEN and each.found.severity is not Severity.GREEN
    ]
