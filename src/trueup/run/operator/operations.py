"""What a program does, as rows of its account's operations tables.

Listens to the client (calls, waits, retries), to the machine (each step of an
order, ours or not) and to errors.  Everything is cleaned of secrets before it is
handed to the writer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from trueup.core.errors import TrueupError
from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import ClientOrderId
from trueup.core.instant import Instant
from trueup.core.redaction import Redactor
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.inflight import Intent
from trueup.net.session import Answered, Event, LimitsLearned, Retrying, Throttled, UnknownFields
from trueup.run.clock import SystemClock
from trueup.run.config import Config
from trueup.run.desk import DeskSettings
from trueup.run.operator.logs import account_redactor
from trueup.store.operations import CallRow, ErrorRow, OperationsLog, OrderRow

_REMEMBERED_MAX: Final = 10_000

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Trouble = Callable[[str], None]


def operations_path(home: Path, config: Config) -> Path:
    """The file of an account's operations tables."""
    return home / f"operations-{config.venue}-{config.account}.db"


def open_operations(settings: DeskSettings, process: str, *, trouble: Trouble) -> Operations | None:
    """The diary of a program for an account; `None` where the settings want none."""
    config = settings.config
    if not config.logs.table_days:
        return None
    # A diary goes by the machine's time, whatever date the sandbox shows.
    clock = SystemClock()
    log = OperationsLog(
        operations_path(settings.home, config),
        keep_days=config.logs.table_days,
        clock=clock.now,
        trouble=trouble,
    )
    return Operations(
        log,
        process=process,
        clock=clock.now,
        redactor=account_redactor(settings.environment, config),
    )


@dataclass(frozen=True, slots=True)
class _Whose:
    """What an answer does not repeat of its order."""

    ticker: str
    strategy: str


class Operations:
    """Turns what happens into rows.  Every method returns at once."""

    def __init__(
        self,
        log: OperationsLog,
        *,
        process: str,
        clock: Callable[[], Instant],
        redactor: Redactor,
    ) -> None:
        self.log = log
        self._process = process
        self._clock = clock
        self._redactor = redactor
        self._began = clock()
        self._whose: dict[ClientOrderId, _Whose] = {}
        self._names: dict[str, ClientOrderId] = {}
        self._told: dict[Hashable, object] = {}

    def close(self) -> None:
        """Write what waits."""
        self.log.close()

    # -- calls and errors ------------------------------------------------------------------

    def event(self, event: Event) -> None:
        """Something the client did."""
        row = self._call(event)
        if row is not None:
            self.log.note(row)

    def error(self, error: BaseException | str, *, subject: str = "", remedy: str = "") -> None:
        """Something that went wrong; `subject` says at what."""
        kind = "trouble" if isinstance(error, str) else type(error).__name__
        if isinstance(error, TrueupError):
            remedy = remedy or error.remedy
        self.log.note(
            ErrorRow(
                at=self._clock(),
                process=self._process,
                kind=kind,
                words=self._redactor.text(str(error)),
                remedy=self._redactor.text(remedy),
                subject=self._redactor.text(subject),
            )
        )

    def _call(self, event: Event) -> CallRow | None:
        at, process = self._clock(), self._process
        match event:
            case Answered():
                return CallRow(
                    at=at,
                    process=process,
                    event="answered",
                    operation=event.operation,
                    path=self._redactor.text(event.path),
                    attempt=event.attempt,
                    status=event.status,
                    body_bytes=event.body_bytes,
                    microseconds=event.microseconds,
                )
            case Retrying():
                return CallRow(
                    at=at,
                    process=process,
                    event="retrying",
                    operation=event.operation,
                    attempt=event.attempt,
                    microseconds=event.microseconds,
                    words=self._redactor.text(event.reason),
                )
            case Throttled():
                return CallRow(
                    at=at,
                    process=process,
                    event="throttled",
                    operation=event.operation,
                    microseconds=event.microseconds,
                    words=event.budget.value,
                )
            case UnknownFields() | LimitsLearned():
                return None

    # -- orders ----------------------------------------------------------------------------

    def wanted(self, effect: f.Effect) -> None:
        """Something the machine wants done."""
        match effect:
            case f.Persist(record=Intent() as intent):
                self._remember(intent)
                self._order(
                    "intended",
                    client_order_id=intent.client_order_id,
                    side=intent.side.value,
                    price=intent.limit.units,
                    count=intent.count.units,
                    words=intent.reason,
                )
            case f.Place(intent=intent):
                self._remember(intent)
                self._order("sent", client_order_id=intent.client_order_id)
            case f.Cancel():
                self._order(
                    "cancel sent",
                    client_order_id=effect.client_order_id or "",
                    order_id=effect.order_id,
                    ticker=effect.ticker,
                )
            case f.Amend():
                self._order(
                    "amend sent",
                    client_order_id=effect.client_order_id,
                    order_id=effect.order_id,
                    price=effect.price.units,
                    count=effect.total.units,
                )
            case f.Ask():
                self._order("asked", client_order_id=effect.client_order_id)
            case _:
                pass

    def heard(self, given: i.Input) -> None:
        """Something the machine was told."""
        match given:
            case i.SendEnded():
                self._outcome("", given.client_order_id, given.outcome)
            case i.CancelEnded():
                self._outcome("cancel ", given.client_order_id, given.outcome)
            case i.AmendEnded():
                self._outcome("amend ", given.client_order_id, given.outcome)
            case i.Asked(found=found):
                words = "nothing of that name" if found is None else found.status.value
                self._order("found", client_order_id=given.client_order_id, words=words)
            case i.OrderSeen():
                self._reported(given.order)
            case i.FillSeen():
                self._filled(given.fill)
            case i.StorageFailed():
                self.error(given.words, subject="intent log")
            case i.CallEnded(ok=False):
                self.error(given.words, subject="exchange")
            case _:
                pass

    def _outcome(self, what: str, name: ClientOrderId, outcome: object) -> None:
        match outcome:
            case i.Accepted():
                _keep(self._names, str(outcome.order_id), name)
                words = f"{outcome.fill_count} filled, {outcome.remaining_count} left"
                self._order(
                    "accepted", client_order_id=name, order_id=outcome.order_id, words=words
                )
            case i.Refused():
                words = f"{outcome.code}: {outcome.words}"
                self._order(f"{what}refused", client_order_id=name, words=words)
            case i.Unknown():
                self._order(f"{what}unknown", client_order_id=name, words=outcome.words)
            case i.Canceled():
                self._order("canceled", client_order_id=name, count=outcome.reduced_by.units)
            case _:
                self._order("amended", client_order_id=name)

    def _reported(self, order: OrderReported) -> None:
        state = (order.status, order.fill_count, order.remaining_count, order.price)
        if order.updated_at < self._began or self._told.get(order.order_id) == state:
            return
        _keep(self._told, order.order_id, state)
        self._order(
            "reported",
            client_order_id=order.client_order_id,
            order_id=order.order_id,
            ticker=order.ticker,
            side=order.side.value,
            price=order.price.units,
            count=order.initial_count.units,
            words=f"{order.status.value}: {order.fill_count} filled, {order.remaining_count} left",
        )

    def _filled(self, fill: Filled) -> None:
        key = (fill.trade_id, fill.order_id)
        if fill.at < self._began or key in self._told:
            return
        _keep(self._told, key, True)
        self._order(
            "filled",
            client_order_id=self._names.get(fill.order_id, ""),
            order_id=fill.order_id,
            ticker=fill.ticker,
            side=fill.side.value,
            price=fill.price.units,
            count=fill.count.units,
            words=f"{'took' if fill.is_taker else 'made'}, trade {fill.trade_id}",
        )

    def _order(
        self,
        event: str,
        *,
        client_order_id: str = "",
        order_id: str = "",
        ticker: str = "",
        side: str = "",
        price: int | None = None,
        count: int | None = None,
        words: str = "",
    ) -> None:
        whose = self._whose.get(ClientOrderId(client_order_id), _Whose("", ""))
        self.log.note(
            OrderRow(
                at=self._clock(),
                process=self._process,
                event=event,
                ticker=ticker or whose.ticker,
                client_order_id=client_order_id,
                order_id=order_id,
                strategy=whose.strategy,
                side=side,
                price=price,
                count=count,
                words=self._redactor.text(words),
            )
        )

    def _remember(self, intent: Intent) -> None:
        _keep(self._whose, intent.client_order_id, _Whose(intent.ticker, intent.strategy))


def _keep(known: dict[K, V], key: K, value: V) -> None:
    """Remember something; the oldest is forgotten where there is too much."""
    if len(known) >= _REMEMBERED_MAX:
        del known[next(iter(known))]
    known[key] = value
