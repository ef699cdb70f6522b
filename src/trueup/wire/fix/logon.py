"""Opening a session: the options of a logon, and the text that its signature covers.

    SendingTime SOH "A" SOH MsgSeqNum SOH SenderCompID SOH TargetCompID

with the times and numbers exactly as sent, and no SOH at the end (the exchange's page
*FIX session management*).  So the signature can only be made when the number and the
time of the message are fixed, and anew for every attempt: the exchange accepts a
SendingTime within 30 seconds of its own clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from trueup.core.errors import CallerError
from trueup.core.instant import SECOND
from trueup.wire.fix.frame import SOH, open_frame
from trueup.wire.fix.kinds import PriceUnit, write_instant
from trueup.wire.fix.messages.session import Header, Logon
from trueup.wire.fix.pairs import split_body
from trueup.wire.fix.session_kinds import SessionKind

SENDING_TIME_WINDOW: Final = 30 * SECOND
"""How far a SendingTime may be from the reader's clock, in microseconds."""

HEARTBEAT_SECONDS_MIN: Final = 4
RETENTION_HOURS_MAX: Final = 72

Sign = Callable[[bytes], str]
"""Signs a text and gives the signature in base64.  Keys are none of this package's business."""


def logon_text(header: Header) -> bytes:
    """The bytes that a logon's signature covers."""
    return SOH.join(
        (
            write_instant(header.sending_time),
            Logon.TYPE,
            str(header.sequence),
            header.sender,
            header.target,
        )
    ).encode()


def logon_text_as_sent(raw: bytes) -> bytes:
    """The same from a whole message, in the very characters that were sent.

    Another engine may write its time without milliseconds, or its number with zeros in
    front; the signature covers what it wrote.
    """
    tags, values = split_body(open_frame(raw))
    sent = dict(zip(tags, values, strict=True))
    parts = (sent[tag] for tag in ("52", "35", "34", "49", "56"))
    return SOH.join(parts).encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogonOptions:
    """What a client asks for when it opens a session.

    `reset` throws away what was missed on RT and PT and must be left out unless that is
    wanted; the other kinds always reset.  A listener (`is_listener`) hears the account's
    execution reports on NR or RT and may send nothing; it needs a key of its own.
    `use_dollars` writes prices in dollars.  `new_before_trade` keeps the New report
    apart from a first Trade: without it a fill may be the first word about an order.
    """

    heartbeat_seconds: int = 30
    reset: bool = False
    is_listener: bool = False
    receive_settlement_reports: bool | None = None
    retention_hours: int | None = None
    use_dollars: bool = True
    cancel_orders_on_disconnect: bool = False
    skip_pending_reports: bool = True
    new_before_trade: bool = True
    use_expired_status: bool = False
    ioc_cancel_report: bool = False
    preserve_original_quantity: bool = False

    @property
    def unit(self) -> PriceUnit:
        """In what the session will write its prices."""
        return PriceUnit.DOLLARS if self.use_dollars else PriceUnit.CENTS

    def check(self, kind: SessionKind) -> None:
        """Raises `CallerError` for options that this kind of session does not have."""
        terms = kind.terms
        problems = (
            (
                self.heartbeat_seconds < HEARTBEAT_SECONDS_MIN,
                "a heartbeat takes at least 4 seconds",
            ),
            (
                self.is_listener and not terms.may_listen,
                "listener sessions exist on NR and RT only",
            ),
            (
                self.is_listener and self.cancel_orders_on_disconnect,
                "a listener has no orders that could be cancelled when it disconnects",
            ),
            (
                bool(self.receive_settlement_reports) and not terms.settlement_on_request,
                "settlement reports exist on PT, RT and NR only",
            ),
            (
                self.retention_hours is not None and not terms.retransmits,
                "only RT and PT keep messages for sending again",
            ),
            (
                not 1 <= (self.retention_hours or 1) <= RETENTION_HOURS_MAX,
                "messages are kept for 1 to 72 hours",
            ),
        )
        for is_wrong, says in problems:
            if is_wrong:
                raise CallerError(f"{kind}: {says}")

    def message(self, kind: SessionKind, signature: str) -> Logon:
        """The Logon of a session of this kind.  What is off is left out."""
        is_trading = "D" in kind.terms.sends
        return Logon(
            heartbeat_seconds=self.heartbeat_seconds,
            signature=signature,
            reset_sequences=True if self.reset or kind.terms.must_reset else None,
            cancel_orders_on_disconnect=(
                self.cancel_orders_on_disconnect if is_trading or self.is_listener else None
            ),
            is_listener=self.is_listener or None,
            receive_settlement_reports=self.receive_settlement_reports,
            retention_hours=self.retention_hours,
            use_dollars=self.use_dollars or None,
            skip_pending_reports=(is_trading and (self.skip_pending_reports or self.is_listener))
            or None,
            always_emit_new_before_trade=(is_trading and self.new_before_trade) or None,
            use_expired_status=self.use_expired_status or None,
            enable_ioc_cancel_report=self.ioc_cancel_report or None,
            preserve_original_order_quantity=self.preserve_original_quantity or None,
        )
