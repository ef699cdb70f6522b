"""Who may pass: real checks of real signatures.

The order of the checks decides which error a faulty request gets: headers,
time, key, signature, then scope and subaccount.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from trueup.core.ids import Subaccount
from trueup.core.instant import SECOND, Instant, from_milliseconds
from trueup.net.acceptor import replies
from trueup.net.acceptor.keys import (
    READ,
    READ_BALANCE,
    READ_BLOCK_TRADES,
    WRITE,
    WRITE_BLOCK_TRADES,
    WRITE_TRADE,
    WRITE_TRANSFER,
    KeyRing,
)
from trueup.net.acceptor.replies import Reply
from trueup.sim.commands import Member
from trueup.wire.rest.table import Operation
from trueup.wire.signing import signing_text

KEY_HEADER: Final = "KALSHI-ACCESS-KEY"
TIMESTAMP_HEADER: Final = "KALSHI-ACCESS-TIMESTAMP"
SIGNATURE_HEADER: Final = "KALSHI-ACCESS-SIGNATURE"

WINDOW: Final = 15 * SECOND
"""How far a timestamp may be off.  Measured: 10 s pass, 30 s do not."""

_ACCOUNT_WIDE: Final = frozenset(
    {
        "GetDeposits",
        "GetWithdrawals",
        "GetSubaccountBalances",
        "GetSubaccountTransfers",
        "GetIntraExchangeInstanceTransfers",
        "GetIntraExchangeInstanceTransfer",
        "IntraExchangeInstanceTransfer",
        "CreateSubaccount",
        "ApplySubaccountTransfer",
        "GetSubaccountNetting",
        "UpdateSubaccountNetting",
        "GetTargetBalanceAllocation",
        "SetTargetBalanceAllocation",
        "GetApiKeys",
        "CreateApiKey",
        "GenerateApiKey",
        "DeleteApiKey",
    }
)
"""What a key that is locked to one subaccount may not see at all."""

_SCOPES: Final = {
    "GetBalance": READ_BALANCE,
    "GetBlockTradeProposals": READ_BLOCK_TRADES,
    "AcceptBlockTradeProposal": WRITE_BLOCK_TRADES,
    "IntraExchangeInstanceTransfer": WRITE_TRANSFER,
    "ApplySubaccountTransfer": WRITE_TRANSFER,
    "SetTargetBalanceAllocation": WRITE_TRANSFER,
}
"""What a key needs where the section does not say it."""

_TRADING: Final = (
    "/portfolio/events/orders",
    "/portfolio/orders",
    "/portfolio/order_groups",
    "/communications/",
)
"""Sections whose writes are trading."""

_DIGITS_MIN: Final = 13

Clock = Callable[[], Instant]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a request comes from.  `subaccount` is set for a locked key."""

    key_id: str
    member: Member
    subaccount: Subaccount | None = None


ANYBODY: Final = Caller("", Member(""))
"""Somebody without a key."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Checks requests.  A timestamp is good if it is near any of the `clocks`."""

    keys: KeyRing
    clocks: tuple[Clock, ...]
    window: int = WINDOW

    def admit(
        self, operation: Operation, headers: Mapping[str, str], *, path: str
    ) -> Caller | Reply:
        """The caller of a request, or why it is refused.  `path` is as it was sent."""
        if not operation.signed:
            return ANYBODY
        caller = self.identify(headers, method=operation.method, path=path)
        if isinstance(caller, Reply):
            return caller
        key = self.keys.find(caller.key_id)
        if key is not None and not key.may(scope_of(operation)):
            return replies.NO_SCOPE
        if caller.subaccount is not None and operation.name in _ACCOUNT_WIDE:
            return replies.OTHER_SUBACCOUNT
        return caller

    def admit_stream(self, headers: Mapping[str, str], *, path: str) -> Caller | Reply:
        """Who opens a stream.  All channels, also the public ones, need a key that may read."""
        caller = self.identify(headers, method="GET", path=path)
        if isinstance(caller, Reply):
            return caller
        key = self.keys.find(caller.key_id)
        return replies.NO_SCOPE if key is not None and not key.may(READ) else caller

    def identify(self, headers: Mapping[str, str], *, method: str, path: str) -> Caller | Reply:
        """Who signed a request, whatever it asks for; or why nobody believes it."""
        if self.keys.accepts_token(headers.get("Authorization", "")):
            return Caller("bearer", self.keys.owner)
        key_id = headers.get(KEY_HEADER, "")
        signature = headers.get(SIGNATURE_HEADER, "")
        timestamp = headers.get(TIMESTAMP_HEADER, "")
        refused = _missing(key_id, signature, timestamp)
        if refused is None and not self._is_near(timestamp):
            refused = replies.EXPIRED
        if refused is not None:
            return refused
        key = self.keys.find(key_id)
        if key is None:
            return replies.UNKNOWN_KEY
        if not key.verifies(signature, signing_text(int(timestamp), method, path)):
            return replies.WRONG_SIGNATURE
        return Caller(key_id, key.member or self.keys.owner, key.subaccount)

    def _is_near(self, timestamp: str) -> bool:
        # A time in seconds is decades off; the text to sign could not even be made of it.
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) < _DIGITS_MIN:
            return False
        stamped = from_milliseconds(int(timestamp))
        return any(abs(clock() - stamped) <= self.window for clock in self.clocks)


def _missing(key_id: str, signature: str, timestamp: str) -> Reply | None:
    if not key_id:
        return replies.UNSIGNED
    if not signature:
        return replies.NO_SIGNATURE
    return None if timestamp else replies.NO_TIMESTAMP


def scope_of(operation: Operation) -> str:
    """What a key must be allowed."""
    listed = _SCOPES.get(operation.name)
    if listed is not None:
        return listed
    if operation.method == "GET":
        return READ
    return WRITE_TRADE if operation.template.startswith(_TRADING) else WRITE
