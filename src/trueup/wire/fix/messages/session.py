"""The session itself: header, logon, heartbeats, resending, logout."""

from __future__ import annotations

from typing import Annotated

from trueup.core.instant import Instant
from trueup.wire.fix import fields as f
from trueup.wire.fix.message import Block, Message, Required, Sender


class Header(Block, frozen=True, kw_only=True, gc=False):
    """The standard header without 8, 9 and 35, which the codec writes and checks.

    The exchange is seen to call itself ``Kalshi`` as well as by the session's name
    (``KalshiPT``); who reads a message accepts either.
    """

    sender: Annotated[str, f.SenderCompID]
    target: Annotated[str, f.TargetCompID]
    sequence: Annotated[int, f.MsgSeqNum]
    sending_time: Annotated[Instant, f.SendingTime]
    is_possible_duplicate: Annotated[bool | None, f.PossDupFlag] = None
    is_possible_resend: Annotated[bool | None, f.PossResend] = None
    original_sending_time: Annotated[Instant | None, f.OrigSendingTime] = None
    sender_sub_id: Annotated[str | None, f.SenderSubID] = None
    target_sub_id: Annotated[str | None, f.TargetSubID] = None
    sender_location_id: Annotated[str | None, f.SenderLocationID] = None
    target_location_id: Annotated[str | None, f.TargetLocationID] = None
    on_behalf_of: Annotated[str | None, f.OnBehalfOfCompID] = None
    deliver_to: Annotated[str | None, f.DeliverToCompID] = None
    application_version: Annotated[str | None, f.ApplVerID] = None
    custom_application_version: Annotated[str | None, f.CstmApplVerID] = None


class Trailer(Block, frozen=True, kw_only=True, gc=False):
    """The standard trailer without 10, which the codec writes and checks."""

    signature: Annotated[str | None, f.Signature] = None


class Heartbeat(Message, frozen=True, kw_only=True, gc=False):
    """Nothing to say, still here; or the answer to a `TestRequest`."""

    TYPE = "0"
    IS_ADMIN = True

    test_request_id: Annotated[str | None, f.TestReqID] = None


class TestRequest(Message, frozen=True, kw_only=True, gc=False):
    """Are you there?  Answered by a `Heartbeat` with the same id."""

    TYPE = "1"
    IS_ADMIN = True

    test_request_id: Annotated[str, f.TestReqID]


class ResendRequest(Message, frozen=True, kw_only=True, gc=False):
    """Send these numbers again; an `end` of 0 means everything from `begin` on."""

    TYPE = "2"
    IS_ADMIN = True

    begin: Annotated[int, f.BeginSeqNo]
    end: Annotated[int, f.EndSeqNo]


class Reject(Message, frozen=True, kw_only=True, gc=False):
    """A message was understood as a frame and refused for its content."""

    TYPE = "3"
    IS_ADMIN = True

    refused_sequence: Annotated[int, f.RefSeqNum]
    refused_tag: Annotated[int | None, f.RefTagID] = None
    refused_type: Annotated[str | None, f.RefMsgType] = None
    reason: Annotated[str | None, f.SessionRejectReason] = None
    text: Annotated[str | None, f.Text] = None


class SequenceReset(Message, frozen=True, kw_only=True, gc=False):
    """The next number is `new_sequence`: a gap fill (`is_gap_fill`), or a plain reset."""

    TYPE = "4"
    IS_ADMIN = True

    is_gap_fill: Annotated[bool | None, f.GapFillFlag] = None
    new_sequence: Annotated[int, f.NewSeqNo]


class Logout(Message, frozen=True, kw_only=True, gc=False):
    """The end of the session, with the reason in `text`; also the answer to a refused logon."""

    TYPE = "5"
    IS_ADMIN = True

    text: Annotated[str | None, f.Text] = None


class Logon(Message, frozen=True, kw_only=True, gc=False):
    """Opens a session.  `signature` covers the text of `trueup.wire.fix.logon`."""

    TYPE = "A"
    IS_ADMIN = True

    encryption: Annotated[str, f.EncryptMethod] = "0"
    heartbeat_seconds: Annotated[int, f.HeartBtInt]
    signature: Annotated[str | None, f.RawData, Required(Sender.CLIENT)] = None
    reset_sequences: Annotated[bool | None, f.ResetSeqNumFlag] = None
    next_expected_sequence: Annotated[int | None, f.NextExpectedMsgSeqNum] = None
    message_size_max: Annotated[int | None, f.MaxMessageSize] = None
    is_test: Annotated[bool | None, f.TestMessageIndicator] = None
    username: Annotated[str | None, f.Username] = None
    password: Annotated[str | None, f.Password] = None
    default_application_version: Annotated[str, f.DefaultApplVerID] = "9"
    cancel_orders_on_disconnect: Annotated[bool | None, f.CancelOrdersOnDisconnect] = None
    is_listener: Annotated[bool | None, f.ListenerSession] = None
    receive_settlement_reports: Annotated[bool | None, f.ReceiveSettlementReports] = None
    retention_hours: Annotated[int | None, f.MessageRetentionPeriod] = None
    use_dollars: Annotated[bool | None, f.UseDollars] = None
    cancel_order_on_pause: Annotated[bool | None, f.CancelOrderOnPause] = None
    enable_ioc_cancel_report: Annotated[bool | None, f.EnableIocCancelReport] = None
    preserve_original_order_quantity: Annotated[bool | None, f.PreserveOriginalOrderQty] = None
    skip_pending_reports: Annotated[bool | None, f.SkipPendingExecReports] = None
    use_expired_status: Annotated[bool | None, f.UseExpiredOrdStatus] = None
    always_emit_new_before_trade: Annotated[bool | None, f.AlwaysEmitNewBeforeTrade] = None
    split_collateral_return: Annotated[bool | None, f.SplitCollateralReturn] = None
    use_cap_reservation: Annotated[bool | None, f.UseCapReservation] = None


class BusinessMessageReject(Message, frozen=True, kw_only=True, gc=False):
    """A sound message that the application refuses: rate limit, entitlement, order group."""

    TYPE = "j"
    SENT_BY = Sender.EXCHANGE

    refused_sequence: Annotated[int | None, f.RefSeqNum] = None
    refused_type: Annotated[str | None, f.RefMsgType] = None
    refused_id: Annotated[str | None, f.BusinessRejectRefID] = None
    reason: Annotated[str, f.BusinessRejectReason]
    text: Annotated[str | None, f.Text] = None
