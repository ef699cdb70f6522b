"""One sentence for every message type, from its fields as they stand.

A sentence takes the first value of each number (`v`) and the meaning of each (`m`);
what is not there is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from trueup.wire.fix.kinds import PriceUnit

_Fields = Mapping[str, str]
_Say = Callable[[_Fields, _Fields], str]


def sentence(msg_type: str, values: _Fields, meanings: _Fields, unit: PriceUnit | None) -> str:
    """What a message says.  `unit` is what its prices are written in, where known."""
    say = _SENTENCES.get(msg_type)
    if say is None:
        return f"a message of type {msg_type!r}, which the dictionary does not have"
    words = say(values, meanings)
    if unit is None and any(tag in values for tag in ("6", "31", "44", "132", "133")):
        words += " (prices as written: cents, or dollars with UseDollars)"
    return words


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _with(before: str, value: str | None, after: str = "") -> str:
    return f"{before}{value}{after}" if value else ""


def _logon(v: _Fields, m: _Fields) -> str:
    del m
    if v.get("49", "").lower().startswith("kalshi"):
        reset = " and begins to count anew" if v.get("141") == "Y" else ""
        return f"the exchange accepts the logon{reset}"
    flags = {
        "141": "both numberings begin anew",
        "8013": "orders are cancelled on disconnect",
        "20126": "listener",
        "20127": "settlement reports are asked for",
        "21005": "prices in dollars",
        "21011": "no pending reports",
        "21026": "New always before Trade",
    }
    told = [words for tag, words in flags.items() if v.get(tag) == "Y"]
    return _joined(
        f"logs on to {v.get('56', 'a session')}", _with("heartbeat ", v.get("108"), " s"), *told
    )


def _resend(v: _Fields, m: _Fields) -> str:
    del m
    end = v.get("16", "0")
    span = f"everything from {v.get('7', '?')} on" if end == "0" else f"{v.get('7', '?')} to {end}"
    return f"asks to send again: {span}"


def _reset(v: _Fields, m: _Fields) -> str:
    del m
    to = v.get("36", "?")
    if v.get("123") == "Y":
        return f"gap fill: numbers {v.get('34', '?')} up to {to} hold nothing to send again"
    return f"sequence reset: the next number is {to}"


def _reject(v: _Fields, m: _Fields) -> str:
    return _joined(
        f"refuses message {v.get('45', '?')}{_with(' of type ', v.get('372'))}",
        m.get("373", "") or m.get("380", ""),
        _with("field ", v.get("371")),
        _with("“", v.get("58"), "”"),
    )


def _order_terms(v: _Fields, m: _Fields) -> str:
    side = {"1": "buy YES", "2": "sell YES (buy NO)"}.get(v.get("54", ""), "")
    return _joined(
        f"{side} {v.get('38', '?')} {v.get('55', '')}".strip() + _with(" at ", v.get("44")),
        m.get("59", "") if "59" in v else "",
        m.get("18", "") if "18" in v else "",
    )


def _execution(v: _Fields, m: _Fields) -> str:
    kind, order = v.get("150", ""), f"order {v.get('37', '?')} ({v.get('11', 'no client id')})"
    left = _with(", ", v.get("151"), " left")
    if kind == "F":
        side = {"1": "bought YES", "2": "sold YES (bought NO)"}.get(v.get("54", ""), "traded")
        took = {"Y": ", took", "N": ", made"}.get(v.get("1057", ""), "")
        fee = _with(", fee ", v.get("137"), " dollars")
        return (
            f"{order} {side} {v.get('32', '?')} {v.get('55', '')} at {v.get('31', '?')}"
            f"{took}{left}{fee}"
        )
    told = m.get("150", "").replace("_", " ") or "unknown event"
    why = _joined(m.get("103", "") if "103" in v else "", _with("“", v.get("58"), "”"))
    return f"{order} in {v.get('55', '?')}: {told}{left}{_with(' because of ', why)}"


def _cancel_reject(v: _Fields, m: _Fields) -> str:
    return _joined(
        f"the {m.get('434', 'request')} of order {v.get('37', '?')} is refused",
        m.get("102", "") if "102" in v else "",
        _with("“", v.get("58"), "”"),
        f"the order is {m.get('39', '?').replace('_', ' ')}",
    )


def _settlement(v: _Fields, m: _Fields) -> str:
    day = v.get("715", "")
    page = "" if "893" not in v else "the last page" if v["893"] == "Y" else "more pages follow"
    return _joined(
        f"{v.get('55', '?')} settled {m.get('20107', '?')}"
        + _with(" at ", v.get("730"), " cents")
        + (f" on {day[:4]}-{day[4:6]}-{day[6:]}" if day else ""),
        _counted(v.get("20108", "0"), "party", "parties"),
        _counted(v["20106"], "report in all", "reports in all") if "20106" in v else "",
        page,
    )


def _counted(number: str, one: str, many: str) -> str:
    return f"{number} {one if number == '1' else many}"


def _named(words: str, *parts: tuple[str, str, str]) -> _Say:
    """A sentence of fixed words and some fields: (before, number, after)."""

    def say(v: _Fields, m: _Fields) -> str:
        told = [
            f"{before}{m.get(tag) or v[tag]}{after}" for before, tag, after in parts if tag in v
        ]
        return _joined(words, *told)

    return say


_TEXT: Final = ("“", "58", "”")
_SENTENCES: Final[Mapping[str, _Say]] = {
    "0": _named("heartbeat", ("answers test ", "112", "")),
    "1": _named("asks whether the other side is there", ("test ", "112", "")),
    "2": _resend,
    "3": _reject,
    "4": _reset,
    "5": _named("logs out", _TEXT),
    "A": _logon,
    "j": _reject,
    "D": lambda v, m: f"new order {v.get('11', '?')}: {_order_terms(v, m)}",
    "G": lambda v, m: f"replace {v.get('41', '?')} by {v.get('11', '?')}: {_order_terms(v, m)}",
    "F": _named("cancel an order", ("order ", "41", ""), ("in ", "55", "")),
    "8": _execution,
    "9": _cancel_reject,
    "q": _named("cancel every order of the session", ("request ", "11", "")),
    "r": _named("mass cancel", ("", "531", ""), ("reason ", "532", "")),
    "UOG": _named(
        "order group", ("", "20131", ""), ("group ", "20130", ""), ("limit ", "20132", " contracts")
    ),
    "UOH": _named("order group", ("group ", "20130", ""), ("limit ", "20132", " contracts")),
    "U1": _named("asks for executions again", ("from ", "21001", ""), ("to ", "21002", "")),
    "U2": _named("all executions were sent again", ("", "21003", " reports")),
    "U3": _named("executions are not sent again", ("", "21004", "")),
    "UMS": _settlement,
    "V": _named("market data", ("", "263", ""), ("", "146", " markets")),
    "W": _named("the whole book", ("of ", "55", ""), ("", "268", " entries")),
    "X": _named("market data changed", ("", "268", " entries")),
    "Y": _named("market data is refused", ("", "281", ""), _TEXT),
    "e": _named("state of a market", ("", "263", ""), ("", "55", "")),
    "f": _named("the market's state", ("", "55", ""), ("is now ", "326", "")),
    "R": _named(
        "asks for a quote", ("request ", "131", ""), ("", "55", ""), ("", "38", ""), ("", "152", "")
    ),
    "b": _named("the request for a quote is taken", ("request ", "131", ""), ("RFQ ", "21023", "")),
    "AG": _named("the request for a quote is refused", ("", "658", ""), _TEXT),
    "S": _named(
        "quote", ("", "117", ""), ("", "55", ""), ("bid ", "132", ""), ("offer ", "133", "")
    ),
    "Z": _named("takes a quote back", ("", "117", "")),
    "U9": _named("taking the quote back", ("", "298", ""), _TEXT),
    "AI": _named("the quote", ("", "117", ""), ("is ", "297", ""), _TEXT),
    "U7": _named("confirms the quote", ("", "117", "")),
    "U8": _named("the confirmation", ("", "21010", ""), _TEXT),
    "UA": _named("accepts the quote", ("", "117", ""), ("side ", "54", "")),
    "UC": _named("the acceptance", ("", "21025", ""), _TEXT),
    "UE": _named("takes the request for a quote back", ("", "131", ""), ("", "21023", "")),
    "UB": _named("the request for a quote", ("", "131", ""), ("", "21013", ""), _TEXT),
}
"""By MsgType (35)."""
