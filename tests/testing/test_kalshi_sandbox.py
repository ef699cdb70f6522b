"""The handle of a sandbox as tests hold it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import urllib3

from trueup.core.errors import CallerError, NotFound
from trueup.core.instant import HOUR
from trueup.testing.sandbox import KalshiSandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[KalshiSandbox]:
    with KalshiSandbox.start(world="temperatures", seed=2) as sandbox:
        yield sandbox


def test_it_serves_where_it_says(sandbox: KalshiSandbox) -> None:
    answer = urllib3.request("GET", sandbox.base_url + "/exchange/status", timeout=30)

    assert answer.status == 200
    assert sandbox.websocket_url.startswith("ws://127.0.0.1:")
    assert sandbox.private_key_path.stat().st_mode & 0o077 == 0


def test_control_over_http_is_closed_for_a_handle_of_this_process(sandbox: KalshiSandbox) -> None:
    answer = urllib3.request("POST", sandbox.origin + "/control/state", timeout=30)

    assert answer.status == 404


def test_time_passes_as_told(sandbox: KalshiSandbox) -> None:
    before = sandbox.control.now

    sandbox.control.advance("2h")

    assert sandbox.control.now == before + 2 * HOUR


def test_moments_can_be_kept(sandbox: KalshiSandbox) -> None:
    control = sandbox.control
    control.snapshot("here")
    cash = control.account()["cash"]
    control.deposit("10")

    control.restore("here")

    assert control.account()["cash"] == cash


@pytest.mark.parametrize(
    ("word", "fields"),
    [
        ("advnace", {}),
        ("advance", {"bye": "1h"}),
        ("advance", {"by": "soon"}),
        ("determine", {"ticker": "KXNONE", "result": "maybe"}),
        ("deposit", {"amount": "much"}),
    ],
)
def test_a_mistake_is_an_error_of_the_caller(
    sandbox: KalshiSandbox, word: str, fields: dict[str, object]
) -> None:
    with pytest.raises((CallerError, NotFound)):
        sandbox.control.ask(word, **fields)


def test_orders_have_the_same_ids_in_the_same_world() -> None:
    def first_deposit_id() -> str:
        with KalshiSandbox.start(world="economics", seed=3) as sandbox:
            return str(sandbox.control.ask("deposit", amount="1")["deposit_id"])

    assert first_deposit_id() == first_deposit_id()


def test_closing_twice_is_harmless() -> None:
    sandbox = KalshiSandbox.start(world="economics")

    sandbox.close()
    sandbox.close()

    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", sandbox.base_url + "/exchange/status", retries=False, timeout=5)
