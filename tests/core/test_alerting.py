"""What reaches the operator's phone, and what does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trueup.core.alerting import AlertPolicy, AlertRules, FillNews, Message
from trueup.core.alerts import MEANINGS, Alert, AlertKind, Severity
from trueup.core.instant import HOUR, MINUTE, SECOND, Instant

NOON = Instant(1_780_000_000 * SECOND)


def policy(**rules: object) -> AlertPolicy:
    return AlertPolicy(AlertRules(**rules), NOON)  # type: ignore[arg-type]


def alert(
    kind: AlertKind, words: str = "it happened", *, after: int = 0, key: str = "", ends: str = ""
) -> Alert:
    return Alert(at=Instant(NOON + after), kind=kind, words=words, key=key, ends=ends)


def fill(number: int, after: int = 0) -> Alert:
    return alert(AlertKind.FILL, "bid 5 RAIN at 0.4000", after=after, key=f"trade {number}")


def words(messages: list[Message]) -> list[str]:
    return [each.words for each in messages]


def test_every_kind_has_a_meaning() -> None:
    assert set(MEANINGS) == set(AlertKind)


def test_same_trouble_is_told_once_and_then_counted() -> None:
    rules = policy(repeat_after=HOUR)

    first = rules.hear(alert(AlertKind.HALT, "the exchange is down"))
    again = [
        rules.hear(alert(AlertKind.HALT, "the exchange is down", after=minute * MINUTE))
        for minute in (1, 2, 3)
    ]

    assert words(first) == ["the exchange is down"]
    assert again == [[], [], []]
    assert rules.wake_at() == NOON + HOUR
    assert rules.due(Instant(NOON + HOUR - 1)) == []
    assert words(rules.due(Instant(NOON + HOUR))) == ["the exchange is down (again, 3 times)"]


def test_trouble_that_was_over_is_new_when_it_comes_again() -> None:
    rules = policy()
    halt = "halt breaker"

    assert rules.hear(alert(AlertKind.HALT, key=halt))
    assert rules.hear(alert(AlertKind.LIFTED, key="lifted once", ends=halt, after=MINUTE))

    assert rules.hear(alert(AlertKind.HALT, key=halt, after=2 * MINUTE))


def test_two_fills_of_the_same_words_are_two_fills() -> None:
    rules = policy()

    assert words([*rules.hear(fill(1)), *rules.hear(fill(2))]) == ["bid 5 RAIN at 0.4000"] * 2


def test_quiet_fills_come_in_one_message() -> None:
    rules = policy(fills=FillNews.DIGEST, digest=15 * MINUTE)

    for number in range(12):
        assert rules.hear(fill(number, number * SECOND)) == []

    assert rules.due(Instant(NOON + 14 * MINUTE)) == []
    (message,) = rules.due(Instant(NOON + 15 * MINUTE))
    assert message.count == 12
    assert message.words.splitlines()[:2] == ["12 fills", "… and 2 before these"]
    assert len(message.words.splitlines()) == 12


def test_what_a_person_does_not_want_is_not_sent() -> None:
    muted = policy(least=Severity.WARNING, muted=frozenset({AlertKind.FEED}), fills=FillNews.OFF)

    for kind in (AlertKind.SETTLEMENT, AlertKind.FEED, AlertKind.FILL):
        assert muted.hear(alert(kind)) == []
    assert muted.hear(alert(AlertKind.CONNECTION))
    assert muted.hear(alert(AlertKind.TEST)), "a test is always heard"


def test_flood_of_fills_is_summed_up_and_never_holds_back_a_halt() -> None:
    rules = policy(burst=3, pause=MINUTE)

    sent = [message for number in range(50) for message in rules.hear(fill(number))]
    halt = rules.hear(alert(AlertKind.HALT, "stop"))

    assert len(sent) == 3
    assert words(halt) == ["stop"]
    assert rules.wake_at() == NOON + MINUTE
    (summary,) = rules.due(Instant(NOON + MINUTE))
    assert summary.words == (
        "47 more alerts were held back: 47 fill. The last: bid 5 RAIN at 0.4000"
    )
    assert summary.count == 47


def test_nothing_is_lost_at_the_end() -> None:
    rules = policy(burst=1, fills=FillNews.DIGEST)
    rules.hear(fill(1))
    rules.hear(alert(AlertKind.FEED, "first"))
    rules.hear(alert(AlertKind.FEED, "second"))

    assert [each.count for each in rules.rest(NOON)] == [1, 1]


kinds = st.sampled_from([AlertKind.FEED, AlertKind.HALT, AlertKind.FILL, AlertKind.SETTLEMENT])


@given(
    told=st.lists(st.tuples(kinds, st.integers(0, 5), st.integers(0, 30 * MINUTE)), max_size=60),
    burst=st.integers(1, 5),
)
def test_every_alert_is_sent_counted_or_waits(
    told: list[tuple[AlertKind, int, int]], burst: int
) -> None:
    """Whatever comes: the messages say how many alerts there were, and no phone rings in between."""
    rules = policy(burst=burst, pause=MINUTE, repeat_after=HOUR)
    at = NOON
    messages: list[Message] = []
    for number, (kind, trouble, later) in enumerate(told):
        at = Instant(at + later)
        key = f"fill {number}" if kind is AlertKind.FILL else f"trouble {trouble}"
        if number % 2:
            messages += rules.due(at)
        messages += rules.hear(Alert(at=at, kind=kind, words="told", key=key))
    messages += rules.due(Instant(at + 3 * HOUR))
    messages += rules.rest(Instant(at + 3 * HOUR))

    assert sum(each.count for each in messages) == len(told)
    assert len(messages) <= 2 * (burst + 1) + 2 * (at + 3 * HOUR - NOON) // MINUTE
