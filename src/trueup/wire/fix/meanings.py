"""What the codes of open lists mean, in the words of the exchange's pages.

They are shown to people and never decide anything: a code that is not here is still
read, and shown as it came.
"""

from __future__ import annotations

from typing import Final

SESSION_REJECT_REASONS: Final = {
    "0": "invalid tag number",
    "1": "required tag missing",
    "2": "tag not defined for this message",
    "3": "undefined tag",
    "4": "tag without a value",
    "5": "value incorrect",
    "6": "incorrect format",
    "7": "decryption problem",
    "8": "signature problem",
    "9": "wrong CompID",
    "10": "SendingTime accuracy problem",
    "11": "invalid message type",
    "12": "XML validation error",
    "13": "tag more than once",
    "14": "tag out of order",
    "15": "group fields out of order",
    "16": "wrong count of a repeating group",
    "17": "delimiter inside a value",
    "18": "unsupported application version",
    "99": "other",
}
BUSINESS_REJECT_REASONS: Final = {
    "0": "other",
    "1": "unknown id",
    "2": "unknown security",
    "3": "unsupported message type",
    "4": "application not available",
    "5": "conditionally required field missing",
    "6": "not authorized",
    "8": "rate limit exceeded",
}
ORDER_REJECT_REASONS: Final = {
    "1": "unknown symbol",
    "2": "exchange closed",
    "3": "order exceeds a limit",
    "4": "too late to enter",
    "6": "duplicate order",
    "8": "stale order",
    "11": "unsupported order characteristic",
    "13": "incorrect quantity",
    "15": "unknown account",
    "99": "other",
}
CANCEL_REJECT_REASONS: Final = {
    "0": "too late to cancel",
    "1": "unknown order",
    "2": "broker",
    "18": "invalid price increment",
    "99": "other",
}
QUOTE_REQUEST_REJECT_REASONS: Final = {
    "1": "unknown symbol",
    "3": "quote request exceeds a limit",
    "11": "insufficient credit",
    "99": "other",
}
MARKET_DATA_REJECT_REASONS: Final = {
    "2": "insufficient bandwidth",
    "4": "unsupported subscription request",
}
RESEND_REJECT_REASONS: Final = {
    "1": "rate limited",
    "2": "server error",
    "3": "begin too small: older than the lookback",
    "4": "end too large",
    "5": "not enabled for this key",
}
EXECUTION_INSTRUCTIONS: Final = {"6": "post only", "E": "reduce only"}
PARTY_ROLES: Final = {
    "12": "executing trader",
    "24": "customer account",
    "35": "liquidity provider",
}
FEE_TYPES: Final = {"4": "exchange fee"}
FEE_BASES: Final = {"0": "absolute"}
TRADE_TYPES: Final = {"1": "block trade"}
AGGRESSORS: Final = {"1": "buyer", "2": "seller"}
QUOTE_REQUEST_TYPES: Final = {"1": "manual", "2": "automatic"}
RESTATEMENT_REASONS: Final[dict[str, str]] = {}
