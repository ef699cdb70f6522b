"""Every error of trueup, sorted by what to do next.

    TrueupError
    ├── CallerError            your call or your setup is wrong: fix it, then try again
    │   ├── NotANumber             a value is not a plain decimal number
    │   ├── FinerThanUnit          a value has more decimal places than its unit
    │   ├── ConfigError            a setting, a key or a file is missing or wrong
    │   ├── BooksError             the local books cannot be opened or do not fit
    │   └── ForeignDatabaseError   a bot's own database cannot be read or patched
    ├── ExchangeRefused        the exchange answered no: the message says why
    │   ├── NotAuthorized          401/403: key, signature, clock or scope
    │   ├── RateLimited            429: too many requests, try later
    │   └── NotFound               404
    ├── OutcomeUnknown         nobody knows what happened: ask the exchange before going on
    │   ├── Unreachable            no answer came (network, DNS, time-out, 5xx)
    │   │   └── NotSent                the request never left: nothing happened
    │   └── BookUnknown            an order book has no snapshot, or missed a change
    ├── ProtocolBroken         they sent something that cannot be understood
    │   └── UnknownWord            a word that is new, where a guess could be wrong
    └── InvariantBroken        we broke a rule of our own: stop, keep the evidence, report it

`str(error)` is the message for a person; `error.remedy` says what to do next.
An `OutcomeUnknown` about orders is a `trueup.core.order_entry.OrderOutcomeUnknown`,
which also says what to ask.  Expected refusals (a break in the books, a row
that cannot be verified) are values, not errors.
"""

from __future__ import annotations

import errno
from typing import Final

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says of a disk on which nothing more fits."""


def writing_remedy(error: OSError) -> str:
    """What to do next where a file could not be written."""
    if error.errno in FULL:
        return "Free some space on that disk, then try again."
    if error.errno == errno.EROFS:
        return "That disk is mounted read-only: mount it for writing, or use another folder."
    return "Give yourself write permission on the folder."


class TrueupError(Exception):
    """Base of everything that trueup raises on purpose."""

    remedy: str = ""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        if remedy:
            self.remedy = remedy


def with_remedy(error: TrueupError) -> str:
    """The message and what to do, as one text: for a log or an alert that is all one sees."""
    words = str(error)
    told = f"{words.removesuffix('.')}. {error.remedy}" if error.remedy else words
    return told.removesuffix(".")


class CallerError(TrueupError):
    """The call or the set-up is wrong; nothing was done."""


class NotANumber(CallerError, ValueError):
    """A value that should be a plain decimal number is not."""


class FinerThanUnit(CallerError, ValueError):
    """A value has more decimal places than its unit can hold.  Nothing was cut."""


class ConfigError(CallerError):
    """A setting, a key or a file is missing or wrong."""


class BooksError(CallerError):
    """The local books cannot be opened, are of another version or of another account."""


class ForeignDatabaseError(CallerError):
    """A bot's own database cannot be read or patched as asked."""


class ExchangeRefused(TrueupError):
    """The exchange answered no.

    `status` is the HTTP status, `code` the exchange's own error code (may be
    empty), `details` its further words (may be empty).
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str = "",
        details: str = "",
        remedy: str = "",
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.code = code
        self.details = details


class NotAuthorized(ExchangeRefused):
    """401 or 403: the key, the signature, the clock or the scope is wrong."""


class RateLimited(ExchangeRefused):
    """429: the account's token bucket was empty, also after waiting."""


class NotFound(ExchangeRefused):
    """404: the exchange does not know the thing (which, for orders, proves nothing)."""


class OutcomeUnknown(TrueupError):
    """Nobody knows whether the request took effect: ask the exchange before going on."""


class Unreachable(OutcomeUnknown):
    """No usable answer came: network, DNS, time-out, or the exchange is down (5xx)."""


class BookUnknown(OutcomeUnknown):
    """An order book cannot be believed: no snapshot yet, or a change was missed."""

    remedy = "Wait for its next snapshot; it is asked for already."


class NotSent(Unreachable):
    """The request never reached the exchange: it had no effect and may be made again."""


class ProtocolBroken(TrueupError):
    """An answer could not be understood.  `evidence` holds the first bytes of it."""

    def __init__(self, message: str, *, evidence: str = "", remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.evidence = evidence


class UnknownWord(ProtocolBroken):
    """A word of the exchange that this version does not know, e.g. a new order status.

    It is never guessed at.  `field` and `word` say which.
    """

    def __init__(
        self, message: str, *, field: str, word: str, evidence: str = "", remedy: str = ""
    ) -> None:
        super().__init__(message, evidence=evidence, remedy=remedy)
        self.field = field
        self.word = word

    @property
    def drift(self) -> str:
        """The same in short: ``status=pending``."""
        return f"{self.field}={self.word}"


class InvariantBroken(TrueupError):
    """A rule that must always hold does not: a defect of trueup.  Nothing was written."""

    remedy = "Please report this with the output of `trueup export audit`."
