"""The conduct of one client: turns, retries, costs and counts; no socket and no sleep.

`Session.flow(call)` is a generator that the two clients drive alike: it yields
a `Pause` (wait so long, send back nothing) or a `Request` (send it, send back
the `Reply`) and returns the decoded answer.  What the sync and the async
client do is therefore decided in one place.

A session may be used from several threads: its state changes under one lock
that is never held while waiting.  On an event loop the same lock is always
free, since nothing in here suspends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final, TypeVar
from uuid import UUID

from trueup.core.errors import ConfigError, InvariantBroken, RateLimited, TrueupError, UnknownWord
from trueup.core.ids import ClientOrderId
from trueup.core.instant import SECOND, Instant
from trueup.core.limits import Bucket, Buckets, Budget
from trueup.net.answer import Bad, judge
from trueup.net.request import Limits, Reply, Request, Response, build_request, check_signer
from trueup.net.retry import Chance, RetryPolicy, pause_before_retry
from trueup.net.signer import Signer
from trueup.net.skew import Skew, measure_skew
from trueup.net.venues import Endpoint
from trueup.wire.rest.account import AccountLimits, EndpointCosts
from trueup.wire.rest.call import Call, Page

T = TypeVar("T")

Clock = Callable[[], Instant]
"""Says what time it is."""

_READ_UNLEARNED: Final = 200
_WRITE_UNLEARNED: Final = 100
"""The lowest tier as recorded in June 2026, until the account's own limits are known."""

_RETRY_AFTER_MAX: Final = 30
_READS: Final = "GET"


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for so many microseconds."""

    microseconds: int


Step = Pause | Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An attempt ended: with an HTTP status, or 0 when no whole answer came."""

    operation: str
    path: str
    attempt: int
    status: int
    body_bytes: int
    microseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """An attempt failed and will be repeated after a pause."""

    operation: str
    attempt: int
    reason: str
    microseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """A request waits for its turn, so that the exchange need not refuse it."""

    operation: str
    budget: Budget
    microseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownFields:
    """A page had fields that this version of trueup does not know."""

    operation: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsLearned:
    """The account's budget is known from now on; `told` is false when the exchange would not say."""

    tier: str
    read_per_second: int
    write_per_second: int
    told: bool


Event = Answered | Retrying | Throttled | UnknownFields | LimitsLearned
"""What a client tells while it works.  Never holds a key, a signature or a body."""


def ignore_event(event: Event) -> None:
    """The listener of those who do not listen."""
    del event


def no_reason() -> str:
    """The reason of those who may write."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a client has done so far.

    `unknown_fields` counts answers that hold something this version does not
    know: a field as ``Operation.field``, a word as ``Operation.field=word``.
    """

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    waited_microseconds: int = 0
    pages: int = 0
    unknown_fields: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a client behaves.  `fetching_max` bounds one listing, in microseconds of fetching.

    A client refuses whatever would change something at the exchange as long as
    `why_read_only` gives a reason; it is asked before every write.
    """

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    limits: Limits = field(default_factory=Limits)
    pages_max: int = 100_000
    fetching_max: int = 3600 * SECOND
    on_event: Callable[[Event], None] = ignore_event
    why_read_only: Callable[[], str] = no_reason


class Session:
    """Everything that requests of one account to one endpoint share."""

    def __init__(
        self,
        endpoint: Endpoint,
        signer: Signer | None,
        *,
        clock: Clock,
        chance: Chance,
        options: Options | None = None,
    ) -> None:
        check_signer(endpoint, signer)
        self.endpoint = endpoint
        self.signer = signer
        self.options = options or Options()
        self._clock = clock
        self._chance = chance
        self._lock = Lock()
        now = clock()
        self._buckets = Buckets(
            read=Bucket.full(_READ_UNLEARNED, _READ_UNLEARNED, now),
            write=Bucket.full(_WRITE_UNLEARNED, _WRITE_UNLEARNED, now),
        )
        self._costs: EndpointCosts | None = None
        self._skew: Skew | None = None
        self._counts = Counts()
        self._unknown: Counter[str] = Counter()

    @property
    def skew(self) -> Skew | None:
        """How far our clock is off, as far as answers have told; None before the first."""
        return self._skew

    @property
    def counts(self) -> Counts:
        """The counters at this moment."""
        with self._lock:
            return replace(self._counts, unknown_fields=dict(self._unknown))

    @property
    def chance(self) -> Chance:
        """The session's source of random numbers."""
        return self._chance

    def now(self) -> Instant:
        """The time by the session's clock."""
        return self._clock()

    def new_client_order_id(self) -> ClientOrderId:
        """A name that no order has had: a random UUID (version 4)."""
        return ClientOrderId(str(UUID(int=self._chance.randrange(1 << 128), version=4)))

    def flow(self, call: Call[T]) -> Generator[Step, Reply | None, T]:
        """The course of one call, retries and all; see the module's docstring.

        Raises `ConfigError` for a write where the client only reads.
        """
        self.check_may_send(call)
        started = self._clock()
        paused = 0
        attempt = 0
        while True:
            attempt += 1
            throttle = self.take_turn(call)
            if throttle:
                yield Pause(throttle)
            # Built after the wait and anew each time: a signature ages in seconds.
            request = build_request(call, self.endpoint, signer=self.signer, at=self._clock())
            reply = yield request
            if reply is None:
                raise InvariantBroken("a client must send the reply of a request back")
            self._note_reply(call, reply, attempt=attempt)
            outcome = judge(call, reply, endpoint=self.endpoint, skew=self._skew)
            if not isinstance(outcome, Bad):
                self._note_unknown_fields(call, reply, outcome.value)
                return outcome.value
            if isinstance(outcome.error, UnknownWord):
                self.note_drift(call.operation, (outcome.error.drift,))
            spent = max(paused, self._clock() - started)
            pause = self._retry_pause(call, outcome, reply, attempt=attempt, spent=spent)
            if pause is None:
                raise _after(outcome.error, attempt)
            self._note_retry(call, outcome.error, attempt=attempt, pause=pause)
            paused += pause
            yield Pause(pause)

    def check_may_send(self, call: Call[T]) -> None:
        """Raise `ConfigError` for a write where the client only reads."""
        reason = "" if call.method == _READS else self.options.why_read_only()
        if reason:
            raise ConfigError(
                f"{call.operation} was not sent: this client only reads ({reason})",
                remedy="On the production exchange orders need three things: --live (live=True), "
                "live = true in the configuration, and `trueup arm`.",
            )

    def cost_of(self, call: Call[T]) -> int:
        """Tokens for one call: as the exchange lists it, as the table says before that is known.

        A batch costs as much as its items one by one.
        """
        if self._costs is None:
            return call.cost * call.items
        return self._costs.cost_of(call.method, call.template) * call.items

    def learn_costs(self, costs: EndpointCosts) -> None:
        """Take over the exchange's list of costs."""
        with self._lock:
            self._costs = costs

    def learn_buckets(self, limits: AccountLimits) -> None:
        """Take over the sizes of the account's buckets; tokens that were used stay used."""
        read, write = limits.read, limits.write
        with self._lock:
            now = self._clock()
            self._buckets = Buckets(
                read=self._buckets.read.resized(read.capacity, read.refill_per_second, now),
                write=self._buckets.write.resized(write.capacity, write.refill_per_second, now),
            )

    def unlearned(self) -> LimitsLearned:
        """What holds as long as the exchange has not told the account's limits."""
        return LimitsLearned(
            tier="", read_per_second=_READ_UNLEARNED, write_per_second=_WRITE_UNLEARNED, told=False
        )

    def tell(self, event: Event) -> None:
        """Pass an event on to whoever listens."""
        self.options.on_event(event)

    def note_drift(self, operation: str, names: tuple[str, ...]) -> None:
        """Count fields that this version does not know; tell of each once."""
        keys = [f"{operation}.{name}" for name in names]
        with self._lock:
            news = [name for name, key in zip(names, keys, strict=True) if key not in self._unknown]
            self._unknown.update(keys)
        if news:
            self.tell(UnknownFields(operation=operation, names=tuple(news)))

    def note_page(self) -> None:
        """Count a page of a listing."""
        with self._lock:
            self._counts = replace(self._counts, pages=self._counts.pages + 1)

    def take_turn(self, call: Call[T]) -> int:
        """Reserve the tokens of one attempt; microseconds until they are there."""
        budget, cost = _budget(call), self.cost_of(call)
        with self._lock:
            now = self._clock()
            self._buckets = _not_in_the_future(self._buckets, now)
            wait = self._buckets.wait_for(budget, cost, now)
            self._buckets = self._buckets.take(budget, cost, now)
            counts = self._counts
            self._counts = replace(
                counts,
                requests=counts.requests + 1,
                throttled=counts.throttled + (1 if wait else 0),
                waited_microseconds=counts.waited_microseconds + wait,
            )
        if wait:
            self.tell(Throttled(operation=call.operation, budget=budget, microseconds=wait))
        return wait

    def _note_reply(self, call: Call[T], reply: Reply, *, attempt: int) -> None:
        status, size, took = 0, 0, 0
        if isinstance(reply, Response):
            status, size = reply.status, len(reply.body)
            took = max(0, reply.received_at - reply.sent_at)
            # An answer from a cache has the Date of when it was made.
            is_fresh = reply.headers.get("age", "0") == "0"
            measured = measure_skew(reply.headers.get("date", ""), reply.sent_at, reply.received_at)
            if is_fresh and measured is not None:
                with self._lock:
                    known = self._skew
                    self._skew = measured if known is None else known.narrowed_by(measured)
        self.tell(
            Answered(
                operation=call.operation,
                path=call.path,
                attempt=attempt,
                status=status,
                body_bytes=size,
                microseconds=took,
            )
        )

    def _note_unknown_fields(self, call: Call[T], reply: Reply, value: T) -> None:
        """Count the fields of an answer that nobody here knows; tell of each once."""
        if isinstance(value, Page):
            words = (record.unknown_word for record in value.unreadable)
            names = (*value.unknown_fields, *dict.fromkeys(word for word in words if word))
        elif isinstance(reply, Response):
            names = call.unknown_fields(reply.body)
        else:
            return
        if not names:
            return
        self.note_drift(call.operation, names)

    def _retry_pause(
        self, call: Call[T], outcome: Bad, reply: Reply, *, attempt: int, spent: int
    ) -> int | None:
        at_least = 0
        if isinstance(outcome.error, RateLimited):
            with self._lock:
                now = self._clock()
                self._buckets = self._buckets.emptied(_budget(call), now)
            # The wait for the refill itself comes from the bucket, at the next turn.
            at_least = _retry_after(reply)
        if not (outcome.may_pass and call.idempotent):
            return None
        return pause_before_retry(
            self.options.retry, attempt, spent, chance=self._chance, at_least=at_least
        )

    def _note_retry(self, call: Call[T], error: TrueupError, *, attempt: int, pause: int) -> None:
        with self._lock:
            counts = self._counts
            self._counts = replace(
                counts,
                retries=counts.retries + 1,
                waited_microseconds=counts.waited_microseconds + pause,
            )
        self.tell(
            Retrying(
                operation=call.operation, attempt=attempt, reason=str(error), microseconds=pause
            )
        )


def _budget(call: Call[T]) -> Budget:
    return Budget.READ if call.method == _READS else Budget.WRITE


def _not_in_the_future(buckets: Buckets, now: Instant) -> Buckets:
    """After the clock was set back a bucket would not refill until the old time comes again."""
    read, write = buckets.read, buckets.write
    if read.at <= now and write.at <= now:
        return buckets
    return Buckets(
        read=replace(read, at=min(read.at, now)), write=replace(write, at=min(write.at, now))
    )


def _retry_after(reply: Reply) -> int:
    """Microseconds of a `Retry-After` header.  The exchange sends none; a gateway may."""
    text = reply.headers.get("retry-after", "") if isinstance(reply, Response) else ""
    return min(int(text), _RETRY_AFTER_MAX) * SECOND if text.isdecimal() else 0


def _after(error: TrueupError, attempts: int) -> TrueupError:
    if attempts > 1:
        error.args = (f"{error} (tried {attempts} times)",)
    return error
