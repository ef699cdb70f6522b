"""What an answer means, without a socket: the venues' own words and recorded bodies."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from loopback import NOON, Machine, Say, a_read, a_write, exchange_saying

from trueup.core.errors import (
    ExchangeRefused,
    InvariantBroken,
    NotAuthorized,
    OutcomeUnknown,
    RateLimited,
    TrueupError,
    Unreachable,
)
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.net.answer import Bad, Good, judge
from trueup.net.client import open_client
from trueup.net.request import Failure, FailureKind, Limits, Response
from trueup.net.retry import RetryPolicy
from trueup.net.session import Options
from trueup.net.skew import Skew
from trueup.net.venues import Venue, resolve_endpoint
from trueup.wire.rest import exchange


def answer(status: int, body: bytes = b"{}") -> Response:
    return Response(status=status, headers={}, body=body, sent_at=NOON, received_at=NOON)


def refusal(
    status: int, body: bytes = b"{}", *, venue: Venue = Venue.PROD, skew: Skew | None = None
) -> TrueupError:
    outcome = judge(a_read(), answer(status, body), endpoint=resolve_endpoint(venue), skew=skew)
    assert isinstance(outcome, Bad)
    return outcome.error


@pytest.mark.parametrize(
    ("venue", "remedy"),
    [
        (Venue.PROD, "Keys of the demo do not work in production"),
        (Venue.DEMO, "Keys of production do not work on the demo"),
    ],
)
def test_key_of_the_other_environment_gets_the_hint(venue: Venue, remedy: str) -> None:
    error = refusal(401, b'{"error":{"details":"NOT_FOUND"}}', venue=venue)

    assert isinstance(error, NotAuthorized)
    assert f"on {venue}" in str(error)
    assert remedy in error.remedy


def test_401_without_words_blames_a_clock_that_is_far_off() -> None:
    body = b'{"error":{"code":"authentication_error"}}'

    assert "90 s ahead" in str(refusal(401, body, skew=Skew(90 * SECOND, 91 * SECOND)))
    assert "ahead" not in str(refusal(401, body, skew=Skew(5 * SECOND, 6 * SECOND)))


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_every_success_is_decoded(status: int) -> None:
    outcome = judge(
        a_read(),
        answer(status, b'{"value":7}'),
        endpoint=resolve_endpoint(Venue.PROD),
        skew=None,
    )

    assert outcome == Good(7)


@pytest.mark.parametrize(
    ("status", "kind", "may_pass"),
    [
        (400, ExchangeRefused, False),
        (409, ExchangeRefused, False),
        (410, ExchangeRefused, False),
        (429, RateLimited, True),
        (499, ExchangeRefused, False),
        (500, Unreachable, True),
        (504, Unreachable, True),
        (599, Unreachable, True),
    ],
)
def test_status_decides_the_kind_of_error(
    status: int, kind: type[TrueupError], may_pass: bool
) -> None:
    outcome = judge(a_read(), answer(status), endpoint=resolve_endpoint(Venue.PROD), skew=None)

    assert isinstance(outcome, Bad)
    assert type(outcome.error) is kind
    assert outcome.may_pass is may_pass
    assert outcome.error.remedy


@pytest.mark.parametrize("kind", FailureKind)
def test_write_is_unknown_unless_it_was_never_sent(kind: FailureKind) -> None:
    failure = Failure(kind, "failed")
    outcome = judge(a_write(), failure, endpoint=resolve_endpoint(Venue.PROD), skew=None)

    assert isinstance(outcome, Bad)
    assert isinstance(outcome.error, OutcomeUnknown)
    assert isinstance(outcome.error, Unreachable) is not failure.was_sent
    was_sent_kinds = {FailureKind.TIMEOUT, FailureKind.CUT, FailureKind.TOO_LARGE}
    assert failure.was_sent is (kind in was_sent_kinds | {FailureKind.GARBLED})


def test_broken_invariant_in_a_decoder_is_ours_not_theirs() -> None:
    def decode(body: bytes) -> int:
        raise InvariantBroken(f"{len(body)}")

    broken = replace(a_read(), decode=decode)
    with pytest.raises(InvariantBroken):
        judge(broken, answer(200), endpoint=resolve_endpoint(Venue.PROD), skew=None)


def test_answer_that_trickles_is_given_up_by_the_clock() -> None:
    machine = Machine()

    def later() -> Instant:
        machine.at = Instant(machine.at + SECOND)
        return machine.at

    # By its own clock, which the machine cannot make run faster.
    limits = Limits(connect=MINUTE, silence=MINUTE, total=2 * SECOND, body_bytes_max=9_900_000)
    options = Options(limits=limits, retry=RetryPolicy(attempts=1))
    with exchange_saying(Say(body=b"0" * 5_000_000)) as exchange:
        client = open_client(
            exchange.endpoint(),
            None,
            clock=later,
            sleep=machine.sleep,
            chance=random.Random(7),  # noqa: S311 (jitter, repeatable)
            options=options,
        )
        with client, pytest.raises(Unreachable, match="more than 2 s"):
            client.send(a_read())


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("auth__bad_signature", NotAuthorized, "signature does not fit"),
        ("auth__unknown_key_id", NotAuthorized, "does not know this key id on demo"),
        ("auth__missing_signature_header", NotAuthorized, "found no signature"),
        ("auth__skew_minus30s", NotAuthorized, "refused the time"),
        ("auth__skew_plus5min", NotAuthorized, "refused the time"),
    ],
)
def test_recorded_refusal_is_explained(
    recorded_data: Path, name: str, kind: type[TrueupError], says: str
) -> None:
    folder = recorded_data / "rest" / "fortuna_demo_2026-06"
    meta = msgspec.json.decode((folder / f"{name}.meta.json").read_bytes())
    body = (folder / f"{name}.json").read_bytes()

    error = refusal(meta["status"], body, venue=Venue.DEMO)

    assert type(error) is kind
    assert says in str(error)


@pytest.mark.recorded
def test_every_recorded_error_body_has_words(recorded_data: Path) -> None:
    catalogue = msgspec.json.decode(
        (recorded_data / "rest" / "error_bodies_catalog.json").read_bytes()
    )
    cases = [case for case in catalogue if isinstance(case["status"], int)]

    for case in cases:
        body = case["body"]
        raw = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
        error = refusal(case["status"], raw)
        assert str(error).startswith("GetBalance"), case
        assert error.remedy, case
    assert len(cases) > 5


@pytest.mark.parametrize("status", [200, 503, 504])
def test_exchange_that_is_down_still_says_so(status: int) -> None:
    body = b'{"exchange_active":false,"trading_active":false}'

    outcome = judge(
        exchange.status(),
        answer(status, body),
        endpoint=resolve_endpoint(Venue.PROD),
        skew=None,
    )

    assert isinstance(outcome, Good)
    assert not outcome.value.exchange_active


def test_gateway_that_answers_for_the_exchange_is_no_status() -> None:
    outcome = judge(
        exchange.status(),
        answer(503, b"<html>down</html>"),
        endpoint=resolve_endpoint(Venue.PROD),
        skew=None,
    )

    assert isinstance(outcome, Bad)
    assert isinstance(outcome.error, Unreachable)
