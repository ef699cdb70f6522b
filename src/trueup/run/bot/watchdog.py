"""A watchdog for what hangs: a strategy that never returns holds up everything on the event loop.

No other task runs then: not the kill switch, not the circuit breaker, not the operator's
channel.  So a thread looks from outside.  When one step takes longer than allowed it

1. makes a halt and the duty to cancel everything durable,
2. tells it (the decision log, the alerts),
3. cancels everything by a client of its own and reads until nothing rests,
4. ends the process with its own exit code.

Whoever starts the bot again gets one that is halted, carries the duty out first, and
sends nothing until `trueup bot rearm`.  Code that never lets go of the interpreter (a
loop inside of a C extension) stops this thread, too: that is for the service manager's
watchdog.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self

from trueup.core.errors import BooksError, TrueupError
from trueup.core.ids import PRIMARY, Subaccount
from trueup.core.instant import SECOND, format_age
from trueup.engine import effects as f
from trueup.engine.records import HaltCode, HaltRaised, SweepOrdered
from trueup.run.bot.killing import Killed
from trueup.run.bot.live import LiveBot
from trueup.run.clock import Clock
from trueup.store.intents import IntentLog

EXIT_HUNG: Final = 70
"""The exit code of a bot whose step hung (`EX_SOFTWARE` of sysexits.h)."""

_HUNG_LOOKS: Final = 3
_LOOKS: Final = 20
"""So many looks within the time that is allowed."""

_LOOK_SECONDS_MAX: Final = 0.5
_DURABLE_SECONDS: Final = 5.0
_TELLING_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """How to stop from outside of the event loop.

    `tell` passes alerts on; `cancel` cancels everything on these subaccounts with a client
    of its own; `pull_switch` leaves the kill file where the log does not take the halt, and
    says whether it is there; `leave` ends the process with an exit code.
    """

    tell: Callable[[f.Alert], None]
    cancel: Callable[[Sequence[Subaccount]], Killed]
    pull_switch: Callable[[], bool]
    leave: Callable[[int], None] = os._exit


class Watchdog:
    """Watches one bot, in a thread, as a context manager."""

    def __init__(
        self,
        live: LiveBot,
        log: IntentLog,
        emergency: Emergency,
        *,
        clock: Clock,
        hang_max: int,
    ) -> None:
        self._live = live
        self._log = log
        self._emergency = emergency
        self._clock = clock
        self._hang_max = hang_max
        self._over = Event()
        self._thread = Thread(target=self._watch, name="trueup-watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        allowed = self._hang_max / SECOND
        wait = min(allowed / _LOOKS, _LOOK_SECONDS_MAX)
        hung = 0
        while not self._over.wait(wait):
            hung = hung + 1 if self._hangs(allowed) else 0
            # One look proves nothing: the whole process may just have been let go on.
            if hung >= _HUNG_LOOKS:
                try:
                    self._stop()
                finally:
                    self._emergency.leave(EXIT_HUNG)
                return

    def _hangs(self, allowed: float) -> bool:
        """Whether a step, or whatever else holds the event loop up, takes too long."""
        now = time.monotonic()
        since = (self._live.step_began, self._live.beat_at)
        return any(each is not None and now - each > allowed for each in since)

    def _stop(self) -> None:
        state = self._live.machine.state
        who = "something on the event loop"
        if self._live.step_began is not None:
            who = f"strategy {state.consulting}" if state.consulting else "a step of the machine"
        words = f"{who} did not return within {format_age(self._hang_max)}"
        now = self._clock.now()
        places = tuple(sorted(state.subaccounts)) or (PRIMARY,)
        print(f"Error: {words}; the bot halts, cancels everything and ends", file=sys.stderr)  # noqa: T201
        faulthandler.dump_traceback()
        halt = HaltRaised(code=HaltCode.HANG, words=words, at=now)
        duty = SweepOrdered(subaccounts=places, words=words, at=now)
        try:
            self._log.submit([halt, duty]).result(_DURABLE_SECONDS)
        except (BooksError, FutureTimeoutError) as error:
            words += f"; the halt could not be made durable: {error}"
            if self._emergency.pull_switch():
                words += "; the kill switch is on instead"
        alert = f.Alert(at=now, kind=f.AlertKind.WATCHDOG, words=words, strategy=state.consulting)
        self._tell(alert)
        try:
            done = self._emergency.cancel(places)
            end = "nothing rests any more" if done.proven else "NOT proven that nothing rests"
        except TrueupError as error:
            end = f"cancelling failed: {error}"
        print(f"{end}; `trueup bot rearm` before it trades again", file=sys.stderr, flush=True)  # noqa: T201
        self._tell(f.Alert(at=now, kind=f.AlertKind.SWEPT, words=end))
        # Alerts leave by threads of their own.
        self._over.wait(_TELLING_SECONDS)

    def _tell(self, alert: f.Alert) -> None:
        try:
            self._emergency.tell(alert)
        except Exception as error:  # noqa: BLE001  (whatever it is, the process must end)
            print(f"it could not be told: {error}", file=sys.stderr)  # noqa: T201
