"""Our table of facts says what the exchange's own description says, where that is at hand."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from facts import FACTS, read_facts
from vendor import Vendor

pytestmark = pytest.mark.recorded


@pytest.fixture(scope="session")
def vendor(recorded_data: Path) -> Vendor:
    """The exchange's description, beside the recorded material."""
    described = recorded_data.parent / "kalshi" / "spec" / "openapi.yaml"
    if not described.is_file():
        pytest.skip(f"the exchange's description is not at {described}")
    try:
        yaml = importlib.import_module("yaml")
    except ImportError:
        pytest.skip("PyYAML is not installed")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return Vendor(yaml.load(described.read_bytes(), Loader=loader))


def test_operations_are_those_of_the_description(vendor: Vendor) -> None:
    facts = read_facts(FACTS.read_text(encoding="utf-8"))

    assert dict(facts.operations) == vendor.operations


def test_records_are_those_of_the_description(vendor: Vendor) -> None:
    facts = read_facts(FACTS.read_text(encoding="utf-8"))

    assert dict(facts.records) == vendor.records
