"""Learning the account's budget instead of knowing it.

Tiers, capacities and costs change several times a year, so none is written
down: the exchange is asked for `/account/endpoint_costs` (public) and, with a
key, for `/account/limits`.
"""

from __future__ import annotations

from collections.abc import Generator

from trueup.core.errors import ExchangeRefused, NotAuthorized, RateLimited
from trueup.net.request import Reply
from trueup.net.session import LimitsLearned, Session, Step
from trueup.wire.rest import account

_UNAUTHORIZED = 401


def learn_limits(session: Session) -> Generator[Step, Reply | None, LimitsLearned]:
    """Ask for costs and limits and let the session keep to them.

    A key that may not ask (403) or an exchange that does not know the question
    (404) leaves the cautious defaults in place: `told` is false then.  A key
    that is wrong altogether (401) raises `NotAuthorized`.
    """
    try:
        costs = yield from session.flow(account.endpoint_costs())
    except ExchangeRefused as error:
        _reraise_unless_only_the_question_was_refused(error)
    else:
        session.learn_costs(costs)
    learned = session.unlearned()
    if session.signer is not None:
        try:
            limits = yield from session.flow(account.limits())
        except ExchangeRefused as error:
            _reraise_unless_only_the_question_was_refused(error)
        else:
            session.learn_buckets(limits)
            learned = LimitsLearned(
                tier=limits.tier,
                read_per_second=limits.read.refill_per_second,
                write_per_second=limits.write.refill_per_second,
                told=True,
            )
    session.tell(learned)
    return learned


def _reraise_unless_only_the_question_was_refused(error: ExchangeRefused) -> None:
    is_wrong_key = isinstance(error, NotAuthorized) and error.status == _UNAUTHORIZED
    if is_wrong_key or isinstance(error, RateLimited):
        raise error
