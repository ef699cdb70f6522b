"""A living world answers requests for quotes, and the books of who traded so close."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from living_desk import LivingDesk, living_desk

from trueup.core.units import Price
from trueup.run.books.account import open_account
from trueup.run.private_files import write_private_file
from trueup.sim.living.quoter import QUOTER
from trueup.sim.rfq_surface import public_name


@pytest.fixture
def desk() -> Iterator[LivingDesk]:
    with living_desk() as open_desk:
        yield open_desk


def ask_for(desk: LivingDesk, ticker: str, **wishes: object) -> str:
    body = {"market_ticker": ticker, "contracts_fp": "25.00", "rest_remainder": False, **wishes}
    answer = desk.asker.post("/communications/rfqs", body)
    assert answer.status == 201, answer
    return str(answer.tree["id"])


def quotes_for(desk: LivingDesk, rfq_id: str) -> list[dict[str, Any]]:
    rows = desk.asker.get(f"/communications/quotes?rfq_id={rfq_id}&rfq_user_filter=self")
    return cast("list[dict[str, Any]]", rows.rows("quotes"))


def traded(desk: LivingDesk, side: str) -> dict[str, Any]:
    """Ask, take the quote that comes, and wait for its execution."""
    rfq_id = ask_for(desk, desk.quoted()["ticker"], replace_existing=True)
    desk.control("advance", by="3s")
    (quote,) = quotes_for(desk, rfq_id)
    path = f"/communications/rfqs/{rfq_id}/quotes/{quote['id']}"
    assert desk.asker.put(f"{path}/accept", {"accepted_side": side}).status == 204
    desk.control("advance", by="3s")
    assert quotes_for(desk, rfq_id)[0]["status"] == "confirmed"
    desk.control("advance", by="15s")
    return quotes_for(desk, rfq_id)[0]


def test_a_request_is_quoted_within_seconds(desk: LivingDesk) -> None:
    rfq_id = ask_for(desk, desk.quoted()["ticker"])

    assert quotes_for(desk, rfq_id) == []
    desk.control("advance", by="3s")
    (quote,) = quotes_for(desk, rfq_id)

    assert (quote["status"], quote["creator_id"]) == ("open", public_name(QUOTER))
    bids = Price.parse(quote["yes_bid_dollars"]), Price.parse(quote["no_bid_dollars"])
    assert 9_000 < sum(bid.units for bid in bids) < 10_000
    assert quote["yes_contracts_fp"] == quote["no_contracts_fp"] == "25.00"


def test_a_deleted_request_is_not_quoted(desk: LivingDesk) -> None:
    rfq_id = ask_for(desk, desk.quoted()["ticker"])
    desk.asker.delete(f"/communications/rfqs/{rfq_id}")

    desk.control("advance", by="10s")

    assert quotes_for(desk, rfq_id) == []


def test_the_books_close_after_trades_by_request(desk: LivingDesk, tmp_path: Path) -> None:
    """Proof and comparison with everything the exchange states, as for any other trade."""
    key = tmp_path / "sandbox.pem"
    write_private_file(key, desk.server.pair.pem)
    environment = {
        "TRUEUP_HOME": str(tmp_path / "home"),
        "TRUEUP_BASE_URL": desk.server.base_url,
        "KALSHI_API_KEY_ID": desk.server.key_id,
        "KALSHI_PRIVATE_KEY_PATH": str(key),
    }

    with open_account(venue="sandbox", environment=environment) as account:
        account.backfill()
        first, second = traded(desk, "yes"), traded(desk, "no")
        account.backfill()
        found = account.reconcile()
        fills = {str(row["order_id"]) for row in account.fills()}

    assert (first["status"], second["status"]) == ("executed", "executed")
    assert {first["rfq_creator_order_id"], second["rfq_creator_order_id"]} <= fills
    assert found.breaks == ()
    assert found.verdict.closes
    assert found.verdict.proven > 0
