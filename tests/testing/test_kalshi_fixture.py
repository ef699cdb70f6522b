"""The pytest plugin, tried on projects of other people: pytest runs inside pytest."""

from __future__ import annotations

import pytest

# Loaded before pytest runs inside pytest, so that the inner run need not load it again.
from trueup.core.instant import format_instant
from trueup.testing.sandbox import DEFAULT_START

BUYS = """
    import json, urllib.request
    import pytest

    def markets(sandbox):
        with urllib.request.urlopen(sandbox.base_url + "/markets?status=open&limit=5") as answer:
            return json.load(answer)["markets"]

    @pytest.mark.kalshi(world="economics")
    def test_reads(kalshi_sandbox):
        assert len(markets(kalshi_sandbox)) == 5
        assert kalshi_sandbox.private_key_path.exists()
        assert kalshi_sandbox.environment["KALSHI_API_KEY_ID"] == kalshi_sandbox.key_id

    @pytest.mark.kalshi(world="economics")
    def test_every_test_has_a_fresh_world(kalshi_sandbox):
        assert kalshi_sandbox.control.orders() == []
        kalshi_sandbox.control.deposit("5")
        kalshi_sandbox.control.advance("1h")

    @pytest.mark.kalshi(world="economics")
    def test_nothing_is_left_of_the_last_one(kalshi_sandbox):
        assert kalshi_sandbox.control.account()["cash"] == "40000.00"
        assert kalshi_sandbox.control.ask("state")["time"] == "BEGIN"
""".replace("BEGIN", format_instant(DEFAULT_START))


def test_a_foreign_project_uses_the_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(BUYS)

    result = pytester.runpytest_subprocess("-p", "no:randomly")

    result.assert_outcomes(passed=3)


def test_a_failure_prints_the_seed_and_how_to_repeat(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.kalshi(world="economics", seed=41)
        def test_fails(kalshi_sandbox):
            assert kalshi_sandbox.seed == 0
        """
    )

    result = pytester.runpytest_inprocess("-p", "no:randomly")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Kalshi sandbox*", "*economics*seed 41*", "*--kalshi-seed 41*"])


def test_the_seed_and_the_world_can_be_given_from_outside(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_seed(kalshi_sandbox):
            assert kalshi_sandbox.seed == 99
            assert "crypto" in kalshi_sandbox.words
        """
    )

    result = pytester.runpytest_inprocess(
        "--kalshi-seed", "99", "--kalshi-world", "crypto", "-p", "no:randomly"
    )

    result.assert_outcomes(passed=1)


def test_a_scenario_lies_beside_the_test(pytester: pytest.Pytester) -> None:
    pytester.makefile(
        ".toml",
        rain="""
        [[events]]
        ticker = "KXRAIN-TODAY"
        decided = "+8h"

        [[markets]]
        ticker = "KXRAIN-TODAY-YES"
        event = "KXRAIN-TODAY"
        fair = 0.40
        pays = 1
        """,
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.kalshi(scenario="rain.toml")
        def test_rain(kalshi_sandbox):
            control = kalshi_sandbox.control
            assert [m["ticker"] for m in control.markets()] == ["KXRAIN-TODAY-YES"]
            assert control.advance_until("KXRAIN-TODAY-YES")
        """
    )

    pytester.runpytest_inprocess("-p", "no:randomly").assert_outcomes(passed=1)


def test_a_wrong_wish_is_told(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.kalshi(world="cricket")
        def test_world(kalshi_sandbox): ...

        @pytest.mark.kalshi(faults=["outtage"])
        def test_fault(kalshi_sandbox): ...

        @pytest.mark.kalshi(tier="gold")
        def test_tier(kalshi_sandbox): ...

        @pytest.mark.kalshi(wrold="crypto")
        def test_word(kalshi_sandbox): ...

        @pytest.mark.kalshi(scenario="none.toml")
        def test_file(kalshi_sandbox): ...
        """
    )

    result = pytester.runpytest_inprocess("-p", "no:randomly")

    result.assert_outcomes(errors=5)
    for told in (
        "built-in world 'cricket'",
        "fault 'outtage'",
        "tier 'gold'",
        "wrold",
        "none.toml",
    ):
        result.stdout.fnmatch_lines([f"*{told}*"])
