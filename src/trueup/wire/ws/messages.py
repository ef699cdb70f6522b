"""What the server sends: one struct per ``type``, read and written alike.

`read_message` decodes one frame.  A type that this version does not know, or a
message whose inside does not fit, still gives its `Envelope`: its place in the
sequence counts whatever it says.

Frames end with a newline.  Since October 2026 each carries ``sending_ts_ms``.
``seq`` is optional everywhere: some channels have none, others had none once.
"""

from __future__ import annotations

from typing import ClassVar, Final

import msgspec
from msgspec import UNSET, UnsetType

from trueup.wire.ws import bodies as b
from trueup.wire.ws import private_bodies as p

Whole = int | UnsetType


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type"):
    """What every message may carry.

    `id` repeats the command that it answers, `sid` names the subscription, `seq`
    is the message's place in it, `sending_ts_ms` the exchange's time of sending.
    """

    id: Whole = UNSET
    sid: Whole = UNSET
    seq: Whole = UNSET
    sending_ts_ms: Whole = UNSET


class SubscribedBody(msgspec.Struct, frozen=True):
    """Which channel has which subscription id."""

    channel: str
    sid: int


class Subscribed(Message, frozen=True, kw_only=True, tag="subscribed"):
    """A subscription exists now."""

    msg: SubscribedBody


class Unsubscribed(Message, frozen=True, kw_only=True, tag="unsubscribed"):
    """A subscription ended."""


class OkBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a subscription covers after a change.  Lists may be left out."""

    market_tickers: tuple[str, ...] | UnsetType | None = UNSET
    market_ids: tuple[str, ...] | UnsetType | None = UNSET
    index_ids: tuple[str, ...] | UnsetType | None = UNSET
    underlying_tickers: tuple[str, ...] | UnsetType | None = UNSET


class Ok(Message, frozen=True, kw_only=True, tag="ok"):
    """A change was made, or (a list) here are all subscriptions."""

    msg: OkBody | tuple[SubscribedBody, ...] | UnsetType | None = UNSET


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """Why not.  `code` is one of `channels.ErrorCode`, or a newer one."""

    code: int
    msg: str = ""
    market_ticker: b.Text = UNSET
    market_tickers: tuple[str, ...] | UnsetType | None = UNSET
    market_id: b.Text = UNSET


class Error(Message, frozen=True, kw_only=True, tag="error"):
    """A command was refused, or a subscription broke."""

    msg: ErrorBody


class Snapshot(Message, frozen=True, kw_only=True, tag="orderbook_snapshot"):
    """A whole order book; `id` is set where it was asked for."""

    msg: b.SnapshotBody


class Delta(Message, frozen=True, kw_only=True, tag="orderbook_delta"):
    """One change of one level of an order book."""

    msg: b.DeltaBody


class Ticker(Message, frozen=True, kw_only=True, tag="ticker"):
    """The top of a market."""

    msg: b.TickerBody


class Trade(Message, frozen=True, kw_only=True, tag="trade"):
    """A public trade."""

    msg: b.TradeBody


class Fill(Message, frozen=True, kw_only=True, tag="fill"):
    """One of our fills."""

    msg: p.FillBody


class UserOrder(Message, frozen=True, kw_only=True, tag="user_order"):
    """One of our orders."""

    msg: p.UserOrderBody


class MarketPosition(Message, frozen=True, kw_only=True, tag="market_position"):
    """One of our positions."""

    msg: p.PositionBody


class MarketLifecycle(Message, frozen=True, kw_only=True, tag="market_lifecycle_v2"):
    """A step in the life of a market."""

    msg: b.LifecycleBody


class ComboLifecycle(Message, frozen=True, kw_only=True, tag="multivariate_market_lifecycle"):
    """A step in the life of a combination market."""

    msg: b.LifecycleBody


class EventLifecycle(Message, frozen=True, kw_only=True, tag="event_lifecycle"):
    """A new event."""

    msg: b.EventBody


class EventFeeUpdate(Message, frozen=True, kw_only=True, tag="event_fee_update"):
    """An event's own fee terms."""

    msg: b.EventFeesBody


class OrderGroupUpdates(Message, frozen=True, kw_only=True, tag="order_group_updates"):
    """One of our order groups."""

    msg: p.OrderGroupBody


class RfqCreated(Message, frozen=True, kw_only=True, tag="rfq_created"):
    """A new request for quotes."""

    msg: p.RfqBody


class RfqDeleted(Message, frozen=True, kw_only=True, tag="rfq_deleted"):
    """A request for quotes is gone."""

    msg: p.RfqBody


class QuoteCreated(Message, frozen=True, kw_only=True, tag="quote_created"):
    """A new quote."""

    msg: p.QuoteBody


class QuoteAccepted(Message, frozen=True, kw_only=True, tag="quote_accepted"):
    """A quote was accepted."""

    msg: p.QuoteBody


class QuoteExecuted(Message, frozen=True, kw_only=True, tag="quote_executed"):
    """A quote became orders."""

    msg: p.QuoteBody


class RfqBatchCreated(Message, frozen=True, kw_only=True, tag="rfq_batch_created"):
    """A new batch of requests."""

    msg: p.BatchCreatedBody


class RfqBatchDeleted(Message, frozen=True, kw_only=True, tag="rfq_batch_deleted"):
    """A batch is gone."""

    msg: p.BatchDeletedBody


class BatchQuoteCreated(Message, frozen=True, kw_only=True, tag="batch_quote_created"):
    """Our batch quote was taken in."""

    msg: p.BatchQuoteCreatedBody


class RfqBatchBestQuotes(Message, frozen=True, kw_only=True, tag="rfq_batch_best_quotes"):
    """The best bids on our batch."""

    msg: p.BatchBestQuotesBody


class BatchQuoteAccepted(Message, frozen=True, kw_only=True, tag="batch_quote_accepted"):
    """What we won of a batch."""

    msg: p.BatchQuoteAcceptedBody


class RfqBatchExecuted(Message, frozen=True, kw_only=True, tag="rfq_batch_executed"):
    """How our batch ended."""

    msg: p.BatchExecutedBody


class BatchQuoteExecuted(Message, frozen=True, kw_only=True, tag="batch_quote_executed"):
    """How our part of a batch ended."""

    msg: p.BatchExecutedBody


class CfBenchmarksValue(Message, frozen=True, kw_only=True, tag="cfbenchmarks_value"):
    """A CF Benchmarks index, each second."""

    msg: b.CfBenchmarksBody


class CfBenchmarksList(Message, frozen=True, kw_only=True, tag="cfbenchmarks_value_indexlist"):
    """Which CF Benchmarks indices there are."""

    msg: b.IndexListBody


class CfBenchmarks5HzValue(Message, frozen=True, kw_only=True, tag="cfbenchmarks_value_5hz"):
    """A CF Benchmarks index, five times a second."""

    msg: b.CfBenchmarks5HzBody


class CfBenchmarks5HzList(
    Message, frozen=True, kw_only=True, tag="cfbenchmarks_value_5hz_indexlist"
):
    """Which CF Benchmarks indices come five times a second."""

    msg: b.IndexListBody


class PythValue(Message, frozen=True, kw_only=True, tag="pyth_value"):
    """A Pyth price."""

    msg: b.PythBody


class PythList(Message, frozen=True, kw_only=True, tag="pyth_value_underlying_list"):
    """Which Pyth prices there are."""

    msg: b.UnderlyingListBody


Batch = (
    RfqBatchCreated
    | RfqBatchDeleted
    | BatchQuoteCreated
    | RfqBatchBestQuotes
    | BatchQuoteAccepted
    | RfqBatchExecuted
    | BatchQuoteExecuted
)
Reply = Subscribed | Unsubscribed | Ok | Error | CfBenchmarksList | CfBenchmarks5HzList | PythList
PublicNews = (
    Snapshot
    | Delta
    | Ticker
    | Trade
    | MarketLifecycle
    | ComboLifecycle
    | EventLifecycle
    | EventFeeUpdate
    | CfBenchmarksValue
    | CfBenchmarks5HzValue
    | PythValue
)
PrivateNews = (
    Fill
    | UserOrder
    | MarketPosition
    | OrderGroupUpdates
    | RfqCreated
    | RfqDeleted
    | QuoteCreated
    | QuoteAccepted
    | QuoteExecuted
    | Batch
)
News = PublicNews | PrivateNews
AnyMessage = Reply | News


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A message of which only the outside could be read, and why."""

    type: str = ""
    id: Whole = UNSET
    sid: Whole = UNSET
    seq: Whole = UNSET
    msg: msgspec.Raw | UnsetType = UNSET
    why: str = ""

    KNOWN: ClassVar[frozenset[str]]

    @property
    def is_new(self) -> bool:
        """Whether it is of a type that this version does not know."""
        return self.type not in self.KNOWN


MESSAGES: Final[tuple[type[Message], ...]] = (
    *Reply.__args__,
    *PublicNews.__args__,
    *PrivateNews.__args__,
)
TYPES: Final = {str(one.__struct_config__.tag): one for one in MESSAGES}
"""Every known message by the word in its ``type``."""

Envelope.KNOWN = frozenset(TYPES)

_message: Final = msgspec.json.Decoder(AnyMessage)
_envelope: Final = msgspec.json.Decoder(Envelope)
_encoder: Final = msgspec.json.Encoder()


def read_message(frame: bytes | str) -> AnyMessage | Envelope:
    """Decode one frame; an `Envelope` where the inside is new or does not fit.

    Raises `msgspec.MsgspecError` (or `UnicodeDecodeError`, `RecursionError`) for a
    frame that is no JSON object.
    """
    try:
        return _message.decode(frame)
    except msgspec.ValidationError as error:
        return msgspec.structs.replace(_envelope.decode(frame), why=str(error))


def write_message(message: AnyMessage) -> bytes:
    """The text of one frame, with its newline."""
    return _encoder.encode(message) + b"\n"
