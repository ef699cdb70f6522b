from __future__ import annotations

import pytest

from trueup.core.errors import CallerError
from trueup.wire.signing import REST_PREFIX, WEBSOCKET_PATH, signing_text

NOW_MS = 1_703_123_456_789


def test_signed_text_is_time_method_and_whole_path() -> None:
    text = signing_text(NOW_MS, "get", f"{REST_PREFIX}/portfolio/balance")

    assert text == b"1703123456789GET/trade-api/v2/portfolio/balance"


def test_query_string_is_not_signed() -> None:
    with_query = signing_text(NOW_MS, "GET", "/trade-api/v2/portfolio/orders?limit=5&cursor=a?b")

    assert with_query == b"1703123456789GET/trade-api/v2/portfolio/orders"


def test_websocket_handshake_signs_its_own_path() -> None:
    assert signing_text(NOW_MS, "GET", WEBSOCKET_PATH) == b"1703123456789GET/trade-api/ws/v2"


def test_whole_url_is_refused() -> None:
    with pytest.raises(CallerError, match="slash"):
        signing_text(NOW_MS, "GET", "https://example.com/trade-api/v2/portfolio/balance")


def test_time_in_seconds_is_refused() -> None:
    with pytest.raises(CallerError, match="milliseconds"):
        signing_text(1_703_123_456, "GET", "/trade-api/v2/portfolio/balance")
