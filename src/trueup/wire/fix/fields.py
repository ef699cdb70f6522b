"""Every field that Kalshi's FIX knows: its number, its name, how its value is written.

The names are those of the exchange's dictionary.  Messages (`messages/`) are made of
these; the codec, the documentation and the exported dictionary follow from both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from trueup.wire.fix import kinds as k
from trueup.wire.fix import meanings as m
from trueup.wire.fix import words as w


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    `meanings` explains the codes of an open list.  `length_tag` is the field that
    counts the bytes of a data field.
    """

    tag: int
    name: str
    kind: k.AnyKind
    meanings: Mapping[str, str] = field(default_factory=dict[str, str])
    length_tag: int = 0


# The frame and the session.
BeginString: Final = Field(8, "BeginString", k.TEXT)
BodyLength: Final = Field(9, "BodyLength", k.LENGTH)
CheckSum: Final = Field(10, "CheckSum", k.TEXT)
MsgType: Final = Field(35, "MsgType", k.TEXT)
MsgSeqNum: Final = Field(34, "MsgSeqNum", k.SEQUENCE)
SenderCompID: Final = Field(49, "SenderCompID", k.TEXT)
TargetCompID: Final = Field(56, "TargetCompID", k.TEXT)
SendingTime: Final = Field(52, "SendingTime", k.MOMENT)
SenderSubID: Final = Field(50, "SenderSubID", k.TEXT)
TargetSubID: Final = Field(57, "TargetSubID", k.TEXT)
SenderLocationID: Final = Field(142, "SenderLocationID", k.TEXT)
TargetLocationID: Final = Field(143, "TargetLocationID", k.TEXT)
OnBehalfOfCompID: Final = Field(115, "OnBehalfOfCompID", k.TEXT)
DeliverToCompID: Final = Field(128, "DeliverToCompID", k.TEXT)
PossDupFlag: Final = Field(43, "PossDupFlag", k.YES_OR_NO)
PossResend: Final = Field(97, "PossResend", k.YES_OR_NO)
OrigSendingTime: Final = Field(122, "OrigSendingTime", k.MOMENT)
ApplVerID: Final = Field(1128, "ApplVerID", k.CODE, {"9": "FIX 5.0 SP2"})
CstmApplVerID: Final = Field(1129, "CstmApplVerID", k.TEXT)
SignatureLength: Final = Field(93, "SignatureLength", k.LENGTH)
Signature: Final = Field(89, "Signature", k.DATA, length_tag=93)
EncryptMethod: Final = Field(98, "EncryptMethod", k.NUMBER_CODE, {"0": "none"})
HeartBtInt: Final = Field(108, "HeartBtInt", k.NUMBER)
RawDataLength: Final = Field(95, "RawDataLength", k.LENGTH)
RawData: Final = Field(96, "RawData", k.DATA, length_tag=95)
ResetSeqNumFlag: Final = Field(141, "ResetSeqNumFlag", k.YES_OR_NO)
NextExpectedMsgSeqNum: Final = Field(789, "NextExpectedMsgSeqNum", k.SEQUENCE)
MaxMessageSize: Final = Field(383, "MaxMessageSize", k.LENGTH)
TestMessageIndicator: Final = Field(464, "TestMessageIndicator", k.YES_OR_NO)
Username: Final = Field(553, "Username", k.TEXT)
Password: Final = Field(554, "Password", k.TEXT)
DefaultApplVerID: Final = Field(1137, "DefaultApplVerID", k.CODE, {"9": "FIX 5.0 SP2"})
TestReqID: Final = Field(112, "TestReqID", k.TEXT)
BeginSeqNo: Final = Field(7, "BeginSeqNo", k.SEQUENCE)
EndSeqNo: Final = Field(16, "EndSeqNo", k.SEQUENCE)
NewSeqNo: Final = Field(36, "NewSeqNo", k.SEQUENCE)
GapFillFlag: Final = Field(123, "GapFillFlag", k.YES_OR_NO)
RefSeqNum: Final = Field(45, "RefSeqNum", k.SEQUENCE)
RefTagID: Final = Field(371, "RefTagID", k.INTEGER)
RefMsgType: Final = Field(372, "RefMsgType", k.TEXT)
SessionRejectReason: Final = Field(
    373, "SessionRejectReason", k.NUMBER_CODE, m.SESSION_REJECT_REASONS
)
Text: Final = Field(58, "Text", k.TEXT)
CancelOrdersOnDisconnect: Final = Field(8013, "CancelOrdersOnDisconnect", k.YES_OR_NO)
ListenerSession: Final = Field(20126, "ListenerSession", k.YES_OR_NO)
ReceiveSettlementReports: Final = Field(20127, "ReceiveSettlementReports", k.YES_OR_NO)
MessageRetentionPeriod: Final = Field(20200, "MessageRetentionPeriod", k.NUMBER)
UseDollars: Final = Field(21005, "UseDollars", k.YES_OR_NO)
EnableIocCancelReport: Final = Field(21007, "EnableIocCancelReport", k.YES_OR_NO)
PreserveOriginalOrderQty: Final = Field(21008, "PreserveOriginalOrderQty", k.YES_OR_NO)
SkipPendingExecReports: Final = Field(21011, "SkipPendingExecReports", k.YES_OR_NO)
UseExpiredOrdStatus: Final = Field(21012, "UseExpiredOrdStatus", k.YES_OR_NO)
AlwaysEmitNewBeforeTrade: Final = Field(21026, "AlwaysEmitNewBeforeTrade", k.YES_OR_NO)
SplitCollateralReturn: Final = Field(21027, "SplitCollateralReturn", k.YES_OR_NO)
UseCapReservation: Final = Field(21032, "UseCapReservation", k.YES_OR_NO)

# Orders and executions.
ClOrdID: Final = Field(11, "ClOrdID", k.TEXT)
OrigClOrdID: Final = Field(41, "OrigClOrdID", k.TEXT)
SecondaryClOrdID: Final = Field(526, "SecondaryClOrdID", k.TEXT)
OrderID: Final = Field(37, "OrderID", k.TEXT)
ExecID: Final = Field(17, "ExecID", k.TEXT)
ExecInst: Final = Field(18, "ExecInst", k.CODES, m.EXECUTION_INSTRUCTIONS)
OrderQty: Final = Field(38, "OrderQty", k.CONTRACTS)
OrdType: Final = Field(40, "OrdType", w.ORDER_TYPE)
Price: Final = Field(44, "Price", k.SESSION_PRICE)
Side: Final = Field(54, "Side", w.SIDE)
Symbol: Final = Field(55, "Symbol", k.TEXT)
TimeInForce: Final = Field(59, "TimeInForce", w.TIME_IN_FORCE)
ExpireTime: Final = Field(126, "ExpireTime", k.MOMENT)
TransactTime: Final = Field(60, "TransactTime", k.MOMENT)
AllocAccount: Final = Field(79, "AllocAccount", k.NUMBER)
ExDestination: Final = Field(100, "ExDestination", k.SHARD)
LastMkt: Final = Field(30, "LastMkt", k.SHARD)
SelfTradePreventionType: Final = Field(2964, "SelfTradePreventionType", w.SELF_TRADE_PREVENTION)
CancelOrderOnPause: Final = Field(21006, "CancelOrderOnPause", k.YES_OR_NO)
MaxExecutionCost: Final = Field(21009, "MaxExecutionCost", k.DOLLARS)
ExecType: Final = Field(150, "ExecType", w.EXEC_TYPE)
OrdStatus: Final = Field(39, "OrdStatus", w.ORDER_STATE)
LeavesQty: Final = Field(151, "LeavesQty", k.CONTRACTS)
CumQty: Final = Field(14, "CumQty", k.CONTRACTS)
AvgPx: Final = Field(6, "AvgPx", k.SESSION_AVERAGE)
LastPx: Final = Field(31, "LastPx", k.SESSION_PRICE)
LastQty: Final = Field(32, "LastQty", k.CONTRACTS)
OrdRejReason: Final = Field(103, "OrdRejReason", k.NUMBER_CODE, m.ORDER_REJECT_REASONS)
CxlRejReason: Final = Field(102, "CxlRejReason", k.NUMBER_CODE, m.CANCEL_REJECT_REASONS)
CxlRejResponseTo: Final = Field(434, "CxlRejResponseTo", w.CANCEL_REJECT_RESPONSE)
ExecRestatementReason: Final = Field(378, "ExecRestatementReason", k.NUMBER_CODE)
TrdMatchID: Final = Field(880, "TrdMatchID", k.TEXT)
AggressorIndicator: Final = Field(1057, "AggressorIndicator", k.YES_OR_NO)
ClearingBusinessDate: Final = Field(715, "ClearingBusinessDate", k.CLEARING_DATE)
SingleMarketCollateralReturn: Final = Field(21030, "SingleMarketCollateralReturn", k.DOLLARS)
RangedMarketCollateralReturn: Final = Field(21031, "RangedMarketCollateralReturn", k.DOLLARS)
MassCancelRequestType: Final = Field(530, "MassCancelRequestType", w.MASS_CANCEL_REQUEST)
MassCancelResponse: Final = Field(531, "MassCancelResponse", w.MASS_CANCEL_RESPONSE)
MassCancelRejectReason: Final = Field(532, "MassCancelRejectReason", k.NUMBER_CODE)
BusinessRejectRefID: Final = Field(379, "BusinessRejectRefID", k.TEXT)
BusinessRejectReason: Final = Field(
    380, "BusinessRejectReason", k.NUMBER_CODE, m.BUSINESS_REJECT_REASONS
)
NoPartyIDs: Final = Field(453, "NoPartyIDs", k.ENTRIES)
PartyID: Final = Field(448, "PartyID", k.TEXT)
PartyRole: Final = Field(452, "PartyRole", k.NUMBER_CODE, m.PARTY_ROLES)
NoMiscFees: Final = Field(136, "NoMiscFees", k.ENTRIES)
MiscFeeAmt: Final = Field(137, "MiscFeeAmt", k.DOLLARS)
MiscFeeCurr: Final = Field(138, "MiscFeeCurr", k.CURRENCY)
MiscFeeType: Final = Field(139, "MiscFeeType", k.LETTER_CODE, m.FEE_TYPES)
MiscFeeBasis: Final = Field(891, "MiscFeeBasis", k.NUMBER_CODE, m.FEE_BASES)
NoCollateralAmountChanges: Final = Field(1703, "NoCollateralAmountChanges", k.ENTRIES)
CollateralAmountChange: Final = Field(1704, "CollateralAmountChange", k.DOLLARS)
CollateralAmountType: Final = Field(1705, "CollateralAmountType", w.COLLATERAL_TYPE)
LongQty: Final = Field(704, "LongQty", k.CONTRACTS)
ShortQty: Final = Field(705, "ShortQty", k.CONTRACTS)

# Order groups and the replay of events.
OrderGroupID: Final = Field(20130, "OrderGroupID", k.TEXT)
OrderGroupAction: Final = Field(20131, "OrderGroupAction", w.ORDER_GROUP_ACTION)
OrderGroupContractsLimit: Final = Field(20132, "OrderGroupContractsLimit", k.NUMBER)
BeginExecID: Final = Field(21001, "BeginExecID", k.TEXT)
EndExecID: Final = Field(21002, "EndExecID", k.TEXT)
ResendEventCount: Final = Field(21003, "ResendEventCount", k.NUMBER)
EventResendRejectReason: Final = Field(
    21004, "EventResendRejectReason", k.NUMBER_CODE, m.RESEND_REJECT_REASONS
)

# Settlement.
MarketSettlementReportID: Final = Field(20105, "MarketSettlementReportID", k.TEXT)
TotNumMarketSettlementReports: Final = Field(20106, "TotNumMarketSettlementReports", k.NUMBER)
MarketResult: Final = Field(20107, "MarketResult", w.MARKET_RESULT)
SettlementPrice: Final = Field(730, "SettlementPrice", k.SETTLEMENT_CENTS)
LastFragment: Final = Field(893, "LastFragment", k.YES_OR_NO)
NoMarketSettlementPartyIDs: Final = Field(20108, "NoMarketSettlementPartyIDs", k.ENTRIES)
MarketSettlementPartyID: Final = Field(20109, "MarketSettlementPartyID", k.TEXT)
MarketSettlementPartyRole: Final = Field(
    20110, "MarketSettlementPartyRole", k.NUMBER_CODE, m.PARTY_ROLES
)

# Market data.
SubscriptionRequestType: Final = Field(263, "SubscriptionRequestType", w.SUBSCRIPTION)
NoRelatedSym: Final = Field(146, "NoRelatedSym", k.ENTRIES)
NoMDEntries: Final = Field(268, "NoMDEntries", k.ENTRIES)
MDEntryType: Final = Field(269, "MDEntryType", w.ENTRY_TYPE)
MDEntryPx: Final = Field(270, "MDEntryPx", k.DOLLAR_PRICE)
MDEntrySize: Final = Field(271, "MDEntrySize", k.CONTRACTS)
MDEntryDate: Final = Field(272, "MDEntryDate", k.UTC_DATE)
MDEntryTime: Final = Field(273, "MDEntryTime", k.UTC_CLOCK)
MDUpdateAction: Final = Field(279, "MDUpdateAction", w.UPDATE_ACTION)
MDReqRejReason: Final = Field(281, "MDReqRejReason", k.LETTER_CODE, m.MARKET_DATA_REJECT_REASONS)
AggressorSide: Final = Field(2446, "AggressorSide", k.LETTER_CODE, m.AGGRESSORS)
TrdType: Final = Field(828, "TrdType", k.NUMBER_CODE, m.TRADE_TYPES)
TradeID: Final = Field(1003, "TradeID", k.TEXT)
SecurityTradingStatus: Final = Field(326, "SecurityTradingStatus", w.TRADING_STATUS)

# Requests for quotes.
QuoteReqID: Final = Field(131, "QuoteReqID", k.TEXT)
QuoteID: Final = Field(117, "QuoteID", k.TEXT)
BidPx: Final = Field(132, "BidPx", k.SESSION_PRICE)
OfferPx: Final = Field(133, "OfferPx", k.SESSION_PRICE)
BidSize: Final = Field(134, "BidSize", k.CONTRACTS)
OfferSize: Final = Field(135, "OfferSize", k.CONTRACTS)
CashOrderQty: Final = Field(152, "CashOrderQty", k.DOLLARS)
QuoteStatus: Final = Field(297, "QuoteStatus", w.QUOTE_STATUS)
QuoteCancelStatus: Final = Field(298, "QuoteCancelStatus", w.VERDICT)
QuoteRequestType: Final = Field(303, "QuoteRequestType", k.NUMBER_CODE, m.QUOTE_REQUEST_TYPES)
QuoteRequestRejectReason: Final = Field(
    658, "QuoteRequestRejectReason", k.NUMBER_CODE, m.QUOTE_REQUEST_REJECT_REASONS
)
MultivariateCollectionTicker: Final = Field(20180, "MultivariateCollectionTicker", k.TEXT)
NoMultivariateSelectedLegs: Final = Field(20181, "NoMultivariateSelectedLegs", k.ENTRIES)
MultivariateSelectedEventTicker: Final = Field(20182, "MultivariateSelectedEventTicker", k.TEXT)
MultivariateSelectedMarketTicker: Final = Field(20183, "MultivariateSelectedMarketTicker", k.TEXT)
MultivariateSelectedSide: Final = Field(20184, "MultivariateSelectedSide", w.LEG_SIDE)
NoMVEOffendingLegs: Final = Field(20185, "NoMVEOffendingLegs", k.ENTRIES)
MVEOffendingMarketTicker: Final = Field(20186, "MVEOffendingMarketTicker", k.TEXT)
MVEValidationReasonCode: Final = Field(20187, "MVEValidationReasonCode", k.CODE)
QuoteConfirmStatus: Final = Field(21010, "QuoteConfirmStatus", w.VERDICT)
RFQCancelStatus: Final = Field(21013, "RFQCancelStatus", w.VERDICT_OR_EXPIRED)
RestRemainder: Final = Field(21015, "RestRemainder", k.YES_OR_NO)
ReplaceExisting: Final = Field(21016, "ReplaceExisting", k.YES_OR_NO)
PreferBetterQuote: Final = Field(21022, "PreferBetterQuote", k.YES_OR_NO)
RfqId: Final = Field(21023, "RfqId", k.TEXT)
AcceptedQuoteId: Final = Field(21024, "AcceptedQuoteId", k.TEXT)
AcceptQuoteStatus: Final = Field(21025, "AcceptQuoteStatus", w.VERDICT)
TargetCostExcludesFees: Final = Field(21033, "TargetCostExcludesFees", k.YES_OR_NO)
ObscureCreatorId: Final = Field(21034, "ObscureCreatorId", k.YES_OR_NO)


def _collected() -> dict[int, Field]:
    return {each.tag: each for each in globals().copy().values() if isinstance(each, Field)}


FIELDS: Final[Mapping[int, Field]] = _collected()
"""All of them by number."""
