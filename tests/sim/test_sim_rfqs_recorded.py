"""Round trips of two members on the exchange's demo (July 2026): the machine does the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rfq_floor import Refusal, RfqFloor, rfq_floor
from trading_floor import ANN, BOB

from trueup.core.instant import SECOND, parse_instant
from trueup.core.orders import Side
from trueup.core.units import Money
from trueup.sim import commands as c

pytestmark = pytest.mark.recorded

MAKER, REQUESTER = BOB, ANN
SIDES = {"yes": Side.YES, "no": Side.NO}


@dataclass(frozen=True)
class Scenario:
    """The steps of a recorded round trip by name."""

    steps: dict[str, Any]

    def quote(self) -> dict[str, Any]:
        return self.steps["quote_terminal"]


@pytest.fixture
def recorded(recorded_data: Path) -> Path:
    return recorded_data / "rest" / "combos_demo_2026-07"


def scenario(folder: Path, name: str) -> Scenario:
    lines = (folder / f"scenario_{name}.jsonl").read_bytes().splitlines()
    rows: list[dict[str, Any]] = [msgspec.json.decode(line) for line in lines]
    return Scenario({row["step"]: row["data"] for row in rows})


def replay(floor: RfqFloor, told: Scenario) -> str:
    """The same steps up to the acceptance; returns the quote."""
    terminal = told.quote()
    quote_id = floor.answer(
        floor.ask_for(terminal["contracts_fp"], replaces=True),
        terminal["yes_bid_dollars"],
        terminal["no_bid_dollars"],
    )
    floor.accept(quote_id, SIDES[terminal["accepted_side"]])
    return quote_id


def shown(floor: RfqFloor, member: c.Member) -> dict[str, str]:
    """An account in the words of the recording."""
    account = floor.exchange.account(member)
    (holding,) = account.holdings.values()
    held = holding.latest()
    assert held is not None
    return {
        "balance": str(floor.free(member)),
        "position": str(held.position.net),
        "exposure": str(held.position.cost),
        "realized": str(held.realized),
        "fees": str(held.fees),
    }


def told_of(side: dict[str, Any]) -> dict[str, str]:
    (position,) = side["positions"]["market_positions"]
    return {
        "balance": str(Money.parse(side["balance"]["balance_dollars"])),
        "position": position["position_fp"],
        "exposure": str(Money.parse(position["market_exposure_dollars"])),
        "realized": str(Money.parse(position["realized_pnl_dollars"])),
        "fees": str(Money.parse(position["fees_paid_dollars"])),
    }


def test_both_sides_end_with_the_recorded_balances(recorded: Path) -> None:
    """First the bid for YES is accepted, then the one for NO: one contract each way."""
    floor = rfq_floor("1000")

    for name in ("accept_yes", "accept_no"):
        told = scenario(recorded, name)
        quote_id = replay(floor, told)
        floor.confirm(quote_id)
        floor.wait(16)

        (recorded_fill,) = told.steps["fills_by_creator_order_id"]["fills"]
        made = floor.exchange.account(MAKER).fills[-1]
        assert floor.status(quote_id) == told.quote()["status"]
        assert made.is_taker == recorded_fill["is_taker"]
        assert made.side.value == recorded_fill["outcome_side"]
        assert f"{made.price.units / 10_000:.4f}" == recorded_fill["yes_price_dollars"]
        assert made.fee == Money.parse(recorded_fill["fee_cost"])
        assert shown(floor, MAKER) == told_of(told.steps["after_maker"])
        assert shown(floor, REQUESTER) == told_of(told.steps["after_requester"])


def test_the_execution_waits_as_long_as_recorded(recorded: Path) -> None:
    for name in ("accept_yes", "accept_no"):
        told = scenario(recorded, name).quote()
        floor = rfq_floor()
        quote_id = replay(floor, scenario(recorded, name))
        floor.confirm(quote_id)
        floor.wait(16)

        ours = floor.quote(quote_id)
        waited = parse_instant(told["executed_ts"]) - parse_instant(told["confirmed_ts"])
        assert ours.executed_at is not None
        assert ours.confirmed_at is not None
        assert 0 <= waited - (ours.executed_at - ours.confirmed_at) < SECOND


def test_a_late_confirmation_is_refused_in_the_recorded_word(recorded: Path) -> None:
    told, floor = scenario(recorded, "lapse"), rfq_floor()
    quote_id = replay(floor, told)
    floor.wait(int(told.steps["deliberately_not_confirming"]["wait_s"]))

    with pytest.raises(Refusal) as refused:
        floor.confirm(quote_id)

    assert f"'code': '{refused.value}'" in told.steps["late_confirm_error"]["message"]
    assert floor.status(quote_id) == told.quote()["status"]


def test_an_accepted_quote_is_deleted_as_little_as_recorded(recorded: Path) -> None:
    told, floor = scenario(recorded, "delete_after_accept"), rfq_floor()
    quote_id = replay(floor, told)

    with pytest.raises(Refusal) as refused:
        floor.delete_quote(quote_id)

    assert f"'code': '{refused.value}'" in told.steps["delete_after_accept_error"]["message"]
    assert floor.status(quote_id) == told.quote()["status"]
