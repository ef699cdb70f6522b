"""What a few lines of Python get: `trueup.run.books.account`."""

from __future__ import annotations

import ast
import shutil
import textwrap
from pathlib import Path

import pytest

import trueup
from trueup.core.errors import BooksError, ConfigError
from trueup.core.units import Count, Money, Ratio
from trueup.ledger.report import By
from trueup.run.books.account import open_account
from trueup.run.books.patching import backfill_settlements
from trueup.run.clock import SystemClock
from trueup.run.sandbox.built_in import built_in_world
from trueup.run.sandbox.serving import write_bot_database
from trueup.store.break_register import BreakStatus

SUMMARY = [
    ("KXGDP-NEXT-T2.5", "25", "yes", "7/25", "0.50", "0"),
    ("KXHIGHMIA-26OCT15-B94.5", "36", "no", "83/100", "1.08", "0"),
    ("KXHIGHMIA-26OCT15-B96.5", "17", "yes", "31/100", "0.34", "3.52"),
    ("KXHIGHNY-26OCT15-B88.5", "33", "no", "6827/10000", "1.2309", "0"),
    ("KXU3-26OCT-T4.2", "27", "no", "31/100", "-0.27", "-0.16"),
    ("KXU3-26OCT-T4.3", "63", "no", "17/50", "-0.63", "0"),
]


@pytest.fixture(scope="module")
def fetched_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("front") / "home"
    with open_account(environment={"TRUEUP_HOME": str(home)}) as account:
        account.backfill()
    return home


@pytest.fixture
def home(fetched_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(fetched_home, tmp_path / "home"))


def test_open_positions_summary_has_the_keys_and_the_exact_values(home: Path) -> None:
    with open_account(environment={"TRUEUP_HOME": str(home)}) as account:
        rows = account.get_open_positions_summary()

    assert rows == [
        {
            "ticker": ticker,
            "quantity": Count.parse(quantity),
            "side": side,
            "avg_price": Ratio(average),
            "unrealized_pnl": Money.parse(unrealized),
            "realized_pnl": Money.parse(realized),
        }
        for ticker, quantity, side, average, unrealized, realized in SUMMARY
    ]


def test_everything_is_an_exact_number(home: Path) -> None:
    with open_account(environment={"TRUEUP_HOME": str(home)}) as account:
        rows = [
            *account.get_open_positions_summary(),
            *account.positions(),
            *account.balances(),
            *account.fills(limit=500),
            *account.orders(limit=500),
            *account.settlements(limit=500),
        ]

    assert len(rows) > 800
    assert not [value for row in rows for value in row.values() if isinstance(value, float)]


def test_profit_by_category_adds_up(home: Path) -> None:
    with open_account(environment={"TRUEUP_HOME": str(home)}) as account:
        lines, total = account.pnl(by=By.CATEGORY)

    assert {line.name for line in lines} >= {"weather", "economics", "crypto", "market making"}
    assert sum((line.realized for line in lines), Money(0)) == total.realized


def test_environment_mapping_is_all_that_counts(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("KALSHI_ENV", "prod")
    with open_account(environment={"TRUEUP_HOME": str(home)}) as account:
        assert account.venue == "sandbox"
        assert account.as_of() is not None
    with open_account() as process:
        assert process.venue == "prod"
        assert process.as_of() is None
    assert not (tmp_path / "elsewhere").exists()


def test_option_wins_over_environment_and_environment_over_config(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text('venue = "demo"\naccount = "one"\n', encoding="utf-8")
    environment = {"TRUEUP_HOME": str(home)}

    with open_account(environment=environment) as configured:
        assert (configured.venue, configured.name) == ("demo", "one")
    with open_account(environment={**environment, "KALSHI_ENV": "prod"}) as asked:
        assert asked.venue == "prod"
    with open_account(
        environment={**environment, "KALSHI_ENV": "prod"}, venue="sandbox", account="two"
    ) as named:
        assert (named.venue, named.name) == ("sandbox", "two")


@pytest.mark.parametrize(
    ("venue", "account"), [("mars", ""), ("sandbox", "../up"), ("sandbox", "a b")]
)
def test_unknown_venue_or_account_name_is_refused(tmp_path: Path, venue: str, account: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_account(
            environment={"TRUEUP_HOME": str(tmp_path / "home")}, venue=venue, account=account
        )

    assert caught.value.remedy


def test_address_of_one_venue_does_not_serve_another(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text(
        'venue = "demo"\nbase_url = "https://gateway.example"\n', encoding="utf-8"
    )
    with open_account(environment={"TRUEUP_HOME": str(home)}, venue="sandbox") as account:
        assert account.desk.settings.is_embedded


def test_reading_makes_no_books(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_account(environment={"TRUEUP_HOME": str(home)}) as account:
        assert account.as_of() is None
        for ask in (account.positions, account.reconcile, account.prove, account.breaks):
            with pytest.raises(BooksError, match="no books") as caught:
                ask()
            assert "trueup init" in caught.value.remedy
    assert not home.exists()


def test_decision_about_a_break_is_kept_with_its_reason(home: Path) -> None:
    with open_account(environment={"TRUEUP_HOME": str(home)}) as account:
        found = account.reconcile()
        name = found.breaks[0].found.identity
        account.decide(name, BreakStatus.ACKNOWLEDGED, reason="seen", who="me")
        again = account.reconcile()

    (kept,) = [each for each in again.breaks if each.found.identity == name]
    assert (kept.status, kept.reason, kept.decided_by) == (BreakStatus.ACKNOWLEDGED, "seen", "me")
    with open_account(environment={"TRUEUP_HOME": str(home)}) as account:
        assert [e.reason for e in account.breaks() if e.found.identity == name] == ["seen"]


def test_fresh_books_are_not_fetched_again(home: Path) -> None:
    heard: list[object] = []
    with open_account(environment={"TRUEUP_HOME": str(home)}, on_event=heard.append) as account:
        assert account.refresh() == ""

    assert heard == []


def test_lease_is_free_after_every_call_and_beaten_by_machine_time(home: Path) -> None:
    with open_account(environment={"TRUEUP_HOME": str(home)}) as account:
        with account.writing("test"):
            holder = account.books.lease.holder(SystemClock().now())
            assert holder is not None
            assert abs(holder.expires_at - SystemClock().now()) < 120 * 1_000_000
        assert account.books.lease.holder(SystemClock().now()) is None
        account.reconcile()
        assert account.books.lease.holder(SystemClock().now()) is None


def test_bots_patch_their_own_table_by_the_same_function(home: Path, tmp_path: Path) -> None:
    write_bot_database(tmp_path / "trades.db", built_in_world())
    with open_account(environment={"TRUEUP_HOME": str(home)}) as account:
        dry = backfill_settlements(account, str(tmp_path / "trades.db"))
        done = backfill_settlements(account, str(tmp_path / "trades.db"), write=True)
        again = backfill_settlements(account, str(tmp_path / "trades.db"))

    assert dry.patched is None
    assert done.patched is not None
    assert done.patched.rows == len(dry.report.patches) > 10
    assert again.report.patches == ()
    assert dry.notice == ""


def example_of(path: Path) -> str:
    """The indented lines of a module's docstring that are Python."""
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")), clean=False) or ""
    lines = [line for line in doc.splitlines() if line.startswith("    ") or not line]
    return textwrap.dedent("\n".join(lines)).strip()


@pytest.mark.parametrize("name", ["account", "patching"])
def test_examples_in_docstrings_run(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("TRUEUP_HOME", str(home))
    for variable in ("KALSHI_ENV", "KALSHI_API_KEY_ID", "TRUEUP_BASE_URL", "TRUEUP_DATABASE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    write_bot_database(tmp_path / "trades.db", built_in_world())
    assert trueup.__file__ is not None
    code = example_of(Path(trueup.__file__).parent / "run" / "books" / f"{name}.py")

    assert "open_account" in code
    exec(compile(code, name, "exec"), {})  # noqa: S102
