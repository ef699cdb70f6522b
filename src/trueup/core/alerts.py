"""What an operator is told: kinds, how grave each is, and one alert as a value.

The trader's machine, the books and the loops around them all tell alerts of
these kinds.  What of them reaches a person, and when, is `core.alerting`'s to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final

from trueup.core.instant import Instant


class Severity(IntEnum):
    """How grave an alert is; comparable."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2

    @property
    def word(self) -> str:
        """The name in lower case, as settings and documents spell it."""
        return self.name.lower()


class AlertKind(StrEnum):
    """What an alert is about; people choose by it what they want to hear of."""

    FILL = "fill"
    SETTLEMENT = "settlement"
    LIFTED = "lifted"
    SWEPT = "swept"
    REFUSED = "refused"
    STRATEGY = "strategy"
    UNKNOWN_ORDER = "unknown_order"
    OPPORTUNITY = "opportunity"
    FEED = "feed"
    CONNECTION = "connection"
    LOSS = "loss"
    HALT = "halt"
    KILL = "kill"
    BOOKS = "books"
    EXCHANGE = "exchange"
    DEAD_BOT = "dead_bot"
    WATCHDOG = "watchdog"
    OPERATOR = "operator"
    FLATTENED = "flattened"
    TROUBLE = "trouble"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Meaning:
    """How grave a kind is, and what it says."""

    severity: Severity
    words: str


MEANINGS: Final[Mapping[AlertKind, Meaning]] = MappingProxyType(
    {
        AlertKind.FILL: Meaning(Severity.INFO, "An order of a strategy traded."),
        AlertKind.SETTLEMENT: Meaning(Severity.INFO, "A market in which something was held paid."),
        AlertKind.LIFTED: Meaning(Severity.INFO, "A halt is over."),
        AlertKind.SWEPT: Meaning(
            Severity.WARNING, "A cancel-all failed, goes on, or is proven to be complete."
        ),
        AlertKind.REFUSED: Meaning(Severity.WARNING, "The exchange refused an order."),
        AlertKind.STRATEGY: Meaning(
            Severity.WARNING, "A strategy raised an error or was paused; the others go on."
        ),
        AlertKind.UNKNOWN_ORDER: Meaning(
            Severity.WARNING, "No answer came for an order: its market is held until it is known."
        ),
        AlertKind.OPPORTUNITY: Meaning(
            Severity.INFO, "A strategy saw a chance that it does not take by itself."
        ),
        AlertKind.FEED: Meaning(
            Severity.WARNING, "A source of signals or prices is down, stale or malformed."
        ),
        AlertKind.CONNECTION: Meaning(
            Severity.WARNING, "The exchange cannot be reached, or can be reached again."
        ),
        AlertKind.LOSS: Meaning(Severity.CRITICAL, "A loss limit stopped a strategy or all."),
        AlertKind.HALT: Meaning(Severity.CRITICAL, "Nothing new is sent, and why."),
        AlertKind.KILL: Meaning(Severity.CRITICAL, "The kill switch was pulled."),
        AlertKind.BOOKS: Meaning(
            Severity.CRITICAL, "A break in the books: they do not agree with the exchange's."
        ),
        AlertKind.EXCHANGE: Meaning(
            Severity.WARNING, "The exchange or one of its shards stopped taking orders, or goes on."
        ),
        AlertKind.DEAD_BOT: Meaning(
            Severity.CRITICAL, "A bot ended without saying goodbye, or says nothing any more."
        ),
        AlertKind.WATCHDOG: Meaning(
            Severity.CRITICAL, "A strategy or the loop hung for longer than allowed."
        ),
        AlertKind.OPERATOR: Meaning(
            Severity.INFO, "A person paused, resumed, killed, cancelled or rearmed something."
        ),
        AlertKind.FLATTENED: Meaning(
            Severity.WARNING, "An operator had positions closed: how many, and which are left."
        ),
        AlertKind.TROUBLE: Meaning(
            Severity.WARNING, "Something that runs beside the bot ended; the bot goes on."
        ),
        AlertKind.TEST: Meaning(Severity.INFO, "Somebody tried whether alerts arrive."),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that a person should know.

    `key` says what is the same trouble told again: alerts of one kind, strategy
    and key are repetitions.  Empty: the words are the key.  `ends` is the key of the
    trouble that is over by this: when it comes again it is new.  `by` and `command` say
    which operator did what.
    """

    at: Instant
    kind: AlertKind
    words: str
    strategy: str = ""
    key: str = ""
    ends: str = ""
    by: str = ""
    command: str = ""

    @property
    def severity(self) -> Severity:
        """How grave it is."""
        return MEANINGS[self.kind].severity

    @property
    def identity(self) -> tuple[str, str, str]:
        """What repetitions of it have in common."""
        return self.kind.value, self.strategy, self.key or self.words
