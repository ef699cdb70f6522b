"""What goes back over the wire, and every way in which the exchange says no.

The bodies are those recorded from the exchange in 2026; where none was
recorded the text is the plainest one of the same shape (see
docs/reference/sandbox.md for which is which).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.wire.rest.bodies import BodyRefused
from trueup.wire.rest.encode import to_json
from trueup.wire.rest.encode_exchange import error
from trueup.wire.rest.errors import ErrorBody, ErrorShape, read_error
from trueup.wire.spelling import Record

JSON: Final = "application/json"
HTML: Final = "text/html"


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and a body."""

    status: int
    body: bytes
    content_type: str = JSON


@dataclass(frozen=True, slots=True)
class Content:
    """A good answer before it is written: what fault hooks may still change.

    `rows` names the key of the listed records, empty where there are none.
    """

    tree: Record
    rows: str = ""
    status: int = 200

    def reply(self) -> Reply:
        """The answer as written."""
        return Reply(self.status, to_json(self.tree))


def refusal(
    status: int, code: str, message: str = "", details: str = "", *, service: str = ""
) -> Reply:
    """The nested shape (a): authentication and the exchange itself.

    `service` is who refused, which bodies of before August 2026 name.
    """
    body = ErrorBody(code, message or code.replace("_", " "), details)
    if not service:
        return _error(status, body)
    inner = error(body, ErrorShape.FLAT)
    return Reply(status, to_json({"error": {**inner, "service": service}}))


def not_in_sandbox(operation: str, why: str) -> Reply:
    """What the exchange has and the sandbox does not; a code of the sandbox's own.

    404, so that no client takes it for a request whose outcome is unknown.
    """
    return refusal(404, "not_in_sandbox", f"not in the sandbox: {operation}", why)


def body_refusal(refused: BodyRefused) -> Reply:
    """What is said to a request body that cannot be taken."""
    return _error(refused.status, refused.refusal, refused.shape)


def error_in(reply: Reply) -> ErrorBody:
    """The error that a refusal carries, for the rows of a batch."""
    return read_error(reply.status, reply.body)


def flat_refusal(status: int, code: str, details: str) -> Reply:
    """The flat shape (b): a request that could not be read."""
    body = ErrorBody(code, code.replace("_", " "), details)
    return _error(status, body, ErrorShape.FLAT)


def parameter_refusal(message: str) -> Reply:
    """The shape (c) of a query parameter that does not pass."""
    return _error(400, ErrorBody("", message, ""), ErrorShape.PARAMETER)


def out_of_bounds(operation: str, parameter: str, rule: str) -> Reply:
    """A query parameter that breaks a `rule` (``lte``, ``gte``, ``oneof``)."""
    name = "".join(part.capitalize() for part in parameter.split("_"))
    return parameter_refusal(
        f"Parameter validation failed for {operation}: Key: '{operation}Params.{name}' "
        f"Error:Field validation for '{name}' failed on the '{rule}' tag"
    )


def missing_parameter(parameter: str) -> Reply:
    """A query parameter that must be there and is not."""
    return parameter_refusal(f"Query argument {parameter} is required, but not found")


def unreadable_parameter(parameter: str) -> Reply:
    """A query parameter that is not of its type."""
    return parameter_refusal(
        f"Invalid format for parameter {parameter}: error binding string parameter"
    )


def _error(status: int, body: ErrorBody, shape: ErrorShape = ErrorShape.NESTED) -> Reply:
    return Reply(status, to_json(error(body, shape)))


NOT_FOUND: Final = refusal(404, "not_found")
UNSIGNED: Final = refusal(401, "token_authentication_failure")
NO_SIGNATURE: Final = refusal(401, "signature_is_missing_from_headers")
NO_TIMESTAMP: Final = refusal(401, "timestamp_is_missing_from_headers")
EXPIRED: Final = refusal(401, "header_timestamp_expired")
UNKNOWN_KEY: Final = refusal(401, "authentication_error", "authentication_error", "NOT_FOUND")
WRONG_SIGNATURE: Final = refusal(
    401, "authentication_error", "authentication_error", "INCORRECT_API_KEY_SIGNATURE"
)
PERMISSION_DENIED: Final = refusal(403, "permission_denied")
NO_SCOPE: Final = refusal(403, "permission_denied", "this API key lacks the required scope")
OTHER_SUBACCOUNT: Final = refusal(
    403,
    "permission_denied",
    "this API key is restricted to a single sub-account and cannot access this endpoint",
)
V1_GONE: Final = refusal(410, "deprecated_v1_order_endpoint")
NOT_JSON_TYPE: Final = refusal(400, "invalid_content_type")
TOO_LARGE: Final = refusal(413, "request_too_large")
TOO_MANY: Final = Reply(
    429,
    to_json(error(ErrorBody("", "too many requests", ""), ErrorShape.TEXT)),
)
INVALID_ORDER: Final = refusal(400, "invalid_order")
INVALID_PARAMETERS: Final = refusal(400, "invalid_parameters")
CREATED: Final = Reply(201, b"{}")
NO_CONTENT: Final = Reply(204, b"", "")
UNAVAILABLE: Final = Reply(503, b"<html><body><h1>503 Service Unavailable</h1></body></html>", HTML)
