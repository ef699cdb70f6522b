"""Order books, trades and the state of markets (KalshiMD).  Prices are always dollars."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from trueup.core.units import Count, Price
from trueup.wire.fix import fields as f
from trueup.wire.fix import words as w
from trueup.wire.fix.message import Block, Message, Sender


class RelatedSymbol(Block, frozen=True, kw_only=True, gc=False):
    """One market of a subscription."""

    symbol: Annotated[str, f.Symbol]


class SnapshotEntry(Block, frozen=True, kw_only=True, gc=False):
    """A price level.  `utc_time` is microseconds since midnight of `utc_date`."""

    entry_type: Annotated[w.EntryType, f.MDEntryType]
    price: Annotated[Price, f.MDEntryPx]
    size: Annotated[Count, f.MDEntrySize]
    utc_date: Annotated[date | None, f.MDEntryDate] = None
    utc_time: Annotated[int | None, f.MDEntryTime] = None


class UpdateEntry(Block, frozen=True, kw_only=True, gc=False):
    """A level that changed, or a trade.  `size` *replaces* the level's size."""

    action: Annotated[w.UpdateAction, f.MDUpdateAction]
    symbol: Annotated[str, f.Symbol]
    entry_type: Annotated[w.EntryType, f.MDEntryType]
    price: Annotated[Price, f.MDEntryPx]
    size: Annotated[Count | None, f.MDEntrySize] = None
    utc_date: Annotated[date | None, f.MDEntryDate] = None
    utc_time: Annotated[int | None, f.MDEntryTime] = None
    aggressor: Annotated[str | None, f.AggressorSide] = None
    trade_type: Annotated[str | None, f.TrdType] = None
    trade_id: Annotated[str | None, f.TradeID] = None
    client_order_id: Annotated[str | None, f.ClOrdID] = None
    subaccount: Annotated[int | None, f.AllocAccount] = None


class MarketDataRequest(Message, frozen=True, kw_only=True, gc=False):
    """Subscribes to up to 1,000 markets (100,000 in one session)."""

    TYPE = "V"
    SENT_BY = Sender.CLIENT

    subscription: Annotated[w.Subscription, f.SubscriptionRequestType]
    symbols: Annotated[tuple[RelatedSymbol, ...], f.NoRelatedSym] = ()


class MarketDataSnapshotFullRefresh(Message, frozen=True, kw_only=True, gc=False):
    """The whole book of one market; an unknown ticker gets an empty one."""

    TYPE = "W"
    SENT_BY = Sender.EXCHANGE

    symbol: Annotated[str, f.Symbol]
    entries: Annotated[tuple[SnapshotEntry, ...], f.NoMDEntries] = ()


class MarketDataIncrementalRefresh(Message, frozen=True, kw_only=True, gc=False):
    """What changed."""

    TYPE = "X"
    SENT_BY = Sender.EXCHANGE

    entries: Annotated[tuple[UpdateEntry, ...], f.NoMDEntries] = ()


class MarketDataRequestReject(Message, frozen=True, kw_only=True, gc=False):
    """A subscription was refused."""

    TYPE = "Y"
    SENT_BY = Sender.EXCHANGE

    reason: Annotated[str | None, f.MDReqRejReason] = None
    text: Annotated[str | None, f.Text] = None


class SecurityStatusRequest(Message, frozen=True, kw_only=True, gc=False):
    """Subscribes to the state of one market."""

    TYPE = "e"
    SENT_BY = Sender.CLIENT

    subscription: Annotated[w.Subscription, f.SubscriptionRequestType]
    symbol: Annotated[str, f.Symbol]


class SecurityStatus(Message, frozen=True, kw_only=True, gc=False):
    """A market's state changed.  Nothing follows after settled."""

    TYPE = "f"
    SENT_BY = Sender.EXCHANGE

    symbol: Annotated[str, f.Symbol]
    status: Annotated[w.TradingStatus, f.SecurityTradingStatus]
