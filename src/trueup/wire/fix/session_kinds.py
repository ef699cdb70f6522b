"""The six kinds of session, and what each allows (the exchange's page *FIX connectivity*).

Every key may have one connection.  The name of a session is the TargetCompID of its
client; the API key's id is the SenderCompID.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from trueup.wire.fix.message import Message


class SessionKind(StrEnum):
    """A kind of session; the value is its TargetCompID (56)."""

    NR = "KalshiNR"
    DC = "KalshiDC"
    RT = "KalshiRT"
    PT = "KalshiPT"
    RFQ = "KalshiRFQ"
    MD = "KalshiMD"

    @property
    def terms(self) -> SessionTerms:
        """What it allows."""
        return TERMS[self]

    def refusal(self, message: type[Message], *, is_listener: bool) -> str:
        """Why its client may not send such a message; empty when it may."""
        if message.IS_ADMIN:
            return ""
        if is_listener:
            return "a listener session may not send"
        if message.TYPE not in self.terms.sends:
            return f"{message.__name__} is not taken on {self}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTerms:
    """What one kind of session allows.

    `must_reset`: every logon starts both numberings anew (141=Y), and nothing that was
    missed is sent again.  `retransmits`: a gap is answered by sending again.
    `sends`: the message types (35) that its client may send.
    `settlement_by_default` and `settlement_on_request`: whether settlement reports come.
    """

    port: int
    purpose: str
    must_reset: bool
    retransmits: bool
    sends: frozenset[str]
    settlement_by_default: bool = False
    settlement_on_request: bool = False
    may_listen: bool = False


TERMS: Final[Mapping[SessionKind, SessionTerms]] = {
    SessionKind.NR: SessionTerms(
        port=8228,
        purpose="order entry without retransmission",
        must_reset=True,
        retransmits=False,
        sends=frozenset({"D", "G", "F", "q", "UOG", "U1"}),
        settlement_on_request=True,
        may_listen=True,
    ),
    SessionKind.DC: SessionTerms(
        port=8229,
        purpose="replay of execution reports",
        must_reset=True,
        retransmits=False,
        sends=frozenset({"U1"}),
    ),
    SessionKind.RT: SessionTerms(
        port=8230,
        purpose="order entry with retransmission, creating requests for quotes",
        must_reset=False,
        retransmits=True,
        sends=frozenset({"D", "G", "F", "UOG", "R", "UA", "UE"}),
        settlement_on_request=True,
        may_listen=True,
    ),
    SessionKind.PT: SessionTerms(
        port=8231,
        purpose="settlement reports after trade, read only",
        must_reset=False,
        retransmits=True,
        sends=frozenset[str](),
        settlement_by_default=True,
        settlement_on_request=True,
    ),
    SessionKind.RFQ: SessionTerms(
        port=8232,
        purpose="quoting as a market maker",
        must_reset=True,
        retransmits=False,
        sends=frozenset({"S", "Z", "U7"}),
    ),
    SessionKind.MD: SessionTerms(
        port=8233,
        purpose="market data",
        must_reset=True,
        retransmits=False,
        sends=frozenset({"V", "e"}),
    ),
}
