"""Subaccounts, and cash that moves inside an account, over REST.

A transfer between shards arrives a moment later at the exchange; here it
arrives before its answer is sent, and is listed as complete.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from trueup.core.ids import Subaccount
from trueup.core.instant import Instant
from trueup.core.units import ZERO_MONEY
from trueup.net.acceptor import house, replies
from trueup.net.acceptor.billing import Meters
from trueup.net.acceptor.floor import Floor
from trueup.net.acceptor.question import Answer, Question
from trueup.net.acceptor.refusals import Refuse
from trueup.net.acceptor.replies import Content, Reply
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.account import Account
from trueup.wire.rest import transfers as wire
from trueup.wire.rest.bodies import read_body

_SUBACCOUNTS_MAX: Final = 63
_WHOLE: Final = 100


@dataclass(slots=True)
class _Wishes:
    """What a member has set, and the sandbox only remembers."""

    netting: dict[Subaccount, bool] = field(default_factory=dict[Subaccount, bool])
    allocation: wire.BalanceAllocation | None = None


class CashAnswers:
    """What members do with subaccounts and with the cash in them."""

    def __init__(
        self, floor: Floor, new_id: Callable[[], str], refuse: Refuse, *, meters: Meters
    ) -> None:
        self._floor = floor
        self._new_id = new_id
        self._refuse = refuse
        self._meters = meters
        self._wishes: dict[c.Member, _Wishes] = {}

    def table(self) -> dict[str, Answer]:
        """The answers by operation id."""
        return {
            "CreateSubaccount": self._open_subaccount,
            "ApplySubaccountTransfer": self._between_subaccounts,
            "IntraExchangeInstanceTransfer": self._between_shards,
            "GetSubaccountNetting": self._netting,
            "UpdateSubaccountNetting": self._set_netting,
            "GetTargetBalanceAllocation": self._allocation,
            "SetTargetBalanceAllocation": self._set_allocation,
        }

    def _account(self, question: Question) -> Account | None:
        return self._floor.exchange.books.accounts.get(question.caller.member)

    def _step(self, command: c.Command) -> Reply | None:
        for event in self._floor.step(command):
            if isinstance(event, e.Refused):
                return self._refuse(event)
        return None

    # -- subaccounts -----------------------------------------------------------------------

    def _open_subaccount(self, question: Question) -> Content | Reply:
        """The next number.  The lowest tier has none."""
        read_body(wire.NEW_SUBACCOUNT, question.body)
        account = self._account(question)
        if account is None:
            return replies.NOT_FOUND
        if self._meters.limits(account.member).tier == house.BASIC.tier:
            return replies.PERMISSION_DENIED
        number = Subaccount(max(account.subaccounts) + 1)
        if number > _SUBACCOUNTS_MAX:
            return replies.INVALID_PARAMETERS
        at = self._floor.time_for(question.at)
        refused = self._step(c.OpenSubaccount(at=at, member=account.member, subaccount=number))
        return refused or Content({"subaccount_number": number}, status=201)

    def _between_subaccounts(self, question: Question) -> Content | Reply:
        asked = read_body(wire.SUBACCOUNT_TRANSFER, question.body)
        if asked.amount <= ZERO_MONEY or asked.from_subaccount == asked.to_subaccount:
            return replies.INVALID_PARAMETERS
        refused = self._step(
            c.TransferSubaccount(
                at=self._floor.time_for(question.at),
                member=question.caller.member,
                transfer_id=asked.client_transfer_id,
                amount=asked.amount,
                from_subaccount=asked.from_subaccount,
                to_subaccount=asked.to_subaccount,
                shard=house.FIRST_SHARD if asked.shard is None else asked.shard,
            )
        )
        return refused or Content({})

    # -- shards ----------------------------------------------------------------------------

    def _between_shards(self, question: Question) -> Content | Reply:
        asked = read_body(wire.SHARD_TRANSFER, question.body)
        instances = {asked.source, asked.destination}
        if instances != {wire.Instance.EVENT_CONTRACT}:
            # There is no margined exchange here to send money to.
            return replies.INVALID_PARAMETERS
        places = {asked.from_shard, asked.to_shard}
        if not places <= house.SHARDS.keys() or len(places) == 1 or asked.amount <= ZERO_MONEY:
            return replies.INVALID_PARAMETERS
        if asked.from_subaccount != asked.to_subaccount:
            return replies.INVALID_PARAMETERS
        account = self._account(question)
        if account is None:
            return replies.NOT_FOUND
        transfer_id = asked.client_transfer_id or self._new_id()
        if transfer_id not in account.transfers:
            refused = self._send(account.member, asked, transfer_id, at=question.at)
            if refused is not None:
                return refused
        return Content({"transfer_id": transfer_id})

    def _send(
        self, member: c.Member, asked: wire.ShardTransfer, transfer_id: str, *, at: Instant
    ) -> Reply | None:
        now = self._floor.time_for(at)
        sent = c.TransferShard(
            at=now,
            member=member,
            transfer_id=transfer_id,
            amount=asked.amount,
            subaccount=asked.from_subaccount,
            from_shard=asked.from_shard,
            to_shard=asked.to_shard,
        )
        arrived = c.ConcludeTransfer(at=now, member=member, transfer_id=transfer_id)
        return self._step(sent) or self._step(arrived)

    # -- what is only remembered -----------------------------------------------------------

    def _of(self, question: Question) -> _Wishes:
        return self._wishes.setdefault(question.caller.member, _Wishes())

    def _netting(self, question: Question) -> Content | Reply:
        account = self._account(question)
        if account is None:
            return replies.NOT_FOUND
        set_to = self._of(question).netting
        rows = [
            wire.NETTING.write(wire.Netting(subaccount=one, enabled=set_to.get(one, True)))
            for one in sorted(account.subaccounts)
        ]
        return Content({"netting_configs": rows}, rows="netting_configs")

    def _set_netting(self, question: Question) -> Content | Reply:
        asked = read_body(wire.SET_NETTING, question.body)
        account = self._account(question)
        if account is None or asked.subaccount not in account.subaccounts:
            return replies.NOT_FOUND
        self._of(question).netting[asked.subaccount] = asked.enabled
        return Content({})

    def _allocation(self, question: Question) -> Content:
        allocation = self._of(question).allocation
        if allocation is None:
            return Content({"allocations": []})
        return Content(wire.ALLOCATION.write(allocation))

    def _set_allocation(self, question: Question) -> Content | Reply:
        asked = read_body(wire.ALLOCATION, question.body)
        if sum(one.percent for one in asked.shares) != _WHOLE:
            return replies.INVALID_PARAMETERS
        self._of(question).allocation = asked
        return Content(wire.ALLOCATION.write(asked))
