"""Query strings as questions to the surface, or as the exchange's 400.

What a parameter is called, its default and its bounds come from the table of
operations.  An unknown parameter is ignored; one of the wrong type or out of
bounds is refused in the shape of the exchange's own checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from trueup.core.ids import EventTicker, OrderId, SeriesTicker, Shard, Subaccount, Ticker
from trueup.core.instant import Instant, from_seconds
from trueup.net.acceptor import replies
from trueup.net.acceptor.gate import Caller
from trueup.net.acceptor.replies import Reply
from trueup.sim.market_surface import STATUS_FILTERS
from trueup.sim.paging import Query
from trueup.sim.rfq import QuoteStatus, RfqStatus
from trueup.wire.rest.table import Operation

_STATUSES: Final[Mapping[str, frozenset[str]]] = {
    "GetMarkets": frozenset(STATUS_FILTERS),
    "GetEvents": frozenset({"unopened", "open", "closed", "settled"}),
    "GetOrders": frozenset({"resting", "canceled", "executed"}),
    "GetPositions": frozenset({"all", "unsettled", "settled"}),
    "GetRFQs": frozenset(RfqStatus),
    "GetQuotes": frozenset(QuoteStatus),
}
_LAST_SUBACCOUNT: Final = 63
_COMBOS: Final[Mapping[str, bool | None]] = {"": None, "only": True, "exclude": False}

_TIMES_OF_MARKETS: Final[Mapping[str, frozenset[str]]] = {
    "created": frozenset({"", "unopened", "open"}),
    "close": frozenset({"", "closed"}),
    "settled": frozenset({"", "settled"}),
    "updated": frozenset({""}),
}
"""The times that markets can be filtered by, one at once, and the statuses each goes with."""
_NOTHING: Final = Query()
"""What no query string asks."""


class _Refused(Exception):
    """Carries the reply out of the reading of a parameter."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def read_query(operation: Operation, given: Mapping[str, str], caller: Caller) -> Query | Reply:
    """The question that a query string asks, or the refusal it gets."""
    if not given and operation.limit_default is None:
        return _NOTHING if caller.subaccount is None else Query(subaccount=caller.subaccount)
    try:
        return _read(operation, given, caller)
    except _Refused as refused:
        return refused.reply


def _read(operation: Operation, given: Mapping[str, str], caller: Caller) -> Query:
    known = {name: value for name, value in given.items() if name in operation.query}
    if operation.name == "GetMarkets":
        _check_times(known)
    tickers = _words(known, "tickers") | _words(known, "ticker") | _words(known, "market_ticker")
    events = _words(known, "event_ticker")
    if operation.name == "GetEvents":
        tickers, events = frozenset[str](), _words(known, "tickers")
    return Query(
        tickers=frozenset(Ticker(one) for one in tickers),
        event_tickers=frozenset(EventTicker(one) for one in events),
        series_ticker=SeriesTicker(known["series_ticker"]) if known.get("series_ticker") else None,
        order_id=OrderId(known["order_id"]) if known.get("order_id") else None,
        min_at=_instant(known, "min_ts", "min_created_ts"),
        max_at=_instant(known, "max_ts", "max_created_ts"),
        min_close_at=_instant(known, "min_close_ts"),
        max_close_at=_instant(known, "max_close_ts"),
        min_settled_at=_instant(known, "min_settled_ts"),
        max_settled_at=_instant(known, "max_settled_ts"),
        updated_after=_instant(known, "min_updated_ts"),
        max_updated_at=_instant(known, "max_updated_ts"),
        combos=_combos(operation, known),
        choice=_choice(operation, known),
        nonzero=_words(known, "count_filter"),
        subaccount=_subaccount(operation, known, caller),
        shard=_optional(known, "exchange_index", Shard),
        show_historical=known.get("show_historical") == "true",
        limit=_limit(operation, known),
        cursor=known.get("cursor", ""),
    )


def _words(given: Mapping[str, str], name: str) -> frozenset[str]:
    return frozenset(word for word in given.get(name, "").split(",") if word)


def _integer(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name, "")
    if not text:
        return None
    if not text.lstrip("-").isdigit() or not text.isascii():
        raise _Refused(replies.unreadable_parameter(name))
    return int(text)


def _optional(given: Mapping[str, str], name: str, make: Callable[[int], Shard]) -> Shard | None:
    value = _integer(given, name)
    return None if value is None else make(value)


def _instant(given: Mapping[str, str], *names: str) -> Instant | None:
    for name in names:
        seconds = _integer(given, name)
        if seconds is not None:
            return from_seconds(seconds)
    return None


def _check_times(given: Mapping[str, str]) -> None:
    """Refuse what the listing of markets cannot filter by together."""
    kinds = [
        kind
        for kind in _TIMES_OF_MARKETS
        if given.get(f"min_{kind}_ts") or given.get(f"max_{kind}_ts")
    ]
    if not kinds:
        return
    kind = kinds[0]
    fits = given.get("status", "") in _TIMES_OF_MARKETS[kind]
    if kind == "updated":
        alone = not any(given.get(name) for name in ("event_ticker", "tickers"))
        exclude = given.get("mve_filter", "")
        of_series = bool(given.get("series_ticker"))
        fits = fits and alone and exclude in ({"exclude"} if of_series else {"", "exclude"})
    if len(kinds) > 1 or not fits:
        raise _Refused(replies.INVALID_PARAMETERS)


def _combos(operation: Operation, given: Mapping[str, str]) -> bool | None:
    word = given.get("mve_filter", "")
    if word not in _COMBOS:
        raise _Refused(replies.out_of_bounds(operation.name, "mve_filter", "oneof"))
    return _COMBOS[word]


def _limit(operation: Operation, given: Mapping[str, str]) -> int:
    default, most = operation.limit_default, operation.limit_maximum
    asked = _integer(given, "limit")
    if default is None or most is None or asked is None:
        return default or Query().limit
    if asked > most:
        raise _Refused(replies.out_of_bounds(operation.name, "limit", "lte"))
    if asked < operation.limit_minimum:
        raise _Refused(replies.out_of_bounds(operation.name, "limit", "gte"))
    # Where 0 is allowed it means the default.
    return asked or default


def _choice(operation: Operation, given: Mapping[str, str]) -> str:
    name = "settlement_status" if operation.name == "GetPositions" else "status"
    word = given.get(name, "")
    allowed = _STATUSES.get(operation.name)
    if word and (allowed is None or word not in allowed):
        raise _Refused(replies.out_of_bounds(operation.name, name, "oneof"))
    return word


def _subaccount(
    operation: Operation, given: Mapping[str, str], caller: Caller
) -> Subaccount | None:
    asked = _integer(given, "subaccount")
    if asked is not None and not 0 <= asked <= _LAST_SUBACCOUNT:
        rule = "gte" if asked < 0 else "lte"
        raise _Refused(replies.out_of_bounds(operation.name, "subaccount", rule))
    if caller.subaccount is None:
        return None if asked is None else Subaccount(asked)
    if asked not in {None, caller.subaccount}:
        raise _Refused(replies.OTHER_SUBACCOUNT)
    return caller.subaccount
