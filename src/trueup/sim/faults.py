"""What goes wrong on purpose, by name: the decisions, without anything that carries them out.

A `FaultPlan` holds the faults that are switched on.  Whoever answers requests,
sends messages or shows rows asks it "what now?" at each turn; it decides from
its own seeded chance, so a run can be repeated.  Which rows a fault hits does
not depend on the order of the questions: the same row is hit on every reading.

Faults can be combined.  Each may have a window of the world's time, a share of
the turns it hits, a number of hits after which it is over, and tickers it is
about.  `PROFILES` says what each name means and what its `amount` is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from zlib import crc32

from trueup.core.errors import CallerError
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.sim.chance import Chance

MILLISECOND: Final = SECOND // 1_000
ALWAYS: Final = 100


class FaultName(StrEnum):
    """Every fault that can be asked for."""

    OUTAGE = "outage"
    ACCEPTED_THEN_503 = "accepted-then-503"
    ACCEPTED_WITHOUT_ORDER = "2xx-without-order"
    STORM = "429-storm"
    SLOW = "slow"
    SEQUENCE_GAP = "sequence-gap"
    SILENT_STALL = "silent-stall"
    DISCONNECTS = "disconnects"
    DUPLICATE_MESSAGES = "duplicate-messages"
    REORDERED_MESSAGES = "reordered-messages"
    FILL_ON_CANCELED = "fill-on-canceled"
    SETTLEMENT_LATE = "settlement-late"
    SETTLEMENT_MISSING = "settlement-missing"
    SETTLEMENT_DUPLICATED = "settlement-duplicated"
    SETTLEMENT_REVISED = "settlement-revised"
    FEE_OFF = "fee-off-by-one"
    CLOCK_SKEW = "clock-skew"
    FIX_NOT_ENTITLED = "fix-not-entitled"
    FIX_EXISTS = "fix-already-exists"
    FIX_BUSY = "fix-busy"
    FIX_REQUEST_LOST = "fix-request-lost"
    FIX_LIMITED = "fix-rate-limited"
    FIX_UNAVAILABLE = "fix-unavailable"
    FIX_LOST = "fix-lost"
    FIX_DOUBLED = "fix-doubled"
    FIX_CUT = "fix-cut"
    FIX_SILENT = "fix-silent"
    FIX_LATE = "fix-late"
    FIX_PAGE_LOST = "fix-page-lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a fault does, what its `amount` means, and how much of both it does unless told."""

    does: str
    amount_is: str = ""
    amount: int = 0
    percent: int = ALWAYS


_F = FaultName
PROFILES: Final[dict[FaultName, Profile]] = {
    _F.OUTAGE: Profile(does="every request is answered 503 and does nothing"),
    _F.ACCEPTED_THEN_503: Profile(
        does="a write takes effect, but the answer is 503",
    ),
    _F.ACCEPTED_WITHOUT_ORDER: Profile(
        does="a write takes effect, but the answer is a 2xx with an empty object",
    ),
    _F.STORM: Profile(does="requests are answered 429", percent=70),
    _F.SLOW: Profile(
        does="answers come late",
        amount_is="milliseconds of real time, up to twice as many",
        amount=400,
    ),
    _F.SEQUENCE_GAP: Profile(
        does="a stream message with a sequence number is lost, its number with it", percent=2
    ),
    _F.SILENT_STALL: Profile(does="the stream stays open and answers pings, but tells nothing"),
    _F.DISCONNECTS: Profile(does="the stream's connection is cut after a message", percent=1),
    _F.DUPLICATE_MESSAGES: Profile(does="a stream message is sent twice", percent=5),
    _F.REORDERED_MESSAGES: Profile(
        does="a stream message is sent after the one that follows it", percent=5
    ),
    _F.FILL_ON_CANCELED: Profile(
        does="somebody takes an order in the moment before it is cancelled; "
        "the fill is told after the cancellation",
        amount_is="percent of the order that is taken",
        amount=50,
    ),
    _F.SETTLEMENT_LATE: Profile(
        does="a settlement row appears late",
        amount_is="seconds",
        amount=15 * MINUTE // SECOND,
    ),
    _F.SETTLEMENT_MISSING: Profile(does="a settlement row never appears"),
    _F.SETTLEMENT_DUPLICATED: Profile(does="a settlement row is listed twice"),
    _F.SETTLEMENT_REVISED: Profile(
        does="a settlement row changes its revenue a minute after it appeared",
        amount_is="cents",
        amount=100,
    ),
    _F.FEE_OFF: Profile(
        does="a fill is reported with a fee that is off", amount_is="1/10,000 dollar", amount=1
    ),
    _F.CLOCK_SKEW: Profile(
        does="the exchange's clock is ahead: signatures and the Date header are judged by it",
        amount_is="seconds, negative behind",
        amount=45,
    ),
    _F.FIX_NOT_ENTITLED: Profile(does="a FIX logon is refused for the tier of the account"),
    _F.FIX_EXISTS: Profile(
        does="a FIX logon is refused: the exchange still counts an earlier connection of the key"
    ),
    _F.FIX_BUSY: Profile(does="a FIX logon is refused: the logon service is busy"),
    _F.FIX_REQUEST_LOST: Profile(does="a FIX request breaks the connection before it takes effect"),
    _F.FIX_LIMITED: Profile(does="a FIX request is refused for the rate limit"),
    _F.FIX_UNAVAILABLE: Profile(
        does="a new order takes effect, but its report is a rejection: EXCHANGE_UNAVAILABLE"
    ),
    _F.FIX_LOST: Profile(
        does="a FIX message of the exchange is lost, its number is used", percent=5
    ),
    _F.FIX_DOUBLED: Profile(
        does="a FIX message comes twice with one number, which ends the session", percent=5
    ),
    _F.FIX_CUT: Profile(does="the FIX connection breaks where a message should come", percent=5),
    _F.FIX_SILENT: Profile(does="FIX sessions stay open and say nothing, no heartbeat either"),
    _F.FIX_LATE: Profile(
        does="a FIX message comes late, and what follows with it",
        amount_is="milliseconds of real time",
        amount=500,
    ),
    _F.FIX_PAGE_LOST: Profile(
        does="a page of a settlement report never comes, not when it is asked for again either"
    ),
}
"""Everything that can go wrong, and its usual measure."""

REVISED_AFTER: Final = MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault that is switched on, from `starts` until `stops` (not included).

    `None` as a bound is no bound; empty `tickers` are all.  After `times` hits it is over.
    """

    name: FaultName
    amount: int
    percent: int = ALWAYS
    starts: Instant | None = None
    stops: Instant | None = None
    times: int | None = None
    tickers: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not 0 <= self.percent <= ALWAYS:
            raise CallerError(f"{self.name}: {self.percent} is no share in percent")
        if self.times is not None and self.times < 1:
            raise CallerError(f"{self.name}: a fault happens at least once, not {self.times} times")
        if self.starts is not None and self.stops is not None and self.stops <= self.starts:
            raise CallerError(f"{self.name}: the window ends before it begins")

    def holds(self, at: Instant, ticker: str = "") -> bool:
        """Whether its window is open, and whether it is about this ticker."""
        if self.starts is not None and at < self.starts:
            return False
        if self.stops is not None and at >= self.stops:
            return False
        return not self.tickers or ticker in self.tickers


def fault(
    name: str,
    *,
    amount: int | None = None,
    percent: int | None = None,
    starts: Instant | None = None,
    stops: Instant | None = None,
    times: int | None = None,
    tickers: Iterable[str] = (),
) -> Fault:
    """A fault by its name, in its usual measure unless told otherwise.

    Raises `CallerError` that lists the names for one that does not exist.
    """
    try:
        known = FaultName(name)
    except ValueError:
        raise CallerError(
            f"there is no fault {name!r}", remedy=f"Use one of: {', '.join(FaultName)}."
        ) from None
    profile = PROFILES[known]
    return Fault(
        name=known,
        amount=profile.amount if amount is None else amount,
        percent=profile.percent if percent is None else percent,
        starts=starts,
        stops=stops,
        times=times,
        tickers=frozenset(tickers),
    )


class AnswerFate(StrEnum):
    """What becomes of a request."""

    WHOLE = "whole"
    UNAVAILABLE = "unavailable"
    TOO_MANY = "too many"
    LOST_AFTERWARDS = "lost afterwards"
    """It takes effect; the answer is 503."""
    EMPTY = "empty"
    """It takes effect; the answer is 2xx with nothing in it."""


class FrameFate(StrEnum):
    """What becomes of a stream message."""

    SENT = "sent"
    LOST = "lost"
    HELD = "held"
    """It comes after the next one."""
    TWICE = "twice"
    STALLED = "stalled"
    CUT = "cut"
    """It is sent, and the connection cut."""


class RequestFate(StrEnum):
    """What becomes of a request by FIX."""

    WHOLE = "whole"
    LOST = "lost"
    """The connection breaks before it takes effect."""
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"
    """It takes effect; its answer says that nobody knows."""


class FaultPlan:
    """The faults that are switched on, and what they decide."""

    def __init__(self, chance: Chance, faults: Iterable[Fault] = (), *, seed: int = 0) -> None:
        self._chance = chance
        self._seed = seed
        self._hits: dict[int, int] = {}
        self.faults: dict[int, Fault] = {}
        self._numbered = 0
        for one in faults:
            self.start(one)

    # -- switching -------------------------------------------------------------------------

    def start(self, one: Fault) -> int:
        """Switch a fault on; returns the number by which it can be stopped."""
        self._numbered += 1
        self.faults[self._numbered] = one
        return self._numbered

    def stop(self, number: int) -> bool:
        """Switch a fault off; returns whether there was one."""
        self._hits.pop(number, None)
        return self.faults.pop(number, None) is not None

    def stop_named(self, name: FaultName | None = None) -> int:
        """Switch every fault of a name off, or all of them; returns how many there were."""
        numbers = [n for n, one in self.faults.items() if name in {None, one.name}]
        for number in numbers:
            self.stop(number)
        return len(numbers)

    def hits(self, number: int) -> int:
        """How often a fault has hit so far."""
        return self._hits.get(number, 0)

    # -- what now? -------------------------------------------------------------------------

    def delay(self, at: Instant) -> int:
        """How many microseconds of real time the answer to a request is held back."""
        one = self._strikes(at, _F.SLOW)
        if one is None or one.amount <= 0:
            return 0
        return self._chance.randrange(one.amount, 2 * one.amount + 1) * MILLISECOND

    def answer_fate(self, at: Instant, *, is_write: bool) -> AnswerFate:
        """What becomes of a request."""
        if self._strikes(at, _F.OUTAGE):
            return AnswerFate.UNAVAILABLE
        if self._strikes(at, _F.STORM):
            return AnswerFate.TOO_MANY
        if is_write and self._strikes(at, _F.ACCEPTED_THEN_503):
            return AnswerFate.LOST_AFTERWARDS
        if is_write and self._strikes(at, _F.ACCEPTED_WITHOUT_ORDER):
            return AnswerFate.EMPTY
        return AnswerFate.WHOLE

    def frame_fate(self, at: Instant, ticker: str = "", *, has_sequence: bool = True) -> FrameFate:
        """What becomes of a stream message."""
        if not self.faults:
            return FrameFate.SENT
        if self._strikes(at, _F.SILENT_STALL, ticker):
            return FrameFate.STALLED
        if has_sequence and self._strikes(at, _F.SEQUENCE_GAP, ticker):
            return FrameFate.LOST
        for name, fate in _FRAMES:
            if self._strikes(at, name, ticker):
                return fate
        return FrameFate.SENT

    def logon_refusal(self, at: Instant) -> FaultName | None:
        """The fault by which a FIX logon is refused, if one hits it."""
        return next((name for name in _LOGONS if self._strikes(at, name)), None)

    def request_fate(self, at: Instant, ticker: str, *, is_new: bool) -> RequestFate:
        """What becomes of a request by FIX."""
        if self._strikes(at, _F.FIX_REQUEST_LOST, ticker):
            return RequestFate.LOST
        if self._strikes(at, _F.FIX_LIMITED, ticker):
            return RequestFate.LIMITED
        if is_new and self._strikes(at, _F.FIX_UNAVAILABLE, ticker):
            return RequestFate.UNAVAILABLE
        return RequestFate.WHOLE

    def is_silent(self, at: Instant) -> bool:
        """Whether FIX sessions say nothing."""
        return bool(self.faults) and self._strikes(at, _F.FIX_SILENT) is not None

    def message_fate(self, at: Instant, ticker: str) -> FrameFate:
        """What becomes of a message of the exchange by FIX."""
        found = (fate for name, fate in _MESSAGES if self._strikes(at, name, ticker))
        return next(found, FrameFate.SENT)

    def page_is_lost(self, at: Instant, ticker: str) -> bool:
        """Whether a page of a settlement report is never sent: it takes no number."""
        return bool(self.faults) and self._strikes(at, _F.FIX_PAGE_LOST, ticker) is not None

    def message_delay(self, at: Instant, ticker: str) -> int:
        """How many microseconds of real time a message by FIX is held back."""
        one = self._strikes(at, _F.FIX_LATE, ticker)
        return 0 if one is None else max(0, one.amount) * MILLISECOND

    def taken_before_cancel(self, at: Instant, ticker: str) -> int:
        """How many percent of an order somebody takes just before it is cancelled."""
        one = self._strikes(at, _F.FILL_ON_CANCELED, ticker)
        return 0 if one is None else max(0, min(100, one.amount))

    def clock_skew(self, at: Instant) -> int:
        """By how many microseconds the exchange's clock is ahead."""
        return sum(
            one.amount * SECOND
            for one in self.faults.values()
            if one.name is _F.CLOCK_SKEW and one.holds(at)
        )

    def settlement_copies(self, at: Instant, ticker: str, settled_at: Instant) -> int:
        """How often the row of a settlement is listed: 0, 1 or 2 times."""
        for one in self._of(_F.SETTLEMENT_MISSING, at, ticker):
            if self._picks(one, ticker):
                return 0
        for one in self._of(_F.SETTLEMENT_LATE, at, ticker):
            if self._picks(one, ticker) and at < settled_at + one.amount * SECOND:
                return 0
        for one in self._of(_F.SETTLEMENT_DUPLICATED, at, ticker):
            if self._picks(one, ticker):
                return 2
        return 1

    def settlement_revised(self, at: Instant, ticker: str, settled_at: Instant) -> int:
        """By how many cents the revenue of a row differs now."""
        if at < settled_at + REVISED_AFTER:
            return 0
        return sum(
            one.amount
            for one in self._of(_F.SETTLEMENT_REVISED, at, ticker)
            if self._picks(one, ticker)
        )

    def fee_off(self, at: Instant, ticker: str, trade_id: str) -> int:
        """By how many 1/10,000 dollar the reported fee of a fill differs."""
        return sum(
            one.amount for one in self._of(_F.FEE_OFF, at, ticker) if self._picks(one, trade_id)
        )

    # -- helpers ---------------------------------------------------------------------------

    def _of(self, name: FaultName, at: Instant, ticker: str) -> list[Fault]:
        return [one for one in self.faults.values() if one.name is name and one.holds(at, ticker)]

    def _picks(self, one: Fault, key: str) -> bool:
        """Whether a fault of rows hits this one: always the same answer for the same row."""
        return crc32(f"{self._seed} {one.name} {key}".encode()) % ALWAYS < one.percent

    def _strikes(self, at: Instant, name: FaultName, ticker: str = "") -> Fault | None:
        """The first fault of the name that hits this turn, and counts it."""
        for number, one in self.faults.items():
            if one.name is not name or not one.holds(at, ticker):
                continue
            hits = self._hits.get(number, 0)
            if one.times is not None and hits >= one.times:
                continue
            if one.percent < ALWAYS and self._chance.randrange(0, ALWAYS) >= one.percent:
                continue
            self._hits[number] = hits + 1
            return one
        return None


_FRAMES: Final = (
    (_F.DISCONNECTS, FrameFate.CUT),
    (_F.DUPLICATE_MESSAGES, FrameFate.TWICE),
    (_F.REORDERED_MESSAGES, FrameFate.HELD),
)

_LOGONS: Final = (_F.FIX_NOT_ENTITLED, _F.FIX_EXISTS, _F.FIX_BUSY)
_MESSAGES: Final = (
    (_F.FIX_LOST, FrameFate.LOST),
    (_F.FIX_DOUBLED, FrameFate.TWICE),
    (_F.FIX_CUT, FrameFate.CUT),
)
