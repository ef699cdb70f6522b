from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.wire.rest.encode import to_json
from trueup.wire.rest.encode_exchange import error
from trueup.wire.rest.errors import ErrorBody, ErrorShape, read_error


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            401,
            (
                b'{"error":{"code":"authentication_error","message":"authentication_error",'
                b'"details":"NOT_FOUND"}}'
            ),
            ErrorBody("authentication_error", "authentication_error", "NOT_FOUND"),
        ),
        (
            400,
            (
                b'{"error":{"code":"insufficient_balance","message":"insufficient balance",'
                b'"service":"exchange"}}'
            ),
            ErrorBody("insufficient_balance", "insufficient balance", ""),
        ),
        (
            400,
            b'{"code":"bad_request","message":"bad request","details":"json: cannot unmarshal"}',
            ErrorBody("bad_request", "bad request", "json: cannot unmarshal"),
        ),
        (
            400,
            b'{"code":3,"message":"proto: syntax error","details":[]}',
            ErrorBody("3", "proto: syntax error", ""),
        ),
        (
            400,
            b'{"msg":"Parameter validation failed"}',
            ErrorBody("", "Parameter validation failed", ""),
        ),
        (429, b'{"error":"too many requests"}', ErrorBody("", "too many requests", "")),
        (502, b"", ErrorBody("", "HTTP 502 without a body", "")),
        (403, b'{"error":{"code":"forbidden"}}', ErrorBody("forbidden", "forbidden", "")),
    ],
)
def test_error_shapes_give_code_message_and_details(
    status: int, body: bytes, expected: ErrorBody
) -> None:
    assert read_error(status, body) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"<html>\n<b>bad</b> gateway",
        b'{"error":{"code',
        b"[]",
        b"{}",
        b"null",
        b"\xff\xfe",
        b'{"msg":"\xff"}',
    ],
)
def test_body_that_is_no_error_still_gives_a_message(body: bytes) -> None:
    read = read_error(503, body)

    assert read.code == ""
    assert read.message.startswith("HTTP 503")
    assert "\n" not in read.message


def test_long_text_is_cut() -> None:
    assert len(read_error(500, b"x" * 100_000).message) < 300


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_reading_an_error_never_fails(body: bytes) -> None:
    assert read_error(500, body).message


@pytest.mark.parametrize("shape", [ErrorShape.NESTED, ErrorShape.FLAT])
def test_written_error_is_read_back(shape: ErrorShape) -> None:
    body = ErrorBody("invalid_order", "invalid order", "post only cross")

    assert read_error(400, to_json(error(body, shape))) == body


@pytest.mark.parametrize("shape", [ErrorShape.PARAMETER, ErrorShape.TEXT])
def test_short_shapes_carry_the_message(shape: ErrorShape) -> None:
    body = ErrorBody("too_many_requests", "too many requests", "")

    assert read_error(429, to_json(error(body, shape))) == ErrorBody("", "too many requests", "")
