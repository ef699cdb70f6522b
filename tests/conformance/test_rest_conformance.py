"""Nothing of the REST API is without code, or it is named here with the reason."""

from __future__ import annotations

import fnmatch
import json
from collections import defaultdict
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Final, cast

import pytest
from every_call import every_call
from facts import FACTS, Facts, answer_of, changed, read_facts

from trueup.wire.rest import (
    api_keys,
    block_trades,
    combos,
    fcm,
    order_groups,
    order_shapes,
    rfqs,
    transfers,
)
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.rows import rfqs as rfq_rows
from trueup.wire.rest.shapes import Shape
from trueup.wire.rest.table import OPERATIONS

PARAMETERS_WITHOUT_CODE: Final[Mapping[str, str]] = {
    "GetEvents.with_milestones": "milestones.milestones(related_event_ticker=…) asks for them",
}

_SAME: Final = "another field of the record says the same"
_SUCCEEDED: Final = "deprecated by the exchange; its successor is read"

FIELDS_WITHOUT_CODE: Final[Mapping[str, str]] = {
    "*:Order.side": _SUCCEEDED,
    "*:Order.action": _SUCCEEDED,
    "*:Order.book_side": _SAME,
    "*:Order.no_price_dollars": _SAME,
    "*:Fill.side": _SUCCEEDED,
    "*:Fill.action": _SUCCEEDED,
    "*:Fill.book_side": _SAME,
    "*:Fill.no_price_dollars": _SAME,
    "*:Fill.fill_id": _SAME,
    "*:Fill.market_ticker": _SAME,
    "*:Fill.ts": "the whole seconds of created_time",
    "*:Trade.taker_side": _SUCCEEDED,
    "*:Trade.taker_book_side": _SAME,
    "*:Trade.no_price_dollars": _SAME,
    "*:GetBalanceResponse.balance": "balance_dollars, cut to cents",
    "*:GetMarketCandlesticksResponse.ticker": "the market that was asked for",
    "*:GetMarketCandlesticksHistoricalResponse.ticker": "the market that was asked for",
    "*:MultivariateEventCollection.associated_event_tickers": _SUCCEEDED,
    "*:MultivariateEventCollection.is_single_market_per_event": _SUCCEEDED,
    "*:MultivariateEventCollection.is_all_yes": _SUCCEEDED,
    "GetEvents:Milestone.*": "milestones.milestones(related_event_ticker=…) asks for them",
}
"""By operation and by record and field; a star stands for all."""


def excused(name: str, field: str) -> bool:
    return any(fnmatchcase(f"{name}:{field}", pattern) for pattern in FIELDS_WITHOUT_CODE)


@cache
def facts() -> Facts:
    return read_facts(FACTS.read_text(encoding="utf-8"))


@cache
def calls() -> Mapping[str, list[Call[Any]]]:
    found: dict[str, list[Call[Any]]] = defaultdict(list)
    for call in every_call():
        found[call.operation].append(call)
    return found


NAMES: Final = sorted(facts().operations)


def test_every_operation_has_a_call_and_every_call_an_operation() -> None:
    assert sorted(calls()) == NAMES == sorted(OPERATIONS)


@pytest.mark.parametrize("name", NAMES)
def test_operation_is_spelled_as_the_exchange_spells_it(name: str) -> None:
    fact, operation = facts().operations[name], OPERATIONS[name]

    assert (operation.method, operation.template) == (fact.method, fact.path)
    assert operation.signed != fact.public
    assert str(operation.success) == fact.status
    assert set(operation.query) == {parameter.rstrip("*") for parameter in fact.parameters}
    assert not fact.body or operation.has_body


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_can_be_asked_for(name: str) -> None:
    wanted = {parameter.rstrip("*") for parameter in facts().operations[name].parameters}
    sent = {parameter for call in calls()[name] for parameter, _ in call.query}
    excused = {
        parameter for parameter in wanted if f"{name}.{parameter}" in PARAMETERS_WITHOUT_CODE
    }

    assert wanted - sent == excused


@pytest.mark.parametrize("name", NAMES)
def test_required_parameters_are_always_sent(name: str) -> None:
    required = {
        parameter.rstrip("*")
        for parameter in facts().operations[name].parameters
        if parameter.endswith("*")
    }

    for call in calls()[name]:
        assert required <= {parameter for parameter, _ in call.query}


def shapes() -> Mapping[str, Shape[Any]]:
    """All described records, by the exchange's names."""
    modules = (
        api_keys,
        block_trades,
        combos,
        fcm,
        order_groups,
        order_shapes,
        rfqs,
        transfers,
        rfq_rows,
    )
    found: dict[str, Shape[Any]] = {}
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, Shape):
                shape = cast("Shape[Any]", value)
                found[shape.title] = shape
    return found


BODIES: Final = sorted({fact.body for fact in facts().operations.values() if fact.body})


@pytest.mark.parametrize("record", BODIES)
def test_every_field_of_a_request_can_be_said(record: str) -> None:
    names = {"SetTargetBalanceAllocationRequest": "TargetBalanceAllocation"}
    shape = shapes()[names.get(record, record)]

    missing = list(_missing(record, shape))

    assert missing == []


def _missing(record: str, shape: Shape[Any]) -> list[str]:
    fields = {field.name: field for field in shape.fields if not field.of_path}
    missing: list[str] = []
    for fact in facts().records[record]:
        field = fields.get(fact.name)
        if field is None:
            missing.append(f"{record}.{fact.name}")
            continue
        if fact.required and not field.required:
            missing.append(f"{record}.{fact.name} is not required")
        inner = fact.kind.strip("[]{}")
        if inner in facts().records and field.shape is not None:
            missing += _missing(inner, field.shape)
    return missing


def _value(call: Call[Any], answer: dict[str, Any]) -> object:
    value = call.decode(json.dumps(answer).encode())
    if isinstance(value, Page):
        page = cast("Page[object]", value)
        assert page.unreadable == ()
        return page.items, page.cursor
    return value


@cache
def unread(name: str) -> frozenset[str]:
    """Fields of an operation's answer that can change without any of its calls noticing."""
    record = facts().operations[name].answer
    answer, places = answer_of(facts(), record)
    found: set[str] = set()
    seen: set[str] = set()
    for place in places:
        found.add(place.known_as)
        for call in calls()[name]:
            # A refused item of a batch has no other fields, an accepted one no error.
            for whole in (answer, _without("error", answer)):
                if _notices(
                    call,
                    changed(answer, place)
                    if whole is answer
                    else _without("error", changed(answer, place)),
                    _value(call, whole),
                ):
                    seen.add(place.known_as)
    return frozenset(found - seen)


def _without(name: str, tree: Any) -> Any:
    match tree:
        case dict():
            fields = cast("dict[str, Any]", tree)
            return {key: _without(name, value) for key, value in fields.items() if key != name}
        case list():
            return [_without(name, item) for item in cast("list[Any]", tree)]
        case _:
            return tree


def _notices(call: Call[Any], answer: dict[str, Any], before: object) -> bool:
    try:
        return _value(call, answer) != before
    except Exception:  # noqa: BLE001  # whatever refuses another value has looked at it
        return True


ANSWERING: Final = [name for name in NAMES if facts().operations[name].answer]


@pytest.mark.parametrize("name", ANSWERING)
def test_every_field_of_an_answer_is_read(name: str) -> None:
    assert {field for field in unread(name) if not excused(name, field)} == set()


def test_every_excuse_is_needed() -> None:
    all_unread = [f"{name}:{field}" for name in ANSWERING for field in unread(name)]

    assert [
        pattern for pattern in FIELDS_WITHOUT_CODE if not fnmatch.filter(all_unread, pattern)
    ] == []


@pytest.mark.parametrize("name", ANSWERING)
def test_no_field_of_an_answer_is_unknown(name: str) -> None:
    answer, _ = answer_of(facts(), facts().operations[name].answer)

    for call in calls()[name]:
        assert call.unknown_fields(json.dumps(answer).encode()) == ()
