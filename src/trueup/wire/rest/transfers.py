"""The portfolio section, second part: subaccounts, and cash moved inside the account.

Moves are listed by `trueup.wire.rest.cash`.  Each carries a `client_transfer_id`
of ours: a second move with the same one is refused (between subaccounts) or is
the first one (between shards), so a lost answer can be asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from trueup.core.errors import CallerError
from trueup.core.ids import Shard, Subaccount
from trueup.core.units import ZERO_MONEY, Money
from trueup.wire.rest.bodies import write_body
from trueup.wire.rest.call import Call
from trueup.wire.rest.codecs import CENTI_CENTS, CENTS, SHORT_DOLLARS, SMALL
from trueup.wire.rest.reading import nothing
from trueup.wire.rest.request import request
from trueup.wire.rest.shapes import Shape, Wire

_PERCENT: Final = 100


class Instance(StrEnum):
    """Which exchange holds the cash: that of event contracts, or the margined one."""

    EVENT_CONTRACT = "event_contract"
    MARGINED = "margined"


class Reservation(StrEnum):
    """How much cash stays on a shard for its resting orders when balances are swept."""

    NONE = "none"
    MAX = "max"
    SUM = "sum"


class NewSubaccount(msgspec.Struct, frozen=True, kw_only=True):
    """A subaccount to open."""

    shard: Annotated[Shard | None, Wire("exchange_index", SMALL)] = None


class _SubaccountOpened(msgspec.Struct, frozen=True, kw_only=True):
    subaccount: Annotated[Subaccount, Wire("subaccount_number", SMALL)]


class SubaccountTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """Cash to move between two subaccounts on one shard, in whole cents."""

    client_transfer_id: str
    from_subaccount: Annotated[Subaccount, Wire("from_subaccount", SMALL)]
    to_subaccount: Annotated[Subaccount, Wire("to_subaccount", SMALL)]
    amount: Annotated[Money, Wire("amount_cents", CENTS)]
    shard: Annotated[Shard | None, Wire("exchange_index", SMALL)] = None


class ShardTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """Cash to move between two shards, in steps of $0.0001."""

    client_transfer_id: str | None = None
    source: Annotated[Instance, Wire(required=True)] = Instance.EVENT_CONTRACT
    destination: Annotated[Instance, Wire(required=True)] = Instance.EVENT_CONTRACT
    amount: Annotated[Money, Wire("amount", CENTI_CENTS)]
    from_shard: Annotated[Shard, Wire("source_exchange_shard", SMALL)] = Shard(0)
    to_shard: Annotated[Shard, Wire("destination_exchange_shard", SMALL)] = Shard(0)
    from_subaccount: Annotated[Subaccount, Wire("source_subaccount", SMALL)] = Subaccount(0)
    to_subaccount: Annotated[Subaccount, Wire("destination_subaccount", SMALL)] = Subaccount(0)


class _ShardTransferMade(msgspec.Struct, frozen=True, kw_only=True):
    transfer_id: str


class Netting(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a subaccount nets its YES against its NO contracts."""

    subaccount: Annotated[Subaccount, Wire("subaccount_number", SMALL)]
    enabled: bool
    shard: Annotated[Shard, Wire("exchange_index", SMALL)] = Shard(0)


class _SetNetting(msgspec.Struct, frozen=True, kw_only=True):
    subaccount: Annotated[Subaccount, Wire("subaccount_number", SMALL)]
    enabled: bool


class ShardShare(msgspec.Struct, frozen=True, kw_only=True):
    """The share of the free cash that a shard shall hold, in whole percent."""

    shard: Annotated[Shard, Wire("exchange_index", SMALL)]
    percent: Annotated[int, Wire("percent", SMALL)]


class BalanceAllocation(msgspec.Struct, frozen=True, kw_only=True):
    """How the exchange spreads our free cash over the shards.  The shares add up to 100."""

    shares: Annotated[tuple[ShardShare, ...], Wire("allocations", required=True)]
    reservation: Annotated[Reservation, Wire("resting_margin_reservation")] = Reservation.SUM


class _ShardValue(msgspec.Struct, frozen=True, kw_only=True):
    shard: Annotated[Shard, Wire("exchange_index", SMALL)]
    amount: Annotated[Money, Wire("balance", SHORT_DOLLARS)]


class RestingValue(msgspec.Struct, frozen=True, kw_only=True):
    """What all resting orders are worth, in whole cents, and exactly on each shard."""

    total: Annotated[Money, Wire("total_resting_order_value", CENTS)]
    breakdown: Annotated[
        tuple[_ShardValue, ...], Wire("resting_order_value_breakdown", required=True)
    ] = ()


NEW_SUBACCOUNT: Final = Shape(NewSubaccount, "CreateSubaccountRequest", brief=True)
SUBACCOUNT_OPENED: Final = Shape(_SubaccountOpened, "CreateSubaccountResponse")
SUBACCOUNT_TRANSFER: Final = Shape(SubaccountTransfer, "ApplySubaccountTransferRequest", brief=True)
SHARD_TRANSFER: Final = Shape(ShardTransfer, "IntraExchangeInstanceTransferRequest", brief=True)
SHARD_TRANSFER_MADE: Final = Shape(_ShardTransferMade, "IntraExchangeInstanceTransferResponse")
NETTING: Final = Shape(Netting, "SubaccountNettingConfig")
SET_NETTING: Final = Shape(_SetNetting, "UpdateSubaccountNettingRequest")
ALLOCATION: Final = Shape(BalanceAllocation, "TargetBalanceAllocation")
RESTING_VALUE: Final = Shape(RestingValue, "GetPortfolioRestingOrderTotalValueResponse")


def create_subaccount(*, shard: Shard | None = None) -> Call[Subaccount]:
    """Open the next subaccount; gives its number.  Needs the tier Advanced or above."""
    return request(
        "CreateSubaccount",
        SUBACCOUNT_OPENED.answer().then(lambda opened: opened.subaccount),
        body=write_body(NEW_SUBACCOUNT, NewSubaccount(shard=shard)),
    )


def move_between_subaccounts(transfer: SubaccountTransfer) -> Call[None]:
    """Move cash between two subaccounts, at once."""
    _check_amount(transfer.amount)
    return request(
        "ApplySubaccountTransfer", nothing(), body=write_body(SUBACCOUNT_TRANSFER, transfer)
    )


def move_between_shards(transfer: ShardTransfer) -> Call[str]:
    """Move cash between two shards; gives the transfer's id.  It arrives later."""
    _check_amount(transfer.amount)
    return request(
        "IntraExchangeInstanceTransfer",
        SHARD_TRANSFER_MADE.answer().then(lambda made: made.transfer_id),
        body=write_body(SHARD_TRANSFER, transfer),
    )


def netting() -> Call[tuple[Netting, ...]]:
    """Which subaccounts net."""
    return request("GetSubaccountNetting", NETTING.answers("netting_configs"))


def set_netting(subaccount: Subaccount, *, enabled: bool) -> Call[None]:
    """Let a subaccount net its YES against its NO contracts, or not."""
    return request(
        "UpdateSubaccountNetting",
        nothing(),
        body=write_body(SET_NETTING, _SetNetting(subaccount=subaccount, enabled=enabled)),
    )


def balance_allocation() -> Call[BalanceAllocation]:
    """How free cash is spread over the shards."""
    return request("GetTargetBalanceAllocation", ALLOCATION.answer())


def set_balance_allocation(
    shares: Sequence[ShardShare], *, reservation: Reservation = Reservation.SUM
) -> Call[None]:
    """Spread free cash over the shards in these shares."""
    if sum(share.percent for share in shares) != _PERCENT:
        raise CallerError("the shares of the shards must add up to 100 percent")
    allocation = BalanceAllocation(shares=tuple(shares), reservation=reservation)
    return request("SetTargetBalanceAllocation", nothing(), body=write_body(ALLOCATION, allocation))


def resting_order_value() -> Call[RestingValue]:
    """What all resting orders are worth; for clearing members (others get 403)."""
    return request("GetPortfolioRestingOrderTotalValue", RESTING_VALUE.answer())


def _check_amount(amount: Money) -> None:
    if amount <= ZERO_MONEY:
        raise CallerError(f"a transfer moves more than $0, not {amount}")
