"""What an answer means: a value, or the error that says what to do next.

Pure: a `Reply` goes in, a `Good` or a `Bad` comes out; the caller decides
whether to try again.  The wording of refusals follows what the exchange was
seen to send (recorded June 2026): the same 401 covers a wrong key, a key of the
other environment and a clock that is off, and only `code` and `details` tell
them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec

from trueup.core.errors import (
    ExchangeRefused,
    InvariantBroken,
    NotAuthorized,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProtocolBroken,
    RateLimited,
    TrueupError,
    UnknownWord,
    Unreachable,
)
from trueup.core.instant import SECOND
from trueup.net.request import Failure, FailureKind, Reply, Response
from trueup.net.skew import Skew
from trueup.net.venues import Endpoint, Venue
from trueup.wire.rest.call import Call
from trueup.wire.rest.errors import ErrorBody, read_error

T = TypeVar("T")

EVIDENCE_BYTES: Final = 400

_ASK_FIRST: Final = (
    "Nothing was repeated. Ask the exchange what happened (trueup sync) before doing it again."
)
_TRY_LATER: Final = (
    "Check the network and the exchange's status page, then run the command again; "
    "what was fetched before is kept."
)
_CLOCK_REMEDY: Final = (
    "Set this machine's clock by NTP (Linux: timedatectl set-ntp true; macOS: sudo sntp -sS "
    "time.apple.com) and try again."
)
_WRONG_PAIR: Final = (
    "The private key belongs to another key id. Check that KALSHI_API_KEY_ID and the private key "
    "were created together."
)
_NO_SIGNATURE: Final = (
    "Set KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH; if they are set, a proxy in between "
    "removes headers."
)
_OTHER_ENVIRONMENT: Final = {
    Venue.PROD: (
        "Keys of the demo do not work in production. If this is a demo key, use the venue demo "
        "(KALSHI_ENV=demo); otherwise check the key id, or whether the key was deleted."
    ),
    Venue.DEMO: (
        "Keys of production do not work on the demo. Create one in the demo's own account "
        "settings, or use the venue prod (KALSHI_ENV=prod)."
    ),
    Venue.SANDBOX: "Use the key that belongs to this sandbox; keys of Kalshi mean nothing to it.",
}
_SPEAKS_WHEN_DOWN: Final = frozenset({"GetExchangeStatus"})
"""Operations whose 503 and 504 carry the same body as a good answer."""
_TOLERATED_SKEW: Final = 10 * SECOND
"""Timestamps ten seconds off were accepted, thirty were not (measured June 2026)."""


@dataclass(frozen=True, slots=True)
class Good(Generic[T]):
    """The decoded answer."""

    value: T


@dataclass(frozen=True, slots=True)
class Bad:
    """No answer to use.  `may_pass` says that waiting may help."""

    error: TrueupError
    may_pass: bool = False


def judge(call: Call[T], reply: Reply, *, endpoint: Endpoint, skew: Skew | None) -> Good[T] | Bad:
    """Decode a good answer, or find the error that a bad one amounts to."""
    if isinstance(reply, Failure):
        return _judge_failure(call, reply, endpoint)
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        if call.operation in _SPEAKS_WHEN_DOWN:
            said = _decode(call, reply, endpoint)
            if isinstance(said, Good):
                return said
        return _judge_server_error(call, reply, endpoint)
    if reply.status >= HTTPStatus.BAD_REQUEST:
        return _judge_refusal(call, reply, endpoint=endpoint, skew=skew)
    if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
        return Bad(_redirected(call, reply, endpoint))
    return _decode(call, reply, endpoint)


def show_evidence(body: bytes) -> str:
    """The beginning of a body as text, for a report."""
    text = body[:EVIDENCE_BYTES].decode("utf-8", "replace")
    return text + (f"… ({len(body)} bytes)" if len(body) > EVIDENCE_BYTES else "")


def _judge_failure(call: Call[T], failure: Failure, endpoint: Endpoint) -> Bad:
    subject = f"{call.operation}: {endpoint.host} {failure.says}"
    if not failure.was_sent:
        is_certificate = failure.kind is FailureKind.CERTIFICATE
        error = NotSent(
            f"{subject}; the request was not sent", remedy=_connection_remedy(failure, endpoint)
        )
        return Bad(error, may_pass=not is_certificate)
    if not call.idempotent:
        return Bad(
            OutcomeUnknown(f"{subject}; whether it took effect is unknown", remedy=_ASK_FIRST)
        )
    if failure.kind in {FailureKind.CUT, FailureKind.GARBLED, FailureKind.TOO_LARGE}:
        error = ProtocolBroken(subject, evidence=show_evidence(failure.evidence), remedy=_TRY_LATER)
        return Bad(error, may_pass=failure.kind is FailureKind.CUT)
    return Bad(Unreachable(subject, remedy=_TRY_LATER), may_pass=True)


def _connection_remedy(failure: Failure, endpoint: Endpoint) -> str:
    if endpoint.venue is Venue.SANDBOX:
        return "Is the sandbox running? Start it with: trueup sandbox serve"
    if failure.kind is FailureKind.CERTIFICATE:
        return (
            "Something between here and the exchange presents another certificate, or this "
            "machine lacks root certificates (set SSL_CERT_FILE). Nothing secret was sent."
        )
    return _TRY_LATER


def _judge_server_error(call: Call[T], reply: Response, endpoint: Endpoint) -> Bad:
    subject = f"{call.operation}: {endpoint.host} answered {_status(reply.status)}"
    if not call.idempotent:
        return Bad(
            OutcomeUnknown(f"{subject}; whether it took effect is unknown", remedy=_ASK_FIRST)
        )
    error = Unreachable(
        f"{subject}: the exchange is not available",
        remedy="It may be paused or in maintenance (Thursdays 03:00 to 05:00 Eastern). "
        + _TRY_LATER,
    )
    return Bad(error, may_pass=True)


def _redirected(call: Call[T], reply: Response, endpoint: Endpoint) -> ProtocolBroken:
    target = urlsplit(reply.headers.get("location", "")).hostname or "another address"
    return ProtocolBroken(
        f"{call.operation}: {endpoint.host} answered {_status(reply.status)} and points to {target}; "
        "it was not followed",
        evidence=show_evidence(reply.body),
        remedy="Signed requests go only to the host they were made for. Check the address of the "
        "exchange and whether a proxy or a login page is in between.",
    )


def _decode(call: Call[T], reply: Response, endpoint: Endpoint) -> Good[T] | Bad:
    reason, unknown = "", ""
    new_word: UnknownWord | None = None
    try:
        return Good(call.decode(reply.body))
    except InvariantBroken:
        raise
    except UnknownWord as error:
        new_word, reason, unknown = error, str(error), error.evidence
    except (TrueupError, msgspec.MsgspecError, ArithmeticError, LookupError) as error:
        reason = str(error)
        unknown = getattr(error, "evidence", "")
    except (TypeError, ValueError, RecursionError) as error:
        reason = str(error)
    subject = f"{call.operation}: the answer of {endpoint.host} could not be read: {reason}"
    if not call.idempotent:
        return Bad(
            OutcomeUnknown(f"{subject}; whether it took effect is unknown", remedy=_ASK_FIRST)
        )
    if new_word is not None:
        return Bad(
            UnknownWord(
                subject,
                field=new_word.field,
                word=new_word.word,
                evidence=unknown,
                remedy="The exchange uses a word that this version does not know. Nothing was "
                "guessed; update trueup, or report the word.",
            )
        )
    return Bad(
        ProtocolBroken(
            subject,
            evidence=unknown or show_evidence(reply.body),
            remedy="Run it again; if it stays, the exchange changed its format or something in "
            "between changed the answer. The evidence shows how it begins (--verbose).",
        )
    )


def _judge_refusal(call: Call[T], reply: Response, *, endpoint: Endpoint, skew: Skew | None) -> Bad:
    body = read_error(reply.status, reply.body)
    match reply.status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return Bad(_not_authorized(call, reply.status, body, endpoint=endpoint, skew=skew))
        case HTTPStatus.TOO_MANY_REQUESTS:
            return Bad(_rate_limited(call, body), may_pass=True)
        case HTTPStatus.NOT_FOUND:
            return Bad(_refused(NotFound, call, reply.status, body))
        case _:
            return Bad(_refused(ExchangeRefused, call, reply.status, body))


def _rate_limited(call: Call[T], body: ErrorBody) -> RateLimited:
    return RateLimited(
        f"{call.operation}: too many requests (429); the account's token bucket is empty",
        status=HTTPStatus.TOO_MANY_REQUESTS,
        code=body.code,
        details=body.details,
        remedy="Another program is probably using the same account's budget. Wait a moment, or stop it.",
    )


def _refused(
    kind: type[ExchangeRefused], call: Call[T], status: int, body: ErrorBody
) -> ExchangeRefused:
    words = _words(body) or _status(status)
    return kind(
        f"{call.operation} {call.path}: the exchange answered {status}: {words}",
        status=status,
        code=body.code,
        details=body.details,
        remedy="The message is the exchange's own; trueup did nothing else.",
    )


def _not_authorized(
    call: Call[T], status: int, body: ErrorBody, *, endpoint: Endpoint, skew: Skew | None
) -> NotAuthorized:
    says, remedy = (
        _explain_401(body, endpoint, skew)
        if status == HTTPStatus.UNAUTHORIZED
        else _explain_403(body)
    )
    return NotAuthorized(
        f"{call.operation}: {says}",
        status=status,
        code=body.code,
        details=body.details,
        remedy=remedy,
    )


def _explain_401(body: ErrorBody, endpoint: Endpoint, skew: Skew | None) -> tuple[str, str]:
    words = f"{body.code} {body.message} {body.details}".lower()
    if "timestamp" in words:
        measured = f": {skew}" if skew is not None else ""
        return f"the exchange refused the time of the request{measured}", _CLOCK_REMEDY
    if "incorrect_api_key_signature" in words:
        says = f"{endpoint.host} knows the key id, but the signature does not fit it"
        return says, _WRONG_PAIR
    if "not_found" in words:
        says = f"{endpoint.host} does not know this key id on {endpoint.venue}"
        return says, _OTHER_ENVIRONMENT[endpoint.venue]
    if "missing" in words or "token_authentication" in words:
        return f"{endpoint.host} found no signature on the request", _NO_SIGNATURE
    if skew is not None and skew.at_least > _TOLERATED_SKEW:
        return f"the exchange refused the request, and {skew}", _CLOCK_REMEDY
    says = f"{endpoint.host} refused the key: {_words(body) or 'no reason given'}"
    return says, "Check the key with: trueup doctor"


def _explain_403(body: ErrorBody) -> tuple[str, str]:
    words = f"{body.code} {body.message} {body.details}".lower()
    shown = _words(body) or "no reason given"
    if "sub-account" in words or "subaccount" in words:
        return (
            f"this API key is locked to one subaccount and may not ask for this ({shown})",
            "Name that subaccount (--subaccount N), or use a key for the whole account.",
        )
    if "scope" in words or "permission" in words:
        return (
            f"this API key lacks a scope for this ({shown})",
            "Reading the books needs the scope read. Create a key with it; write is not needed.",
        )
    if "region" in words or "attest" in words or "location" in words:
        return (
            f"the exchange wants the location of the account confirmed ({shown})",
            "Log in to the exchange's website once and confirm the location, then try again.",
        )
    return (
        f"the exchange forbids this ({shown})",
        "The key may lack a scope or be locked to a subaccount. Check it with: trueup doctor",
    )


def _words(body: ErrorBody) -> str:
    """The exchange's own words, each once."""
    said: list[str] = []
    for word in (body.message, body.code, body.details):
        if word and word not in said:
            said.append(word)
    return " · ".join(said)


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
