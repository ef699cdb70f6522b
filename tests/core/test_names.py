"""The names of an order that FIX replaces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trueup.core.ids import CLIENT_ORDER_ID_MAX, ClientOrderId, first_name, further_name

ANY_NAME = st.text(min_size=1, max_size=CLIENT_ORDER_ID_MAX).map(ClientOrderId)


def test_each_replacement_has_a_name_of_its_own() -> None:
    name: ClientOrderId | None = ClientOrderId("a~b-1")
    names: list[ClientOrderId] = []
    while name is not None and len(names) < 50:
        names.append(name)
        name = further_name(name)

    assert names[:3] == ["a~b-1", "a~b-1~1", "a~b-1~2"]
    assert names[36] == "a~b-1~10"
    assert len(set(names)) == 50
    assert {first_name(each) for each in names} == {"a~b-1"}


@given(ANY_NAME)
def test_a_further_name_leads_back_to_the_first(name: ClientOrderId) -> None:
    further = further_name(name)

    if further is not None:
        assert first_name(further) == first_name(name)
        assert len(further) <= CLIENT_ORDER_ID_MAX


def test_a_long_name_has_no_further_one() -> None:
    assert further_name(ClientOrderId("x" * 63)) is None
    assert further_name(ClientOrderId("x" * 62 + "~z")) is None
