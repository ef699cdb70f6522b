"""A folder of recorded JSON lines as the source of all answers.

The folder holds one file per stream (``fills.jsonl``, ``settlements.jsonl`` and
so on, see `trueup.sim.recorded.STREAMS`); each line is one item as the REST API
gave it.  Items are answered verbatim, with all their fields.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final, cast

import msgspec

from trueup.core.errors import ConfigError
from trueup.core.ids import PRIMARY
from trueup.net.acceptor import replies
from trueup.net.acceptor.house_answers import HouseAnswers
from trueup.net.acceptor.question import Answer, Question
from trueup.net.acceptor.replies import Content, Reply
from trueup.sim.recorded import STREAMS, RecordedItem, Recording
from trueup.wire.rest import encode_exchange
from trueup.wire.rest.encode import page
from trueup.wire.rest.historical import Cutoffs
from trueup.wire.rest.table import OPERATIONS

_SUFFIX: Final = ".jsonl"

_LISTINGS: Final = {
    "GetFills": ("fills", "fills"),
    "GetFillsHistorical": ("historical_fills", "fills"),
    "GetOrders": ("orders", "orders"),
    "GetHistoricalOrders": ("historical_orders", "orders"),
    "GetSettlements": ("settlements", "settlements"),
    "GetDeposits": ("deposits", "deposits"),
    "GetWithdrawals": ("withdrawals", "withdrawals"),
    "GetSubaccountTransfers": ("subaccount_transfers", "transfers"),
    "GetIntraExchangeInstanceTransfers": ("shard_transfers", "transfers"),
    "GetMarkets": ("markets", "markets"),
    "GetHistoricalMarkets": ("historical_markets", "markets"),
    "GetEvents": ("events", "events"),
    "GetMultivariateEvents": ("", "events"),
    "GetEventFeeChanges": ("event_fee_changes", "event_fee_changes"),
}
"""Paged operations: their stream, and the key of their rows."""

_SINGLES: Final = {
    "GetOrder": ("orders", "order_id", "order_id", "order"),
    "GetMarket": ("markets", "ticker", "ticker", "market"),
    "GetHistoricalMarket": ("historical_markets", "ticker", "ticker", "market"),
    "GetSeries": ("series", "ticker", "series_ticker", "series"),
    "GetIntraExchangeInstanceTransfer": (
        "shard_transfers",
        "transfer_id",
        "transfer_id",
        "transfer",
    ),
}
"""Single records: stream, field, the path's placeholder, and the key of the answer."""

_WHOLE: Final = {
    "GetSeriesList": ("series", "series"),
    "GetSeriesFeeChanges": ("series_fee_changes", "series_fee_change_arr"),
    "GetSubaccountBalances": ("subaccount_balances", "subaccount_balances"),
}
"""Listings without pages."""


def load_recording(folder: Path) -> Recording:
    """Read a folder of JSON lines.

    Raises `ConfigError` that names the file, and the line where there is one:
    for a folder without any known file, for an unknown file, for a broken line.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"{folder} is not a folder",
            remedy="Name the folder that holds the recorded .jsonl files.",
        )
    items: dict[str, list[RecordedItem]] = {}
    for path in sorted(folder.glob("*" + _SUFFIX)):
        if path.stem not in STREAMS:
            raise ConfigError(
                f"{path} is not a stream of a recording",
                remedy=f"Known files: {', '.join(name + _SUFFIX for name in STREAMS)}.",
            )
        items[path.stem] = _read_lines(path)
    if not items:
        raise ConfigError(
            f"{folder} holds no recorded stream",
            remedy=f"Put at least one of these there: {', '.join(n + _SUFFIX for n in STREAMS)}.",
        )
    return Recording(items)


def _read_lines(path: Path) -> list[RecordedItem]:
    items: list[RecordedItem] = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            raw = line.strip()
            if not raw:
                continue
            try:
                fields = msgspec.json.decode(raw)
            except msgspec.DecodeError as error:
                raise ConfigError(
                    f"{path}, line {number}: not JSON ({error})",
                    remedy="Every line must be one JSON object, as the REST API gave it.",
                ) from error
            if not isinstance(fields, dict):
                raise ConfigError(
                    f"{path}, line {number}: not a JSON object",
                    remedy="Write the items of a listing one per line, without the list around them.",
                )
            items.append(RecordedItem(cast("dict[str, object]", fields), raw))
    return items


class RecordedAnswers:
    """Answers from a recording; a recording has no archive of its own making."""

    def __init__(self, recording: Recording, house_answers: HouseAnswers) -> None:
        self._recording = recording
        self._answers: dict[str, Answer] = {
            **house_answers.table(),
            **{name: self._paged(*where) for name, where in _LISTINGS.items()},
            **{name: self._single(where) for name, where in _SINGLES.items()},
            **{name: self._whole(*where) for name, where in _WHOLE.items()},
            "GetBalance": self._balance,
            "GetPositions": self._positions,
            "GetHistoricalPositions": self._historical_positions,
            "GetHistoricalCutoff": self._cutoffs,
            "GetEvent": self._event,
        }

    def answer(self, question: Question) -> Content | Reply:
        """The recorded answer."""
        answer = self._answers.get(question.operation)
        if answer is not None:
            return answer(question)
        if OPERATIONS[question.operation].method != "GET":
            return replies.not_in_sandbox(question.operation, "recorded answers take no commands")
        return replies.NOT_FOUND

    def _paged(self, stream: str, key: str) -> Answer:
        if not stream:
            return lambda _: Content(page(key, ()), rows=key)
        return lambda question: self._page(question, stream, key)

    def _page(self, question: Question, stream: str, key: str) -> Content:
        found = self._recording.listing(stream, question.query)
        rows = [msgspec.Raw(item.raw) for item in found.items]
        return Content({key: rows, "cursor": found.cursor}, rows=key)

    def _single(self, where: tuple[str, str, str, str]) -> Answer:
        stream, field, placeholder, key = where

        def answer(question: Question) -> Content | Reply:
            item = self._recording.find(stream, field, question.path[placeholder])
            return replies.NOT_FOUND if item is None else Content({key: msgspec.Raw(item.raw)})

        return answer

    def _whole(self, stream: str, key: str) -> Answer:
        def answer(_question: Question) -> Content:
            rows = [msgspec.Raw(item.raw) for item in self._recording.items(stream)]
            return Content({key: rows}, rows=key)

        return answer

    def _balance(self, question: Question) -> Content | Reply:
        item = self._recording.balance(question.at, question.query)
        return replies.NOT_FOUND if item is None else Content(dict(item.fields))

    def _positions(self, question: Question) -> Content:
        return self._position_page(question, "positions")

    def _historical_positions(self, question: Question) -> Content:
        return self._position_page(question, "historical_positions")

    def _position_page(self, question: Question, stream: str) -> Content:
        query = question.query
        subaccount = PRIMARY if query.subaccount is None else query.subaccount
        asked = replace(question, query=replace(query, subaccount=subaccount))
        content = self._page(asked, stream, "market_positions")
        content.tree["event_positions"] = []
        return content

    def _cutoffs(self, _question: Question) -> Content:
        border = self._recording.border
        return Content(
            encode_exchange.cutoffs(
                Cutoffs(
                    trades_created_at=border("fills", "historical_fills"),
                    orders_updated_at=border("orders", "historical_orders"),
                    market_settled_at=border("markets", "historical_markets"),
                    positions_updated_at=border("positions", "historical_positions"),
                )
            )
        )

    def _event(self, question: Question) -> Content | Reply:
        ticker = question.path["event_ticker"]
        item = self._recording.find("events", "event_ticker", ticker)
        if item is None:
            return replies.NOT_FOUND
        markets = [
            msgspec.Raw(one.raw)
            for one in self._recording.items("markets")
            if one.fields.get("event_ticker") == ticker
        ]
        return Content({"event": msgspec.Raw(item.raw), "markets": markets})
