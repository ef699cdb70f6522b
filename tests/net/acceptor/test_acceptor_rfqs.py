"""Requests for quotes over REST: the way to a trade, who sees what, and refusals."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, cast

import pytest
from asker import Answered, Asker
from rfq_desk import MAKER, STRANGER, RfqDesk, rfq_desk
from served_floor import EVENT, OTHER, TICKER, US

from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.wire.rest import portfolio, rfqs
from trueup.wire.rest.rows.rfqs import Quote, Rfq

NOBODY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.fixture
def desk() -> Iterator[RfqDesk]:
    with rfq_desk() as open_desk:
        yield open_desk


def name_of(member: str) -> str:
    return sha256(member.encode()).hexdigest()


def code(answer: Answered) -> tuple[int, object]:
    error = cast("dict[str, object]", answer.tree["error"])
    return answer.status, error.get("details") or error["code"]


# -- to a trade --------------------------------------------------------------------------------


def test_quote_becomes_a_trade_that_both_sides_find(desk: RfqDesk) -> None:
    rfq_id, quote_id = desk.agree()

    quoters = desk.quote(desk.maker, rfq_id, quote_id)
    ours = desk.quote(desk.us, rfq_id, quote_id)
    (made,) = desk.maker.get(f"/portfolio/fills?order_id={quoters['creator_order_id']}").rows(
        "fills"
    )
    (taken,) = desk.us.get(f"/portfolio/fills?order_id={ours['rfq_creator_order_id']}").rows(
        "fills"
    )
    assert (quoters["status"], ours["status"]) == ("executed", "executed")
    assert made["trade_id"] == taken["trade_id"]
    assert (made["is_taker"], made["book_side"], made["yes_price_dollars"], made["fee_cost"]) == (
        False, "bid", "0.4800", "0.000000",
    )  # fmt: skip
    assert (taken["is_taker"], taken["outcome_side"], taken["fee_cost"]) == (
        True, "no", "0.174800",
    )  # fmt: skip
    assert desk.us.send(portfolio.balance()).low == Money.parse("94.6252")


def test_the_present_client_decodes_what_is_shown(desk: RfqDesk) -> None:
    rfq_id, quote_id = desk.agree("no")

    asked = desk.us.send(rfqs.rfq(rfq_id))
    quote = desk.maker.send(rfqs.quote(rfq_id, quote_id))

    assert (asked.status, asked.count, asked.market_ticker) == ("closed", Count.parse("10"), TICKER)
    assert (quote.accepted_side, quote.no_bid) == (Side.NO, Price.parse("0.48"))
    assert quote.accepted_at is not None
    assert quote.confirmed_at is not None
    assert quote.executed_at is not None
    assert quote.executed_at - quote.confirmed_at == 15_000_000


def test_deprecated_paths_without_the_request_do_the_same(desk: RfqDesk) -> None:
    quote_id = desk.answer(desk.ask_for())
    path = f"/communications/quotes/{quote_id}"

    statuses = [
        desk.us.put(f"{path}/accept", {"accepted_side": "yes"}).status,
        desk.maker.put(f"{path}/confirm", {}).status,
        desk.maker.get(path).status,
    ]

    assert statuses == [204, 204, 200]
    assert desk.us.send(rfqs.unscoped_quote(quote_id)).status == "confirmed"


# -- who sees what -----------------------------------------------------------------------------


def test_request_shows_its_private_fields_to_its_creator_only(desk: RfqDesk) -> None:
    rfq_id = desk.ask_for()

    own, others = desk.rfq(desk.us, rfq_id), desk.rfq(desk.stranger, rfq_id)

    private = {"creator_user_id": US, "creator_subaccount": 0}
    assert own == {**others, **private}
    assert (others["creator_id"], others["status"], others["contracts_fp"]) == (
        name_of(US), "open", "10.00",
    )  # fmt: skip


def test_quote_is_seen_by_its_two_sides_only(desk: RfqDesk) -> None:
    rfq_id = desk.ask_for()
    quote_id = desk.answer(rfq_id)

    makers, ours = desk.quote(desk.maker, rfq_id, quote_id), desk.quote(desk.us, rfq_id, quote_id)
    strange = desk.stranger.get(f"/communications/rfqs/{rfq_id}/quotes/{quote_id}")

    assert strange.status == 404
    assert makers["creator_id"] == ours["creator_id"] == name_of(MAKER)
    only_makers, only_ours = set(makers) - set(ours), set(ours) - set(makers)
    assert only_makers == {"creator_user_id", "creator_subaccount", "post_only"}
    assert only_ours == {"rfq_creator_user_id", "rfq_creator_subaccount"}


def test_who_hides_is_shown_by_the_execution_only(desk: RfqDesk) -> None:
    rfq_id = desk.ask_for(obscure_creator_id=True)
    quote_id = desk.answer(rfq_id)

    def names() -> list[object]:
        quote = desk.quote(desk.maker, rfq_id, quote_id)
        return [
            desk.rfq(desk.us, rfq_id)["creator_id"],
            desk.rfq(desk.stranger, rfq_id)["creator_id"],
            quote["rfq_creator_id"],
        ]

    before = names()
    desk.accept(rfq_id, quote_id)
    desk.confirm(rfq_id, quote_id)
    bound = names()
    desk.wait(15)

    assert before == bound == [name_of(US), NOBODY, NOBODY]
    assert names() == [name_of(US)] * 3


def test_communications_id_is_the_name_that_others_see(desk: RfqDesk) -> None:
    assert desk.us.send(rfqs.communications_id()) == name_of(US)


def listed(asker: Asker, call: Any) -> list[str]:
    found: list[Rfq | Quote] = list(asker.pages(call))
    return [one.rfq_id if isinstance(one, Rfq) else one.quote_id for one in found]


def test_requests_are_listed_by_their_filters(desk: RfqDesk) -> None:
    first, second = desk.ask_for(), desk.ask_for(market_ticker=OTHER)
    desk.us.delete(f"/communications/rfqs/{first}")

    assert listed(desk.stranger, rfqs.rfqs(limit=1)) == [second, first]
    assert listed(desk.stranger, rfqs.rfqs(market_ticker=TICKER)) == [first]
    assert listed(desk.stranger, rfqs.rfqs(event_ticker=EVENT, status="open")) == [second]
    assert listed(desk.us, rfqs.rfqs(mine=True)) == [second, first]
    assert listed(desk.maker, rfqs.rfqs(mine=True)) == []


def test_quotes_are_listed_by_their_filters(desk: RfqDesk) -> None:
    first, second = desk.ask_for(), desk.ask_for(market_ticker=OTHER)
    one, two = desk.answer(first), desk.answer(second)
    desk.accept(second, two)

    assert listed(desk.maker, rfqs.quotes(mine=True)) == [two, one]
    assert listed(desk.us, rfqs.quotes(mine=True)) == []
    assert listed(desk.us, rfqs.quotes(for_my_rfqs=True, status="accepted")) == [two]
    assert listed(desk.us, rfqs.quotes(rfq_id=first)) == [one]
    assert listed(desk.stranger, rfqs.quotes()) == []


# -- refusals ----------------------------------------------------------------------------------


def test_late_confirmation_is_expired(desk: RfqDesk) -> None:
    """As recorded on the demo."""
    rfq_id = desk.ask_for()
    quote_id = desk.answer(rfq_id)
    desk.accept(rfq_id, quote_id)
    desk.wait(31)

    assert code(desk.confirm(rfq_id, quote_id)) == (400, "expired")
    assert desk.quote(desk.us, rfq_id, quote_id)["status"] == "accepted"


def test_accepted_quote_is_not_found_for_deletion(desk: RfqDesk) -> None:
    """As recorded on the demo."""
    rfq_id = desk.ask_for()
    quote_id = desk.answer(rfq_id)
    desk.accept(rfq_id, quote_id)

    answer = desk.maker.delete(f"/communications/rfqs/{rfq_id}/quotes/{quote_id}")

    assert code(answer) == (404, "not_found")


def test_second_request_on_a_market_conflicts(desk: RfqDesk) -> None:
    first = desk.ask_for()
    body = {"market_ticker": TICKER, "rest_remainder": False, "contracts": 5}

    again = desk.us.post("/communications/rfqs", body)
    replaced = desk.us.post("/communications/rfqs", {**body, "replace_existing": True})

    assert (again.status, replaced.status) == (409, 201)
    assert desk.rfq(desk.us, first)["cancellation_reason"] == "replaced"


@pytest.mark.parametrize(
    "body",
    [
        {"contracts_fp": "10.00", "contracts": 9},
        {"contracts_fp": "10.00", "target_cost_dollars": "5.00"},
        {"target_cost_dollars": "5.00", "target_cost_centi_cents": 40_000},
        {},
        {"contracts": 10, "subtrader_id": "S-1"},
    ],
)
def test_request_of_two_minds_is_refused(desk: RfqDesk, body: dict[str, object]) -> None:
    head = {"market_ticker": TICKER, "rest_remainder": False}

    assert desk.us.post("/communications/rfqs", {**head, **body}).status == 400


def test_target_cost_has_two_spellings(desk: RfqDesk) -> None:
    head = {"market_ticker": TICKER, "rest_remainder": False}
    answer = desk.us.post("/communications/rfqs", {**head, "target_cost_centi_cents": 52_000})

    row = desk.rfq(desk.us, str(answer.tree["id"]))

    assert (row["target_cost_dollars"], row["contracts_fp"]) == ("5.2000", "0.00")


def test_nobody_acts_for_another(desk: RfqDesk) -> None:
    rfq_id = desk.ask_for()
    quote_id = desk.answer(rfq_id)
    path = f"/communications/rfqs/{rfq_id}"

    statuses = [
        desk.maker.delete(path).status,
        desk.maker.put(f"{path}/quotes/{quote_id}/accept", {"accepted_side": "yes"}).status,
        desk.stranger.delete(f"{path}/quotes/{quote_id}").status,
        desk.us.put(f"{path}/quotes/{quote_id}/confirm", {}).status,
    ]

    assert statuses == [404, 404, 404, 404]
    assert desk.quote(desk.us, rfq_id, quote_id)["status"] == "open"


def test_own_request_cannot_be_quoted(desk: RfqDesk) -> None:
    body = {
        "rfq_id": desk.ask_for(),
        "yes_bid": "0.4800",
        "no_bid": "0.4800",
        "rest_remainder": False,
    }

    assert code(desk.us.post("/communications/quotes", body)) == (400, "this is your own RFQ")


@pytest.mark.parametrize(
    "path",
    [
        "/communications/rfqs/R-1",
        "/communications/quotes?rfq_id=R-1",
        "/communications/rfqs?cursor=nonsense",
        "/communications/rfqs?status=pending",
        "/communications/quotes?user_filter=others",
    ],
)
def test_what_cannot_be_read_is_refused(desk: RfqDesk, path: str) -> None:
    assert desk.us.get(path).status == 400


def test_unknown_request_is_not_found(desk: RfqDesk) -> None:
    assert desk.us.get(f"/communications/rfqs/{STRANGER}").status == 404
