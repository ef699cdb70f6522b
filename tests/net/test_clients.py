"""Both clients against real sockets: what goes out, what comes back, what is repeated."""

from __future__ import annotations

import base64
import gzip
import ssl
from dataclasses import replace

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from loopback import (
    GIVE_UP_SOON,
    NOON,
    PATIENT,
    Machine,
    OpenDriver,
    Say,
    Seen,
    a_read,
    a_write,
    exchange_saying,
    self_signed_server,
)

from trueup.core.errors import (
    CallerError,
    ConfigError,
    ExchangeRefused,
    NotAuthorized,
    NotFound,
    OutcomeUnknown,
    ProtocolBroken,
    RateLimited,
    Unreachable,
)
from trueup.core.instant import MINUTE, SECOND
from trueup.net.retry import RetryPolicy
from trueup.net.secret import Secret
from trueup.net.session import Answered, Event, Options, Retrying, Throttled
from trueup.net.signer import BearerToken, Ed25519Signer, RsaSigner
from trueup.net.venues import Venue, resolve_endpoint
from trueup.wire.rest.call import Call

TWO_TRIES = Options(limits=PATIENT, retry=RetryPolicy(attempts=2))
TWO_SHORT_TRIES = replace(TWO_TRIES, limits=GIVE_UP_SOON)


def no(code: str, message: str = "", **more: str) -> bytes:
    """A refusal in the nested form."""
    return msgspec.json.encode({"error": {"code": code, "message": message or code, **more}})


def signed_text(seen: Seen) -> bytes:
    """What the exchange computes from the request it got."""
    stamp = seen.headers["kalshi-access-timestamp"]
    return f"{stamp}{seen.method}{seen.target.partition('?')[0]}".encode()


def signature(seen: Seen) -> bytes:
    return base64.b64decode(seen.headers["kalshi-access-signature"], validate=True)


def test_rsa_signature_verifies_with_the_public_key(
    open_driver: OpenDriver, rsa_key: RSAPrivateKey
) -> None:
    with exchange_saying(Say()) as exchange:
        driver = open_driver(exchange.endpoint(), RsaSigner("my-key", rsa_key))
        assert driver.send(a_read(signed=True, query=(("limit", "5"), ("cursor", "a+/=")))) == 1

    seen = exchange.seen[0]
    assert seen.target == "/trade-api/v2/portfolio/balance?limit=5&cursor=a%2B%2F%3D"
    assert seen.headers["kalshi-access-key"] == "my-key"
    assert seen.headers["kalshi-access-timestamp"] == str(NOON // 1000)
    padding = PSS(mgf=MGF1(SHA256()), salt_length=32)
    rsa_key.public_key().verify(signature(seen), signed_text(seen), padding, SHA256())


def test_ed25519_signature_verifies_with_the_public_key(
    open_driver: OpenDriver, ed25519_key: Ed25519PrivateKey
) -> None:
    with exchange_saying(Say()) as exchange:
        driver = open_driver(exchange.endpoint(), Ed25519Signer("my-key", ed25519_key))
        driver.send(a_read(signed=True))

    seen = exchange.seen[0]
    ed25519_key.public_key().verify(signature(seen), signed_text(seen))


def test_retry_is_signed_anew(open_driver: OpenDriver, ed25519_key: Ed25519PrivateKey) -> None:
    with exchange_saying(Say(status=503, body=b""), Say()) as exchange:
        driver = open_driver(exchange.endpoint(), Ed25519Signer("my-key", ed25519_key))
        driver.send(a_read(signed=True))

    first, second = exchange.seen
    assert first.headers["kalshi-access-timestamp"] < second.headers["kalshi-access-timestamp"]
    ed25519_key.public_key().verify(signature(second), signed_text(second))


def test_public_call_carries_no_signature(
    open_driver: OpenDriver, ed25519_key: Ed25519PrivateKey
) -> None:
    with exchange_saying(Say()) as exchange:
        open_driver(exchange.endpoint(), Ed25519Signer("my-key", ed25519_key)).send(a_read())

    assert not [name for name in exchange.seen[0].headers if name.startswith("kalshi")]


def test_signed_call_without_key_is_refused_before_sending(open_driver: OpenDriver) -> None:
    with exchange_saying(Say()) as exchange, pytest.raises(ConfigError, match="needs an API key"):
        open_driver(exchange.endpoint()).send(a_read(signed=True))

    assert exchange.seen == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_body_is_sent_with_its_type(open_driver: OpenDriver, method: str) -> None:
    with exchange_saying(Say()) as exchange:
        open_driver(exchange.endpoint()).send(a_write(method))

    seen = exchange.seen[0]
    assert seen.method == method
    assert seen.headers["content-type"] == "application/json"
    assert seen.body == b'{"count":"1.00"}'


def test_post_without_body_sends_an_empty_object(open_driver: OpenDriver) -> None:
    with exchange_saying(Say()) as exchange:
        open_driver(exchange.endpoint()).send(a_write(body=None))

    assert exchange.seen[0].body == b"{}"
    assert exchange.seen[0].headers["content-type"] == "application/json"


def test_client_introduces_itself(open_driver: OpenDriver) -> None:
    with exchange_saying(Say()) as exchange:
        open_driver(exchange.endpoint()).send(a_read())

    assert exchange.seen[0].headers["user-agent"].startswith("trueup/")
    assert exchange.seen[0].headers["accept"] == "application/json"


def test_packed_answer_is_unpacked(open_driver: OpenDriver) -> None:
    packed = gzip.compress(b'{"value":42}')
    with exchange_saying(Say(body=packed, headers={"Content-Encoding": "gzip"})) as exchange:
        assert open_driver(exchange.endpoint()).send(a_read()) == 42


@pytest.mark.parametrize("path", ["/markets/A B", "/markets/../x", "/markets/a?b", "/markets/ü"])
def test_path_that_would_be_rewritten_is_not_sent(open_driver: OpenDriver, path: str) -> None:
    call = Call(
        operation="GetMarket", method="GET", template="/markets/{ticker}", path=path, decode=len
    )
    with exchange_saying(Say()) as exchange, pytest.raises(CallerError, match="signed and sent"):
        open_driver(exchange.endpoint()).send(call)

    assert exchange.seen == []


def test_503_then_ok_is_repeated_with_a_pause(open_driver: OpenDriver) -> None:
    machine = Machine()
    with exchange_saying(Say(status=503, body=b"<html>"), Say(status=502), Say()) as exchange:
        driver = open_driver(exchange.endpoint(), machine=machine)
        assert driver.send(a_read()) == 1

    assert len(exchange.seen) == 3
    assert driver.counts.requests == 3
    assert driver.counts.retries == 2
    assert len(machine.slept) == 2
    assert driver.counts.waited_microseconds == sum(machine.slept)


def test_503_for_ever_is_unreachable(open_driver: OpenDriver) -> None:
    with (
        exchange_saying(Say(status=503, body=b"")) as exchange,
        pytest.raises(Unreachable, match=r"503 Service Unavailable.*tried 5 times") as caught,
    ):
        open_driver(exchange.endpoint()).send(a_read())

    assert len(exchange.seen) == 5
    assert "maintenance" in caught.value.remedy


def test_retries_stay_within_the_time_budget(open_driver: OpenDriver) -> None:
    machine = Machine()
    policy = RetryPolicy(attempts=50, first=4 * SECOND, ceiling=8 * SECOND, total=10 * SECOND)
    with exchange_saying(Say(status=503, body=b"")) as exchange, pytest.raises(Unreachable):
        open_driver(
            exchange.endpoint(), machine=machine, options=Options(limits=PATIENT, retry=policy)
        ).send(a_read())

    assert 1 < len(exchange.seen) < 50
    assert sum(machine.slept) <= policy.total


@pytest.mark.parametrize(
    "answer",
    [
        Say(status=503, body=b""),
        Say(status=500, body=no("internal")),
        Say(drop=True),
        Say(hang=True),
        Say(body=b"<html>"),
        Say(body=b'{"value":', promised=50),
    ],
    ids=["503", "500", "dropped", "silent", "not json", "cut short"],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_write_with_unknown_outcome_is_never_repeated(
    open_driver: OpenDriver, answer: Say, method: str
) -> None:
    options = Options(limits=GIVE_UP_SOON if answer.hang else PATIENT)
    with exchange_saying(answer) as exchange:
        with pytest.raises(OutcomeUnknown, match="unknown") as caught:
            open_driver(exchange.endpoint(), options=options).send(a_write(method))
        assert exchange.has_seen(1)

    assert not isinstance(caught.value, Unreachable)
    assert "Ask the exchange" in caught.value.remedy


def test_write_on_a_connection_that_died_meanwhile_is_not_repeated(
    open_driver: OpenDriver,
) -> None:
    with exchange_saying(Say(), Say(drop=True), Say()) as exchange:
        driver = open_driver(exchange.endpoint())
        driver.send(a_read())
        with pytest.raises(OutcomeUnknown):
            driver.send(a_write("DELETE"))

    assert len(exchange.seen) == 2


def test_write_refused_for_too_many_requests_is_not_repeated(open_driver: OpenDriver) -> None:
    with (
        exchange_saying(Say(status=429, body=b'{"error":"too many requests"}')) as exchange,
        pytest.raises(RateLimited),
    ):
        open_driver(exchange.endpoint()).send(a_write())

    assert len(exchange.seen) == 1


def test_write_that_could_not_be_sent_says_so(open_driver: OpenDriver) -> None:
    with exchange_saying(Say()) as exchange:
        endpoint = exchange.endpoint()

    with pytest.raises(Unreachable, match="was not sent"):
        open_driver(endpoint).send(a_write())


def test_429_storm_waits_for_the_bucket_and_gives_up(open_driver: OpenDriver) -> None:
    machine = Machine()
    with exchange_saying(Say(status=429, body=b'{"error":"too many requests"}')) as exchange:
        driver = open_driver(exchange.endpoint(), machine=machine)
        with pytest.raises(RateLimited, match="tried 5 times") as caught:
            driver.send(a_read())

    assert len(exchange.seen) == 5
    assert caught.value.status == 429
    assert "same account" in caught.value.remedy
    # Ten tokens at two hundred a second take 50 ms that jitter alone would not guarantee.
    assert sum(machine.slept) >= 4 * SECOND // 20


def test_429_then_ok_goes_on(open_driver: OpenDriver) -> None:
    storm = Say(status=429, body=no("too_many_requests"))
    with exchange_saying(storm, storm, Say()) as exchange:
        assert open_driver(exchange.endpoint()).send(a_read()) == 1


def test_gateway_that_asks_for_time_gets_it(open_driver: OpenDriver) -> None:
    machine = Machine()
    busy = Say(status=429, body=b"", headers={"Retry-After": "3"})
    with exchange_saying(busy, Say()) as exchange:
        open_driver(exchange.endpoint(), machine=machine).send(a_read())

    assert sum(machine.slept) >= 3 * SECOND


@pytest.mark.parametrize(
    ("body", "code", "shown"),
    [
        (
            no("insufficient_balance", "insufficient balance", service="exchange"),
            "insufficient_balance",
            "insufficient balance",
        ),
        (
            b'{"code":"bad_request","message":"bad request","details":"json: cannot unmarshal"}',
            "bad_request",
            "cannot unmarshal",
        ),
        (b'{"msg":"Parameter validation failed for GetMarkets"}', "", "Parameter validation"),
        (b'{"error":"too strange"}', "", "too strange"),
        (b"<html>no</html>", "", ""),
    ],
    ids=["nested", "flat", "msg", "string", "html"],
)
def test_refusal_tells_the_words_of_the_exchange(
    open_driver: OpenDriver, body: bytes, code: str, shown: str
) -> None:
    with (
        exchange_saying(Say(status=400, body=body)) as exchange,
        pytest.raises(ExchangeRefused, match="GetBalance") as caught,
    ):
        open_driver(exchange.endpoint()).send(a_read())

    assert len(exchange.seen) == 1
    assert caught.value.status == 400
    assert caught.value.code == code
    assert shown in str(caught.value)


def test_404_is_not_found(open_driver: OpenDriver) -> None:
    body = no("not_found", "not found")
    with (
        exchange_saying(Say(status=404, body=body)) as exchange,
        pytest.raises(NotFound),
    ):
        open_driver(exchange.endpoint()).send(a_read())


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"value":', b'{"value":"x"}', b"\xff\xfe", b"[" * 100_00]
)
def test_answer_that_cannot_be_read_is_shown_not_believed(
    open_driver: OpenDriver, body: bytes
) -> None:
    with (
        exchange_saying(Say(body=body)) as exchange,
        pytest.raises(ProtocolBroken, match="could not be read") as caught,
    ):
        open_driver(exchange.endpoint()).send(a_read())

    assert len(exchange.seen) == 1
    assert caught.value.evidence[:5] == body[:5].decode("utf-8", "replace")


def test_truncated_answer_is_fetched_again(open_driver: OpenDriver) -> None:
    with exchange_saying(Say(body=b'{"value"', promised=90), Say()) as exchange:
        assert open_driver(exchange.endpoint()).send(a_read()) == 1

    assert len(exchange.seen) == 2


def test_answer_that_stays_truncated_is_protocol_broken(open_driver: OpenDriver) -> None:
    with (
        exchange_saying(Say(body=b'{"value":1', promised=90)) as exchange,
        pytest.raises(ProtocolBroken, match="broke off") as caught,
    ):
        open_driver(exchange.endpoint(), options=TWO_TRIES).send(a_read())

    assert len(exchange.seen) == 2
    assert caught.value.evidence == '{"value":1'


def test_broken_packing_is_protocol_broken(open_driver: OpenDriver) -> None:
    answer = Say(body=b"not gzip at all", headers={"Content-Encoding": "gzip"})
    with exchange_saying(answer) as exchange, pytest.raises(ProtocolBroken, match="unpacked"):
        open_driver(exchange.endpoint(), options=TWO_TRIES).send(a_read())


@pytest.mark.parametrize("packed", [False, True])
def test_too_large_answer_is_not_read_to_the_end(open_driver: OpenDriver, packed: bool) -> None:
    body = b"0" * 5_000_000
    answer = Say(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
    with (
        exchange_saying(answer if packed else Say(body=body)) as exchange,
        pytest.raises(ProtocolBroken, match="more than the allowed"),
    ):
        open_driver(exchange.endpoint()).send(a_read())

    assert len(exchange.seen) == 1


def test_silent_exchange_is_unreachable(open_driver: OpenDriver) -> None:
    with exchange_saying(Say(hang=True)) as exchange:
        with pytest.raises(Unreachable, match="did not answer in time"):
            open_driver(exchange.endpoint(), options=TWO_SHORT_TRIES).send(a_read())
        assert exchange.has_seen(2)


def test_refused_connection_is_unreachable(open_driver: OpenDriver) -> None:
    with exchange_saying(Say()) as exchange:
        endpoint = exchange.endpoint()

    with pytest.raises(Unreachable, match="could not be connected to") as caught:
        open_driver(endpoint, options=TWO_TRIES).send(a_read())

    assert "trueup sandbox serve" in caught.value.remedy


def test_host_without_address_is_unreachable(open_driver: OpenDriver) -> None:
    host = "no-such-host.invalid"
    endpoint = resolve_endpoint(Venue.PROD, f"https://{host}", allowed_hosts={host})

    with pytest.raises(Unreachable, match="name lookup failed"):
        open_driver(endpoint, options=TWO_TRIES).send(a_read())


def test_connection_that_speaks_no_tls_is_unreadable_not_trusted(open_driver: OpenDriver) -> None:
    with exchange_saying(Say()) as exchange:
        endpoint = resolve_endpoint(Venue.SANDBOX, f"https://127.0.0.1:{exchange.port}")
        with pytest.raises((ProtocolBroken, Unreachable), match=r"127\.0\.0\.1"):
            open_driver(endpoint, options=TWO_SHORT_TRIES).send(a_read())

    assert exchange.seen == []


def test_redirect_is_not_followed(open_driver: OpenDriver, ed25519_key: Ed25519PrivateKey) -> None:
    with exchange_saying(Say()) as elsewhere:
        target = f"http://127.0.0.1:{elsewhere.port}/trade-api/v2/portfolio/balance"
        with exchange_saying(Say(status=307, body=b"", headers={"Location": target})) as exchange:
            driver = open_driver(exchange.endpoint(), Ed25519Signer("my-key", ed25519_key))
            with pytest.raises(ProtocolBroken, match=r"points to 127\.0\.0\.1; it was not"):
                driver.send(a_read(signed=True))

    assert len(exchange.seen) == 1
    assert elsewhere.seen == []


def test_cookies_are_not_kept(open_driver: OpenDriver) -> None:
    with exchange_saying(Say(headers={"Set-Cookie": "a=b"}), Say()) as exchange:
        driver = open_driver(exchange.endpoint())
        driver.send(a_read())
        driver.send(a_read())

    assert "cookie" not in exchange.seen[1].headers


def test_bearer_token_goes_only_to_a_host_allowed_by_name(open_driver: OpenDriver) -> None:
    token = BearerToken(Secret("s3cret-token"))
    with exchange_saying(Say()) as exchange:
        with pytest.raises(ConfigError, match="allowed by name"):
            open_driver(exchange.endpoint(), token)
        assert exchange.seen == []

        named = exchange.endpoint(allowed_hosts=(f"127.0.0.1:{exchange.port}",))
        open_driver(named, token).send(a_read(signed=True))

    assert exchange.seen[0].headers["authorization"] == "Bearer s3cret-token"
    assert "kalshi-access-key" not in exchange.seen[0].headers


@pytest.mark.parametrize(
    ("status", "body", "says", "remedy"),
    [
        (
            401,
            no("authentication_error", details="INCORRECT_API_KEY_SIGNATURE"),
            "the signature does not fit",
            "created together",
        ),
        (
            401,
            no("authentication_error", details="NOT_FOUND"),
            "does not know this key id on sandbox",
            "keys of Kalshi mean nothing to it",
        ),
        (
            401,
            no("signature_is_missing_from_headers"),
            "found no signature",
            "KALSHI_PRIVATE_KEY_PATH",
        ),
        (
            401,
            no("token_authentication_failure"),
            "found no signature",
            "KALSHI_API_KEY_ID",
        ),
        (401, b"", "refused the key", "doctor"),
        (
            403,
            no("forbidden", "this API key is restricted to a single sub-account"),
            "locked to one subaccount",
            "--subaccount",
        ),
        (
            403,
            no("insufficient_scope", "missing scope read"),
            "lacks a scope",
            "scope read",
        ),
        (403, no("region_expired"), "location", "confirm"),
        (403, no("forbidden"), "forbids this", "doctor"),
    ],
)
def test_refused_key_is_explained(
    open_driver: OpenDriver, status: int, body: bytes, says: str, remedy: str
) -> None:
    with (
        exchange_saying(Say(status=status, body=body)) as exchange,
        pytest.raises(NotAuthorized, match=says) as caught,
    ):
        open_driver(exchange.endpoint()).send(a_read())

    assert len(exchange.seen) == 1
    assert caught.value.status == status
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("ahead", "says"),
    [(61 * SECOND, "about 6[12] s behind"), (-5 * MINUTE, "about 5 min ahead of")],
)
def test_expired_timestamp_tells_the_measured_skew(
    open_driver: OpenDriver, ahead: int, says: str
) -> None:
    body = no("header_timestamp_expired")
    with exchange_saying(Say(status=401, body=body, clock_ahead=ahead)) as exchange:
        driver = open_driver(exchange.endpoint())
        with pytest.raises(NotAuthorized, match=says) as caught:
            driver.send(a_read())

    assert "NTP" in caught.value.remedy
    assert driver.skew is not None
    assert driver.skew.low <= -ahead <= driver.skew.high


def test_clock_that_agrees_is_measured_as_such(open_driver: OpenDriver) -> None:
    with exchange_saying(Say()) as exchange:
        driver = open_driver(exchange.endpoint())
        assert driver.skew is None
        driver.send(a_read())

    assert driver.skew is not None
    assert driver.skew.at_least == 0
    assert "agrees" in str(driver.skew)


def test_date_of_a_cached_answer_is_not_believed(open_driver: OpenDriver) -> None:
    with exchange_saying(Say(clock_ahead=-MINUTE, headers={"Age": "60"})) as exchange:
        driver = open_driver(exchange.endpoint())
        driver.send(a_read())

    assert driver.skew is None


def test_requests_wait_for_their_turn_before_the_exchange_refuses(open_driver: OpenDriver) -> None:
    machine = Machine()
    with exchange_saying(Say()) as exchange:
        driver = open_driver(exchange.endpoint(), machine=machine)
        for _ in range(25):
            driver.send(a_read())

    # The cautious bucket holds 200 tokens: twenty requests at once, then one per 50 ms.
    assert machine.slept == [SECOND // 20] * 5
    assert driver.counts.throttled == 5


def test_events_tell_the_course_without_secrets(
    open_driver: OpenDriver, ed25519_key: Ed25519PrivateKey
) -> None:
    told: list[Event] = []
    options = Options(limits=PATIENT, on_event=told.append)
    with exchange_saying(Say(status=503, body=b""), Say()) as exchange:
        driver = open_driver(
            exchange.endpoint(), Ed25519Signer("my-key", ed25519_key), options=options
        )
        driver.send(a_read(signed=True))

    assert [type(event) for event in told] == [Answered, Retrying, Answered]
    assert [event.status for event in told if isinstance(event, Answered)] == [503, 200]
    written = repr(told)
    assert "signature" not in written.lower()
    assert exchange.seen[0].headers["kalshi-access-signature"] not in written
    assert not any(isinstance(event, Throttled) for event in told)


def test_certificate_nobody_vouches_for_is_not_trusted_nor_retried(
    open_driver: OpenDriver, ed25519_key: Ed25519PrivateKey
) -> None:
    with self_signed_server() as port:
        endpoint = resolve_endpoint(Venue.SANDBOX, f"https://127.0.0.1:{port}")
        driver = open_driver(endpoint, Ed25519Signer("my-key", ed25519_key))
        with pytest.raises(Unreachable, match=r"could not be trusted.*was not sent") as caught:
            driver.send(a_write())

    assert driver.counts.requests == 1
    assert not isinstance(caught.value.__cause__, ssl.SSLError)
