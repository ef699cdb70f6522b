"""Sections in which the sandbox has nothing to tell, in the exchange's own shapes.

Milestones, structured targets, incentives, live data and the like exist at the
exchange beside its markets.  A client that asks for them finds empty lists
here, not missing pages; what concerns a market is made from the listings.  Who
wants to add to such a section is told that it is not in the sandbox.
"""

from __future__ import annotations

from typing import Final

from trueup.core.ids import EventTicker
from trueup.net.acceptor import replies
from trueup.net.acceptor.question import Answer, Question
from trueup.net.acceptor.replies import Content, Reply
from trueup.sim.exchange import Exchange
from trueup.sim.market_surface import MarketSurface
from trueup.wire.rest.table import OPERATIONS
from trueup.wire.spelling import Record

_LISTS: Final = {
    "GetMilestones": ("milestones", "cursor"),
    "GetStructuredTargets": ("structured_targets", "cursor"),
    "GetIncentivePrograms": ("incentive_programs", "next_cursor"),
    "GetMultivariateEventCollections": ("multivariate_contracts", "cursor"),
    "GetLiveDatas": ("live_datas", ""),
    "GetBlockTradeProposals": ("block_trade_proposals", "cursor"),
    "GetRFQBatches": ("rfq_batches", "cursor"),
    "GetAccountApiUsageLevelVolumeProgress": ("volume_progress", ""),
    "GetExchangeAnnouncements": ("announcements", ""),
}
"""The key of the rows of each, and of its cursor where there is one."""

_REQUIRED: Final = {"GetMilestones": "limit"}
"""Listings that refuse to answer without a parameter."""

_FCM: Final = (
    *(each.name for each in OPERATIONS.values() if each.template.startswith("/fcm/")),
    "GetPortfolioRestingOrderTotalValue",
)
"""For clearing members only; a direct member is refused (some recorded, January 2026)."""

_WEATHER: Final = "there are no weather readings; its temperature markets follow hidden numbers"

_NOT_HERE: Final = {
    "ProposeBlockTrade": "block trades are not simulated",
    "AcceptBlockTradeProposal": "block trades are not simulated",
    "CreateMarketInMultivariateEventCollection": "combos are not simulated",
    "GetWeatherIndex": _WEATHER,
    "GetWeatherIndexCalibrations": _WEATHER,
} | {
    each.name: "batches of requests for quotes are for combos, which are not simulated"
    for each in OPERATIONS.values()
    if each.template.startswith("/communications/rfq_batches") and each.method != "GET"
}
"""What would begin or change something that is not simulated.

Reading one record of these sections is an ordinary 404: there is none.
"""


class QuietAnswers:
    """What there is to say about what is not here."""

    def __init__(self, exchange: Exchange, markets: MarketSurface) -> None:
        self._exchange = exchange
        self._markets = markets

    def table(self) -> dict[str, Answer]:
        """The answers by operation id."""
        found = {name: _empty(name, *keys) for name, keys in _LISTS.items()}
        found |= dict.fromkeys(_FCM, _refuse)
        found |= {name: _not_here(name, why) for name, why in _NOT_HERE.items()}
        found |= {
            "GetFiltersForSports": _no_sports,
            "GetTagsForSeriesCategories": self._tags,
            "GetEventMetadata": self._metadata,
            "GetEventForecastPercentilesHistory": self._forecast,
        }
        return found

    def _tags(self, question: Question) -> Content:
        tags: dict[str, dict[str, None]] = {}
        for series in self._markets.series_list(question.at):
            tags.setdefault(series.category, {}).update(dict.fromkeys(series.tags))
        shown = {category: list(words) or None for category, words in sorted(tags.items())}
        return Content({"tags_by_categories": shown})

    def _metadata(self, question: Question) -> Content | Reply:
        ticker = EventTicker(question.path["event_ticker"])
        if self._markets.event(question.at, ticker) is None:
            return replies.NOT_FOUND
        markets: list[Record] = [
            {"market_ticker": one, "image_url": "", "color_code": ""}
            for one in self._exchange.books.listings.markets_of.get(ticker, ())
        ]
        return Content(
            {
                "image_url": "",
                "featured_image_url": "",
                "market_details": markets,
                "settlement_sources": [],
            }
        )

    def _forecast(self, question: Question) -> Content | Reply:
        if self._markets.event(question.at, EventTicker(question.path["ticker"])) is None:
            return replies.NOT_FOUND
        return Content({"forecast_history": []})


def _refuse(_question: Question) -> Content | Reply:
    return replies.PERMISSION_DENIED


def _not_here(name: str, why: str) -> Answer:
    reply = replies.not_in_sandbox(name, why)
    return lambda _question: reply


def _no_sports(_question: Question) -> Content | Reply:
    return Content({"filters_by_sports": {}, "sport_ordering": []})


def _empty(name: str, key: str, cursor: str) -> Answer:
    required = _REQUIRED.get(name, "")

    def answer(question: Question) -> Content | Reply:
        if required and required not in question.given:
            return replies.missing_parameter(required)
        tree: Record = {key: []}
        if cursor:
            tree[cursor] = ""
        return Content(tree, rows=key)

    return answer
