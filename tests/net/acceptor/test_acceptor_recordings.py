"""A folder of recorded lines as the exchange."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from asker import Asker, OpenSandbox

from trueup.core.errors import ConfigError
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.recordings import load_recording
from trueup.net.acceptor.server import Settings
from trueup.wire.rest import portfolio


def write(folder: Path, name: str, *items: dict[str, object]) -> Path:
    (folder / name).write_text("".join(json.dumps(one) + "\n" for one in items))
    return folder


def an_old_fill(number: int, **more: object) -> dict[str, object]:
    """As the production exchange answered in May 2026, without `outcome_side`."""
    return {
        "action": "buy",
        "count_fp": "1.00",
        "created_time": f"2026-05-07T17:55:{number:02}.212272Z",
        "fee_cost": "0.010000",
        "is_taker": True,
        "market_ticker": "KXBTC15M-26MAY071400-00",
        "no_price_dollars": "0.0800",
        "order_id": f"order-{number}",
        "side": "no",
        "subaccount_number": 0,
        "ticker": "KXBTC15M-26MAY071400-00",
        "trade_id": f"trade-{number}",
        "yes_price_dollars": "0.9200",
        **more,
    }


@pytest.fixture
def recorded(tmp_path: Path, open_sandbox: OpenSandbox) -> Asker:
    write(tmp_path, "fills.jsonl", *(an_old_fill(number) for number in range(7)))
    write(
        tmp_path,
        "balances.jsonl",
        {"balance": 2573, "portfolio_value": 0, "updated_ts": 1778198004},
    )
    write(
        tmp_path,
        "markets.jsonl",
        {"ticker": "M-1", "event_ticker": "M", "status": "finalized", "result": "yes"},
        {"ticker": "M-2", "event_ticker": "M", "status": "active", "result": ""},
    )
    write(tmp_path, "events.jsonl", {"event_ticker": "M", "title": "?"})
    write(tmp_path, "positions.jsonl", {"ticker": "M-2", "position_fp": "3.00"})
    return open_sandbox(Settings(limits=UNLIMITED), source=load_recording(tmp_path))


def test_items_are_answered_verbatim(recorded: Asker) -> None:
    rows = recorded.get("/portfolio/fills?limit=1000").rows("fills")

    assert rows == [an_old_fill(number) for number in reversed(range(7))]


def test_pages_and_bounds_are_kept(recorded: Asker) -> None:
    items = list(recorded.pages(portfolio.fills(limit=3)))

    assert [one.trade_id for one in items] == [f"trade-{n}" for n in reversed(range(7))]
    assert recorded.get("/portfolio/fills?limit=1001").status == 400
    assert recorded.raw("/portfolio/fills").status == 401


def test_other_calls_answer_from_their_files(recorded: Asker) -> None:
    assert recorded.get("/portfolio/balance").tree["balance"] == 2573
    assert recorded.get("/markets/M-1").tree["market"] == {
        "ticker": "M-1",
        "event_ticker": "M",
        "status": "finalized",
        "result": "yes",
    }
    assert len(recorded.get("/markets?status=open").rows("markets")) == 1
    assert len(recorded.get("/events/M").rows("markets")) == 2
    assert len(recorded.get("/portfolio/positions").rows("market_positions")) == 1
    assert recorded.get("/portfolio/positions?subaccount=1").rows("market_positions") == []


def test_what_was_not_recorded_does_not_exist(recorded: Asker) -> None:
    assert recorded.get("/portfolio/settlements").rows("settlements") == []
    assert recorded.get("/historical/fills").rows("fills") == []
    assert recorded.get("/markets/M-9").status == 404
    assert recorded.get("/portfolio/balance?subaccount=5").status == 404
    cutoff = recorded.get("/historical/cutoff").tree
    assert set(cutoff.values()) == {"1970-01-01T00:00:00Z"}


def test_a_recording_takes_no_orders_and_says_so(recorded: Asker) -> None:
    answer = recorded.post("/portfolio/events/orders", {"ticker": "M-1"})

    assert answer.status == 404
    assert b"not_in_sandbox" in answer.body


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no recorded stream"),
        ({"trades.jsonl": "{}"}, "trades.jsonl is not a stream"),
        ({"fills.jsonl": '{"a": 1}\n{broken\n'}, "fills.jsonl, line 2: not JSON"),
        ({"fills.jsonl": "[1]\n"}, "fills.jsonl, line 1: not a JSON object"),
    ],
)
def test_folder_that_cannot_serve_is_refused_with_its_place(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    with pytest.raises(ConfigError, match=message) as caught:
        load_recording(tmp_path)

    assert caught.value.remedy


def test_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        load_recording(tmp_path / "nowhere")


@pytest.mark.recorded
def test_recorded_account_is_served_as_it_was(
    recorded_data: Path, tmp_path: Path, open_sandbox: OpenSandbox
) -> None:
    folder = recorded_data / "ledger" / "kxbtc15m_account"
    lines = (folder / "fills_rest_2026-05.jsonl").read_bytes()
    (tmp_path / "fills.jsonl").write_bytes(lines)
    positions = (folder / "positions_rest_2026-05.jsonl").read_bytes()
    (tmp_path / "positions.jsonl").write_bytes(positions)

    asker = open_sandbox(Settings(limits=UNLIMITED), source=load_recording(tmp_path))
    rows = asker.get("/portfolio/fills?limit=1000").rows("fills")
    decoded = list(asker.pages(portfolio.fills(limit=100)))

    recorded = [json.loads(line) for line in lines.splitlines()]
    assert sorted(rows, key=str) == sorted(recorded, key=str)
    assert len(decoded) == len({(one.trade_id, one.order_id) for one in decoded}) == 316
