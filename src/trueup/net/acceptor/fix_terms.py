"""How the sandbox's FIX side behaves, and who is connected to it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from trueup.core.ids import Subaccount
from trueup.core.settlement import PayoutUnit
from trueup.net.acceptor.fix_faults import FixFaults
from trueup.sim.commands import Member
from trueup.wire.fix.messages.session import Logon
from trueup.wire.fix.session_kinds import SessionKind

OFFERED: Final = tuple(SessionKind)
"""The sessions that the sandbox has: all."""

ANY_PORT: Final[Mapping[SessionKind, int]] = dict.fromkeys(OFFERED, 0)
"""A free port for each session."""

PARTIES_PER_PAGE: Final = 50


class ReportForm(StrEnum):
    """How settlement reports are written: as now, or as the exchange's older pages show."""

    PRESENT = "present"
    CENTS = "cents"
    """Payouts (1704) in cents, and the settlement fee (137) always zero."""
    OLDEST = "oldest"
    """In cents, results as ``Yes``, and whole settlement prices (730) without decimals."""

    @property
    def payout_unit(self) -> PayoutUnit:
        """In what payouts are written."""
        return PayoutUnit.DOLLARS if self is ReportForm.PRESENT else PayoutUnit.CENTS


def ports_from(first: int) -> dict[SessionKind, int]:
    """A port for each session, from `first` on in the exchange's own order; 0 takes free ones."""
    base = OFFERED[0].terms.port
    return {kind: first and first + kind.terms.port - base for kind in OFFERED}


@dataclass(frozen=True, slots=True, kw_only=True)
class FixTerms:
    """How the FIX side behaves.

    `tls` holds the certificate.  A settlement of more than `page_size` parties comes in
    pages.  `payout_unit` is what 1704 is written in: with `PayoutUnit.CENTS` the reports
    are those from before 2026-02-27, whose fee (137) was always zero.  Logons to a kind in
    `not_entitled` are refused for the tier; without `replays` executions are not sent again
    on request.  `faults` is what happens to settlement pages on their way.  `name` is what the exchange calls itself; empty, by the session's name.
    """

    tls: ssl.SSLContext
    ports: Mapping[SessionKind, int] = field(default_factory=lambda: dict(ANY_PORT))
    page_size: int = PARTIES_PER_PAGE
    payout_unit: PayoutUnit = PayoutUnit.DOLLARS
    not_entitled: frozenset[SessionKind] = frozenset()
    replays: bool = True
    faults: FixFaults = field(default_factory=FixFaults)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A key on a session, also while it is away: what it asked for when it last logged on.

    `locked` is the one subaccount that the key is for; `None` for all of them.
    """

    kind: SessionKind
    key_id: str
    member: Member
    locked: Subaccount | None
    logon: Logon

    @property
    def place(self) -> tuple[SessionKind, str]:
        """What tells it from all others."""
        return self.kind, self.key_id

    @property
    def wants_settlements(self) -> bool:
        """Whether settlement reports come: on PT unless refused, elsewhere when asked for."""
        asked, terms = self.logon.receive_settlement_reports, self.kind.terms
        if asked is None:
            return terms.settlement_by_default
        return asked and terms.settlement_on_request

    def sees(self, member: Member, subaccount: Subaccount) -> bool:
        """Whether something of that account is its own."""
        return member == self.member and self.locked in {None, subaccount}
