"""The operator's side of a running program: log, tables, alerts, ping, health and metrics.

One object for one program.  It is attached to a bot before anything moves, and runs
beside it: looks at it every few seconds, measures how late the loop wakes up, and tells
when a feed is lost or heard again.  Nothing in here can stop the bot, and nothing
waits for a disk or a network on its loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from trueup.core.alerts import Alert, AlertKind, Severity
from trueup.core.instant import SECOND, Instant, format_age
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.net.health_server import Answers, HealthServer
from trueup.net.session import Answered, Event, LimitsLearned, Retrying, Throttled, UnknownFields
from trueup.net.systemd import ServiceNotes
from trueup.run.bot.at_work import BotAtWork
from trueup.run.bot.connections import Happening
from trueup.run.bot.decision_log import wish_words
from trueup.run.bot.feed_watch import FeedWatch
from trueup.run.bot.status import as_document
from trueup.run.clock import SystemClock
from trueup.run.config import CONFIG_NAME
from trueup.run.desk import DeskSettings
from trueup.run.operator.alerting import open_alerts, open_ping
from trueup.run.operator.condition import Condition, Looked, condition_of, has_begun, proven_at
from trueup.run.operator.logs import Logs, LogTarget, account_redactor, log_path
from trueup.run.operator.metrics import Metrics
from trueup.run.operator.operations import open_operations
from trueup.run.operator.settings import alert_rules, length

LOOK_EVERY: Final = 5
"""Seconds between two looks at the bot."""
LAG_MAX: Final = 5 * SECOND
"""How late the loop may wake up before the operator hears of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorOptions:
    """How a program is watched.  `port` 0: as configured; `to_stderr`: log lines there, too."""

    role: str
    port: int = 0
    to_stderr: bool = False


class Operator:
    """Watches one program.  A context manager; its listeners may be called from any thread.

    Raises `ConfigError` for settings that cannot be used: better at the start than never.
    """

    def __init__(self, settings: DeskSettings, options: OperatorOptions) -> None:
        config, clock = settings.config, SystemClock()
        self._settings = settings
        self._clock = clock
        self._stack = ExitStack()
        self._looked: Looked | None = None
        self._role = options.role
        self._is_working = False
        self._notes = ServiceNotes(settings.environment)
        self._is_ready = False
        self._feeds = FeedWatch()
        self._proof_age_max = length(
            config.metrics.proof_age_max, "metrics.proof_age_max", settings.home / CONFIG_NAME
        )
        self.metrics = Metrics()
        self._judge: Callable[[Instant], Condition] = self._judge_bot
        with ExitStack() as stack:
            self._logs = stack.enter_context(
                Logs(
                    LogTarget(
                        path=log_path(settings.home, options.role, config),
                        settings=config.logs,
                        redactor=account_redactor(settings.environment, config),
                        to_stderr=options.to_stderr,
                    )
                )
            )
            self.log = self._logs.log
            self._operations = open_operations(settings, options.role, trouble=self._warn)
            if self._operations is not None:
                stack.callback(self._operations.close)
            self._alerts = open_alerts(settings, trouble=self.trouble)
            if self._alerts is not None:
                stack.callback(self._alerts.close)
            self._server = self._serve(options.port or config.metrics.port)
            if self._server is not None:
                stack.callback(self._server.close)
            self._ping = open_ping(settings, unwell=self._unwell, trouble=self.trouble)
            if self._ping is not None:
                stack.callback(self._ping.close)
            self._stack = stack.pop_all()

    def _serve(self, port: int) -> HealthServer | None:
        if not port:
            return None
        answers = Answers(health=self.health, metrics=self.metrics.page)
        return HealthServer(answers, host=self._settings.config.metrics.host, port=port)

    @property
    def address(self) -> str:
        """Where health and metrics are served; empty where they are not."""
        return "" if self._server is None else self._server.address

    @property
    def channels(self) -> tuple[str, ...]:
        """Who hears alerts."""
        return () if self._alerts is None else self._alerts.channels

    def close(self) -> None:
        """Say goodbye; what waits is written and sent."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception):
            self.failed(error)
            if self._is_working:
                self._say_that_it_died(error)
        self.log.info("ended")
        self._notes.stopping()
        self.close()

    def _say_that_it_died(self, error: Exception) -> None:
        words = f"the {self._role} ended: {type(error).__name__}: {error}"
        if self._was_said_lately(words):
            self.log.warning(words, repeated=True)
            return
        self.tell(Alert(at=self._clock.now(), kind=AlertKind.DEAD_BOT, words=words, key="ended"))

    def _was_said_lately(self, words: str) -> bool:
        """Whether the program ended in the same way a little while ago.

        Whatever restarts it does so every half a minute; nobody wants to hear of each.
        """
        config, now = self._settings.config, self._clock.now()
        path = self._settings.home / f"ended-{self._role}-{config.venue}-{config.account}"
        rules = alert_rules(config.alerts, self._settings.home / CONFIG_NAME)
        try:
            at, _, before = path.read_text(encoding="utf-8").partition(" ")
            if before == words and 0 <= now - int(at) < rules.repeat_after:
                return True
        except (OSError, ValueError):
            # Never, or nobody can tell: say it.
            pass
        with suppress(OSError):
            path.write_text(f"{now} {words}", encoding="utf-8")
        return False

    # -- hearing ---------------------------------------------------------------------------

    def attach(self, work: BotAtWork) -> None:
        """Listen to a bot, before anything moves."""
        self._is_working = True
        work.events.append(self.event)
        work.live.observers.append(self.step)
        work.hearing.listeners.append(self.told)
        work.live.connections.listeners.append(self.connection)
        names = list(work.live.machine.state.running)
        self.log.info(
            "started", venue=work.settings.config.venue, mode=work.settings.mode, strategies=names
        )

    def begin(self, judge: Callable[[Instant], Condition]) -> None:
        """Watch a program that is no bot; `judge` says how it is."""
        self._judge = judge
        self._is_working = True
        self.log.info("started", venue=self._settings.config.venue)

    def event(self, event: Event) -> None:
        """Something the client did."""
        self.metrics.event(event)
        if self._operations is not None:
            self._operations.event(event)
        match event:
            case Answered():
                self.log.debug(
                    "call",
                    operation=event.operation,
                    status=event.status,
                    milliseconds=event.microseconds // 1000,
                )
            case Retrying():
                self.log.warning("call repeated", operation=event.operation, reason=event.reason)
            case Throttled():
                self.log.debug("call waits", operation=event.operation, budget=event.budget.value)
            case UnknownFields():
                self.log.warning("unknown fields", operation=event.operation, names=event.names)
            case LimitsLearned():
                self.log.info("limits", tier=event.tier, told=event.told)

    def step(self, given: i.Input, effects: Sequence[f.Effect], microseconds: int) -> None:
        """One step of the machine."""
        self.metrics.step(given, effects, microseconds)
        if self._operations is not None:
            for effect in effects:
                self._operations.wanted(effect)
            self._operations.heard(given)

    def told(self, told: f.Decision | Alert) -> None:
        """A decision or an alert of the machine."""
        if isinstance(told, Alert):
            self.tell(told)
            return
        self.metrics.told(told)
        say = self.log.debug if told.verdict is f.Verdict.REFUSED else self.log.info
        say(
            told.verdict.value,
            strategy=told.strategy,
            wish=wish_words(told.wish),
            refusals=[each.code.value for each in told.refusals],
            client_order_id=told.client_order_id,
        )

    def connection(self, happened: Happening) -> None:
        """Something happened to a connection: a session, a subscription, a feed."""
        say = self.log.warning if happened.is_trouble else self.log.info
        say(happened.what, connection=happened.name, words=happened.words)

    def tell(self, alert: Alert) -> None:
        """An alert: into the log, and to whoever wants to hear of it."""
        self.metrics.told(alert)
        say = self.log.info if alert.severity is Severity.INFO else self.log.warning
        say(alert.words, alert=alert.kind.value, strategy=alert.strategy)
        if self._alerts is not None:
            self._alerts.tell(alert)

    def trouble(self, words: str) -> None:
        """Something that went wrong beside the program's own work."""
        self._warn(words)
        if self._operations is not None:
            self._operations.error(words)

    def failed(self, error: BaseException, *, subject: str = "") -> None:
        """An error that ended something."""
        self.log.error(str(error), error=type(error).__name__, subject=subject)
        if self._operations is not None:
            self._operations.error(error, subject=subject)

    def _warn(self, words: str) -> None:
        self.log.warning(words)

    # -- watching --------------------------------------------------------------------------

    def health(self) -> dict[str, Any]:
        """The document of /health, by the last look at the bot."""
        condition = self.condition()
        looked, config = self._looked, self._settings.config
        return {
            "healthy": condition.is_healthy,
            "reasons": list(condition.reasons),
            "notes": list(condition.notes),
            "venue": config.venue,
            "account": config.account,
            "state": None if looked is None else looked.shown["state"],
        }

    def condition(self) -> Condition:
        """How the bot is."""
        return self._judge(self._clock.now())

    def _judge_bot(self, now: Instant) -> Condition:
        return condition_of(self._looked, now, proof_age_max=self._proof_age_max)

    def _unwell(self) -> str:
        return "; ".join(self.condition().reasons)

    async def watch(self, work: BotAtWork) -> None:
        """Look at the bot until cancelled."""
        while True:
            self._look(work)
            for _ in range(LOOK_EVERY):
                before = self._clock.now()
                await asyncio.sleep(1)
                self._measure(self._clock.now() - before - SECOND)

    def _measure(self, lag: int) -> None:
        self.metrics.lag(max(0, lag))
        if lag > LAG_MAX:
            words = f"the bot's loop hung for {format_age(lag)}"
            self.tell(Alert(at=self._clock.now(), kind=AlertKind.WATCHDOG, words=words, key="loop"))

    def _look(self, work: BotAtWork) -> None:
        now = self._clock.now()
        shown = as_document(work.status())
        self._looked = Looked(at=now, shown=shown)
        for alert in self._feeds.look(shown, now):
            self.tell(alert)
        self.metrics.status(shown)
        books = shown["books"]
        at = None if books is None else proven_at(books)
        if books is not None and at is not None:
            self.metrics.books(
                closes=books.get("closes") is True,
                breaks=_number(books.get("breaks")),
                age_seconds=max(0, now - at) // SECOND,
            )
        line = work.client.streams.line
        if line is not None:
            self.metrics.stream({**line.counts, "gaps": line.session.counts["gap"]})
        condition = self.condition()
        self.metrics.healthy(is_healthy=condition.is_healthy)
        self._tell_systemd(shown, condition)
        self._count_machinery()

    def _tell_systemd(self, shown: dict[str, Any], condition: Condition) -> None:
        """That the loop turns; and, once it has begun to trade, that it is up."""
        words = "; ".join(condition.reasons) or (
            f"{shown['state']}, profit {shown['profit']}, {len(shown['positions'])} positions, "
            f"{len(shown['orders'])} living orders"
        )
        if not self._is_ready and has_begun(shown):
            self._is_ready = True
            self._notes.ready(words)
        self._notes.alive(words)

    def _count_machinery(self) -> None:
        if self._alerts is not None:
            self.metrics.machinery("alert_messages", self._alerts.counts)
        if self._ping is not None:
            self.metrics.machinery("pings", self._ping.counts)
        if self._operations is not None:
            self.metrics.machinery("diary_rows", self._operations.log.counts)
        self.metrics.lines_dropped(self._logs.counts["dropped"])


def _number(told: object) -> int:
    """How many breaks there are: told as a number or as a list."""
    if isinstance(told, int):
        return told
    return len(told) if isinstance(told, list | tuple) else 0  # pyright: ignore[reportUnknownArgumentType]
