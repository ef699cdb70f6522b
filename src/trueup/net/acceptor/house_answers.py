"""Answers that do not depend on any market: status, hours, limits, costs, keys."""

from __future__ import annotations

from collections.abc import Callable

from trueup.net.acceptor import house
from trueup.net.acceptor.billing import Meters
from trueup.net.acceptor.forms import Forms
from trueup.net.acceptor.key_answers import KeyAnswers
from trueup.net.acceptor.keys import KeyRing
from trueup.net.acceptor.question import Answer, Question
from trueup.net.acceptor.replies import Content
from trueup.wire.rest import encode_exchange
from trueup.wire.rest.account import EndpointCosts
from trueup.wire.spelling import Record


class HouseAnswers:
    """What the exchange says about itself and about a member's standing."""

    def __init__(
        self,
        keys: KeyRing,
        meters: Meters,
        forms: Forms,
        *,
        costs: EndpointCosts,
        new_id: Callable[[], str],
        schedule: Record,
    ) -> None:
        self._schedule = schedule
        self._costs = costs
        self._changes = KeyAnswers(keys, meters, new_id)
        self._keys = keys
        self._meters = meters
        self._forms = forms

    def table(self) -> dict[str, Answer]:
        """The answers by operation id."""
        own: dict[str, Answer] = {
            "GetExchangeStatus": lambda _: Content(self._forms.status(house.OPEN)),
            "GetUserDataTimestamp": lambda q: Content(
                encode_exchange.user_data_timestamp(q.read_at)
            ),
            "GetAccountApiLimits": self._limits,
            "GetAccountEndpointCosts": lambda _: Content(
                encode_exchange.endpoint_costs(self._costs)
            ),
            "GetExchangeSchedule": lambda _: Content(self._schedule),
            "GetPerpsAccountApiLimits": self._limits,
            "GetApiKeys": lambda q: Content(
                encode_exchange.api_keys(self._keys.listed(q.caller.member)), rows="api_keys"
            ),
        }
        return own | self._changes.table()

    def _limits(self, question: Question) -> Content:
        return Content(self._forms.limits(self._meters.limits(question.caller.member)))
