"""What doctor makes of an exchange that has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.run.operator.health import unknown_endpoints
from trueup.wire.rest import account
from trueup.wire.rest.account import EndpointCost, EndpointCosts


def test_endpoint_that_is_new_is_named() -> None:
    costs = EndpointCosts(
        default=10,
        listed=(
            EndpointCost(method="GET", template="/portfolio/orders/{order_id}", cost=2),
            EndpointCost(method="POST", template="/portfolio/events/orders/replaced", cost=5),
            EndpointCost(method="GET", template="/margin/balance", cost=5),
        ),
    )

    assert unknown_endpoints(costs) == ["POST /portfolio/events/orders/replaced"]


@pytest.mark.recorded
def test_all_endpoints_that_were_ever_listed_are_known(recorded_data: Path) -> None:
    recorded = recorded_data / "rest" / "fortuna_demo_2026-06" / "account__endpoint_costs.json"

    costs = account.endpoint_costs().decode(recorded.read_bytes())

    assert costs.listed
    assert unknown_endpoints(costs) == []
