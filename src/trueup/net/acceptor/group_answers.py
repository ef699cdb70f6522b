"""Order groups over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trueup.core.ids import PRIMARY, SHARD_ZERO, OrderGroupId, Subaccount
from trueup.core.units import ZERO_COUNT, Count
from trueup.net.acceptor import replies
from trueup.net.acceptor.floor import Floor
from trueup.net.acceptor.order_entry import own_subaccount
from trueup.net.acceptor.question import Answer, Question
from trueup.net.acceptor.refusals import Refuse
from trueup.net.acceptor.replies import Content, Reply
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.groups import OrderGroup
from trueup.wire.rest import order_groups as wire
from trueup.wire.rest.bodies import read_body

_LIMIT_MAX: Final = Count.of_contracts(1_000_000)


class GroupAnswers:
    """What members ask about their order groups.

    A group is looked for in one subaccount, the primary one unless another is
    named, and on one shard.
    """

    def __init__(self, floor: Floor, new_id: Callable[[], str], refuse: Refuse) -> None:
        self._floor = floor
        self._new_id = new_id
        self._refuse = refuse

    def table(self) -> dict[str, Answer]:
        """The answers by operation id."""
        return {
            "GetOrderGroups": self._list,
            "GetOrderGroup": self._show,
            "CreateOrderGroup": self._create,
            "UpdateOrderGroupLimit": self._limit,
            "ResetOrderGroup": self._reset,
            "TriggerOrderGroup": self._trigger,
            "DeleteOrderGroup": self._delete,
        }

    # -- reading ---------------------------------------------------------------------------

    def _groups(self, question: Question) -> list[OrderGroup]:
        account = self._floor.exchange.books.accounts.get(question.caller.member)
        subaccount = question.query.subaccount
        groups = () if account is None else account.groups.values()
        return [one for one in groups if subaccount in {None, one.subaccount}]

    def _list(self, question: Question) -> Content:
        rows = [
            wire.GROUP.write(
                wire.OrderGroup(
                    group_id=one.group_id,
                    is_auto_cancel_enabled=True,
                    limit=one.contracts_max,
                    shard=one.shard,
                )
            )
            for one in self._groups(question)
        ]
        return Content({"order_groups": rows}, rows="order_groups")

    def _show(self, question: Question) -> Content | Reply:
        wanted = question.path["order_group_id"]
        for one in self._groups(question):
            if one.group_id == wanted:
                detail = wire.OrderGroupDetail(
                    is_auto_cancel_enabled=True,
                    order_ids=tuple(one.orders),
                    limit=one.contracts_max,
                    shard=one.shard,
                )
                return Content(wire.GROUP_DETAIL.write(detail))
        return replies.NOT_FOUND

    # -- changing --------------------------------------------------------------------------

    def _create(self, question: Question) -> Content | Reply:
        asked = read_body(wire.NEW_GROUP, question.body)
        limit = _limit_of(asked)
        subaccount = own_subaccount(question.caller, asked.subaccount)
        if limit is None:
            return replies.INVALID_PARAMETERS
        if isinstance(subaccount, Reply):
            return subaccount
        group_id, shard = OrderGroupId(self._new_id()), asked.shard or SHARD_ZERO
        refused = self._step(
            c.CreateOrderGroup(
                at=self._floor.time_for(question.at),
                member=question.caller.member,
                group_id=group_id,
                subaccount=subaccount,
                shard=shard,
                contracts_max=limit,
            )
        )
        created = wire.OrderGroupCreated(group_id=group_id, subaccount=subaccount, shard=shard)
        return refused or Content(wire.GROUP_CREATED.write(created), status=201)

    def _limit(self, question: Question) -> Content | Reply:
        limit = _limit_of(read_body(wire.NEW_LIMIT, question.body))
        if limit is None:
            return replies.INVALID_PARAMETERS
        return self._change(
            question,
            lambda group_id: c.LimitOrderGroup(
                at=self._floor.time_for(question.at),
                member=question.caller.member,
                group_id=group_id,
                contracts_max=limit,
            ),
        )

    def _reset(self, question: Question) -> Content | Reply:
        return self._change(
            question,
            lambda group_id: c.ResetOrderGroup(
                at=self._floor.time_for(question.at),
                member=question.caller.member,
                group_id=group_id,
            ),
        )

    def _trigger(self, question: Question) -> Content | Reply:
        return self._change(
            question,
            lambda group_id: c.TriggerOrderGroup(
                at=self._floor.time_for(question.at),
                member=question.caller.member,
                group_id=group_id,
            ),
        )

    def _delete(self, question: Question) -> Content | Reply:
        return self._change(
            question,
            lambda group_id: c.DeleteOrderGroup(
                at=self._floor.time_for(question.at),
                member=question.caller.member,
                group_id=group_id,
            ),
        )

    def _change(
        self, question: Question, command: Callable[[OrderGroupId], c.GroupCommand]
    ) -> Content | Reply:
        group_id = OrderGroupId(question.path["order_group_id"])
        account = self._floor.exchange.books.accounts.get(question.caller.member)
        group = None if account is None else account.groups.get(group_id)
        subaccount = _or_primary(question.query.subaccount)
        shard = SHARD_ZERO if question.query.shard is None else question.query.shard
        if group is None or (group.subaccount, group.shard) != (subaccount, shard):
            return replies.NOT_FOUND
        return self._step(command(group_id)) or Content({})

    def _step(self, command: c.GroupCommand) -> Reply | None:
        for event in self._floor.step(command):
            if isinstance(event, e.Refused):
                return self._refuse(event)
        return None


def _limit_of(asked: wire.NewOrderGroup | wire.NewLimit) -> Count | None:
    """The one limit that is meant; `None` for none, for two that differ, and out of bounds."""
    given = {one for one in (asked.limit, asked.whole_limit) if one is not None}
    if len(given) != 1:
        return None
    (limit,) = given
    return limit if ZERO_COUNT < limit <= _LIMIT_MAX else None


def _or_primary(subaccount: Subaccount | None) -> Subaccount:
    return PRIMARY if subaccount is None else subaccount
