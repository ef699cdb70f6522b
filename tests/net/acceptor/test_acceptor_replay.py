"""The recorded demo session, asked again of a sandbox in the same state.

Status, error, fields and everything that follows from the state must be the
same: prices, counts, fees, cash.  Ids and times are the sandbox's own.  The
personality of June 2026 is held to every field; the present one to what has not
changed since.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from asker import Answered, Asker
from served_floor import MAKER, RunningClock, ServedFloor

from trueup.core.ids import Ticker
from trueup.core.instant import HOUR, Instant, parse_instant
from trueup.core.orders import Side
from trueup.net.acceptor.forms import Personality
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.net.signer import signer_for
from trueup.sim import commands as c
from trueup.wire.signing import WEBSOCKET_PATH

pytestmark = pytest.mark.recorded

Record = dict[str, Any]

MARKET = Ticker("KXWTACHALLENGERMATCH-26JUN11JIMLEP-LEP")
STARTED = parse_instant("2026-06-11T06:28:00Z")
OF_THE_SANDBOX = {
    "order_id",
    "client_order_id",
    "ts_ms",
    "ts",
    "trade_id",
    "fill_id",
    "created_time",
    "last_update_time",
    "last_updated_ts",
    "updated_ts",
    "user_id",
}
"""What a sandbox makes up for itself."""


@dataclass
class Replay:
    """Asks what was asked then, with the ids of now."""

    folder: Path
    asker: Asker
    ids: dict[str, str]

    def meta(self, name: str) -> Record:
        return cast("Record", json.loads((self.folder / f"{name}.meta.json").read_bytes()))

    def recorded(self, name: str) -> Record:
        return cast("Record", json.loads((self.folder / f"{name}.json").read_bytes()))

    def ask(self, name: str, **changes: object) -> Answered:
        """Ask again; `changes` are other values for fields of the request."""
        meta = self.meta(name)
        path = str(meta["path"]).removeprefix("/trade-api/v2")
        for theirs, ours in self.ids.items():
            path = path.replace(theirs, ours)
        tree = meta["request_body"]
        answer = self.asker.ask(
            str(meta["method"]), path, None if tree is None else {**tree, **changes}
        )
        theirs = self.recorded(name)
        order = theirs.get("order", theirs)
        mine = answer.tree.get("order", answer.tree)
        if "order_id" in order and isinstance(mine, dict) and "order_id" in mine:
            self.ids[order["order_id"]] = cast("str", mine["order_id"])
        return answer

    def again(self, name: str) -> None:
        """Ask again, and demand the same answer."""
        answer = self.ask(name)

        assert answer.status == self.meta(name)["status"], (name, answer)
        assert stripped(answer.tree) == stripped(self.recorded(name)), name
        assert shape(answer.tree) == shape(self.recorded(name)), name


def stripped(tree: object) -> object:
    """Everything but what the sandbox makes up."""
    match tree:
        case dict():
            record = cast("Record", tree)
            return {k: stripped(v) for k, v in record.items() if k not in OF_THE_SANDBOX}
        case list():
            return [stripped(one) for one in cast("list[object]", tree)]
        case _:
            return tree


def shape(tree: object) -> object:
    """Field names and JSON types, at any depth."""
    match tree:
        case dict():
            return {k: shape(v) for k, v in cast("Record", tree).items()}
        case list():
            return [shape(one) for one in cast("list[object]", tree)]
        case _:
            return type(tree).__name__


def floor_of_june() -> ServedFloor:
    """As it was when the session began: two contracts bought at 0.99, then a quoted market."""
    floor = ServedFloor(
        cash="100.00", opened=Instant(STARTED - HOUR), names=(MARKET,), event=MARKET[:-4]
    )
    for _ in range(2):
        floor.order(MAKER, Side.NO, "1", "0.99")
        floor.order(floor.us, Side.YES, "1", "0.99")
    floor.now = Instant(STARTED)
    return floor


@pytest.fixture(scope="module")
def folder(recorded_data: Path) -> Path:
    return recorded_data / "rest" / "fortuna_demo_2026-06"


@pytest.fixture(params=[Personality.JUNE_2026, Personality.PRESENT])
def replay(request: pytest.FixtureRequest, folder: Path) -> Iterator[Replay]:
    floor = floor_of_june()
    floor.quote("0.47", "0.52")
    settings = Settings(personality=request.param, limits=UNLIMITED)
    clock = RunningClock(floor.now)
    with SandboxServer(floor.world(), clock=clock, settings=settings) as server:
        asker = Asker(server, clock)
        yield Replay(folder, asker, {})
        asker.close()


@pytest.fixture
def june(folder: Path) -> Iterator[Replay]:
    floor = floor_of_june()
    floor.quote("0.47", "0.52")
    settings = Settings(personality=Personality.JUNE_2026, limits=UNLIMITED)
    clock = RunningClock(floor.now)
    with SandboxServer(floor.world(), clock=clock, settings=settings) as server:
        asker = Asker(server, clock)
        yield Replay(folder, asker, {})
        asker.close()


def test_the_whole_session_answers_alike(june: Replay) -> None:
    """Every order exchange in its order, in the form of its time."""
    for name in ("auth__balance_ok", "orderbook__base", "series__fee_changes", "exchange__status"):
        june.again(name)
    june.again("orders__create_v2_maker")
    june.again("orders__get_after_create")
    june.again("orders__numeric_field_types")
    june.again("orders__invalid_price_structure")
    june.again("orders__insufficient_balance")
    june.again("orders__duplicate_client_order_id")
    june.again("orders__cancel_v2")
    june.again("orders__cancel_already_canceled")
    june.again("orders__reuse_canceled_client_id")
    june.again("orders__cancel_unknown_id")
    june.again("orders__post_only_cross")
    june.again("orders__create_v2_taker_ioc")
    june.again("orders__cancel_executed")
    fills = june.ask("fills__after_taker")
    assert stripped(fills.rows("fills")[0]) == stripped(
        june.recorded("fills__after_taker")["fills"][0]
    )
    assert shape(fills.rows("fills")[0]) == shape(june.recorded("fills__after_taker")["fills"][0])
    june.again("portfolio__positions")
    june.again("orders__stp_setup")
    june.again("orders__stp_self_cross")
    june.again("orders__stp_resting_after")
    june.again("cleanup__stp_resting")
    june.again("orders__legacy_create")
    june.again("orders__legacy_cancel")
    june.again("settlements__page")
    june.again("orders__settlement_seed")


REFUSALS = [
    "orders__cancel_unknown_id",
    "orders__numeric_field_types",
    "orders__invalid_price_structure",
    "orders__insufficient_balance",
    "orders__post_only_cross",
    "markets__limit_over_max",
]


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_reads_the_same_but_for_the_service(replay: Replay, name: str) -> None:
    """The present exchange does not say any more which service refused."""
    answer, recorded = replay.ask(name), replay.recorded(name)

    ours, theirs = answer.tree.get("error", answer.tree), recorded.get("error", recorded)
    assert answer.status == replay.meta(name)["status"]
    assert without_service(ours) == without_service(theirs)


def without_service(error: object) -> Record:
    record = dict(cast("Record", error))
    record.pop("service", None)
    return record


PRICES = ["0.0100", "0.2500", "0.4600"]


@pytest.mark.parametrize("price", PRICES)
@pytest.mark.parametrize("count", ["1.00", "3.00", "12.50"])
def test_another_maker_order_answers_in_the_same_way(
    replay: Replay, price: str, count: str
) -> None:
    answer = replay.ask("orders__create_v2_maker", price=price, count=count)
    order = replay.ask("orders__get_after_create")

    assert answer.status == 201
    assert stripped(answer.tree) == {"fill_count": "0.00", "remaining_count": count}
    shown = cast("Record", order.tree["order"])
    assert (shown["yes_price_dollars"], shown["remaining_count_fp"]) == (price, count)
    assert shown["status"] == "resting"


@pytest.mark.parametrize(
    ("count", "filled", "fee"),
    [("1.00", "1.00", "0.0175"), ("2.00", "2.00", "0.0175"), ("5.00", "3.00", "0.0175")],
)
def test_another_taker_takes_what_there_is(
    replay: Replay, count: str, filled: str, fee: str
) -> None:
    answer = replay.ask("orders__create_v2_taker_ioc", count=count)

    assert answer.status == 201
    assert answer.tree["fill_count"] == filled
    assert answer.tree["remaining_count"] == "0.00"
    assert answer.tree["average_fill_price"] == "0.5200"
    assert abs(float(cast("str", answer.tree["average_fee_paid"])) - float(fee)) < 0.0001


@pytest.mark.parametrize("price", ["0.5150", "0.5101", "0.00001", "1.0000", "0.0000"])
def test_other_prices_off_the_grid_are_refused_alike(replay: Replay, price: str) -> None:
    answer = replay.ask("orders__invalid_price_structure", price=price)

    assert answer.status == 400
    assert cast("Record", answer.tree["error"])["code"] == "invalid_price"


@pytest.mark.parametrize("field", ["count", "price"])
def test_one_number_for_a_string_is_refused_alike(replay: Replay, field: str) -> None:
    meta = replay.meta("orders__numeric_field_types")["request_body"]
    other = {"count": "price", "price": "count"}[field]
    answer = replay.ask("orders__numeric_field_types", **{other: str(meta[other])})

    assert answer.status == 400
    assert answer.tree == {
        "code": "bad_request",
        "message": "bad request",
        "details": "json: cannot unmarshal number into Go struct field "
        f"CreateOrderV2Request.{field} of type string",
    }


def test_markets_have_the_recorded_fields(june: Replay) -> None:
    """Strikes and rules are peculiar to each market; all else is there, in the same form."""
    ours = cast("Record", june.ask("markets__single").tree["market"])
    theirs = june.recorded("markets__single")["market"]

    peculiar = {"custom_strike", "strike_type", "early_close_condition", "occurrence_datetime"}
    assert theirs.keys() - ours.keys() - peculiar == set()
    assert ours.keys() - theirs.keys() == set()
    for name in ("yes_bid_dollars", "yes_ask_dollars", "no_bid_dollars", "no_ask_dollars"):
        assert ours[name] == theirs[name]
    for name in ("yes_bid_size_fp", "yes_ask_size_fp", "last_price_dollars", "open_interest_fp"):
        assert ours[name] == theirs[name], name
    assert {n: type(v) for n, v in ours.items()} == {n: type(theirs[n]) for n in ours}


@pytest.mark.parametrize(
    ("name", "ask_size", "changes"),
    [
        ("ws__orderbook_trade_noleg", "2", [(Side.YES, "0.47"), (Side.NO, "0.52")]),
        ("ws__orderbook_trade_yes", "1", [(Side.NO, "0.52")]),
    ],
)
def test_a_stream_of_the_time_reads_as_recorded(
    folder: Path, name: str, ask_size: str, changes: list[tuple[Side, str]]
) -> None:
    """The same frames in both price modes: acks, snapshot, and a level that goes."""
    floor = floor_of_june()
    orders = {
        (Side.YES, "0.47"): floor.order(MAKER, Side.YES, "3", "0.47"),
        (Side.NO, "0.52"): floor.order(MAKER, Side.NO, ask_size, "0.52"),
    }
    lines = (folder / f"{name}.jsonl").read_text().splitlines()
    meta = cast("Record", json.loads((folder / f"{name}.meta.json").read_bytes()))
    frames = [cast("Record", json.loads(line)) for line in lines if line.strip()]
    clock = RunningClock(floor.now)
    settings = Settings(personality=Personality.JUNE_2026, limits=UNLIMITED)

    async def listen(server: SandboxServer) -> list[Record]:
        signer = signer_for(server.key_id, server.pair.private)
        headers = signer.headers("GET", WEBSOCKET_PATH, clock())
        url = f"http://127.0.0.1:{server.port}{WEBSOCKET_PATH}"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, headers=headers) as socket,
        ):
            await socket.send_json(meta["subscribe_cmd"])
            heard = [await socket.receive_json(timeout=90) for _ in range(3)]
            for change in changes:
                await asyncio.to_thread(
                    server.step,
                    c.CancelOrder(at=clock(), member=MAKER, order_id=orders[change]),
                )
                heard.append(await socket.receive_json(timeout=90))
            return heard

    with SandboxServer(floor.world(), clock=clock, settings=settings) as server:
        heard = asyncio.run(listen(server))

    assert in_any_order(heard) == in_any_order(frames[: len(heard)])


def in_any_order(frames: list[Record]) -> list[Record]:
    """The frames without what the sandbox makes up; acks of channels come in any order."""
    shown = [
        {
            **frame,
            "msg": {k: v for k, v in frame["msg"].items() if k not in {"market_id", "ts", "ts_ms"}},
        }
        for frame in frames
    ]
    return sorted(
        shown,
        key=lambda frame: (
            frame.get("seq", 0),
            frame["sid"] if "sid" in frame else frame["msg"]["sid"],
        ),
    )
