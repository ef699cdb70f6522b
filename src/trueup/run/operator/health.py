"""`doctor`: is everything in order, in plain words, without changing anything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from trueup.core.errors import BooksError, ConfigError, ExchangeRefused, TrueupError
from trueup.core.instant import SECOND, format_instant
from trueup.net.client import Client
from trueup.net.credentials import read_settings
from trueup.run.check import Check, Finding
from trueup.run.clock import SystemClock
from trueup.run.desk import Desk
from trueup.run.operator.checks import operator_checks
from trueup.wire.rest import account, api_keys, exchange, portfolio
from trueup.wire.rest.account import EndpointCosts
from trueup.wire.rest.table import OPERATIONS

FREE_BYTES_MIN: Final = 200 * 1024 * 1024
SKEW_MAX: Final = 5 * SECOND
"""The exchange accepted 10 s and refused 30 s when it was measured; 5 s is a warning in time."""

READ_SCOPES: Final = frozenset({"read", "read::portfolio_balance"})
NAMED_MAX: Final = 8
_UPDATE: Final = "Look for a newer version of trueup; what is unknown is left out, never guessed."
_OTHERS: Final = (
    "/margin",  # the margined exchange is not traded here
    "/cfbenchmarks",  # a licensed index feed
    "/portfolio/orders",  # the order entry of before June 2026
    "/multivariate_event_collections/{collection_ticker}/lookup",  # gone in 2026
)
"""Endpoints that are known and without code."""

FIX_TIERS: Final = frozenset({"premier", "paragon", "prime", "prestige"})


def examine(desk: Desk) -> Iterator[Check]:
    """Run every check, cheapest first; one that cannot run says why."""
    yield from _home(desk.settings.home)
    yield from _books(desk)
    yield from _key(desk)
    yield from operator_checks(desk.settings)
    try:
        client = desk.client()
    except ConfigError as error:
        yield Check("exchange", Finding.SKIPPED, f"not asked: {error}", error.remedy)
        return
    yield from _exchange(client)
    yield from _fix(desk)


def _fix(desk: Desk) -> Iterator[Check]:
    """FIX, where it is configured or was used."""
    if desk.settings.is_embedded:
        return
    # Imported here: its dictionary takes time to load, and few need it.
    from trueup.run.fix.probe import configured_sessions, probe  # noqa: PLC0415

    for kind in configured_sessions(desk):
        yield probe(desk, kind)


def _home(home: Path) -> Iterator[Check]:
    existing = home if home.exists() else next(p for p in home.parents if p.exists())
    free = shutil.disk_usage(existing).free
    if not os.access(existing, os.W_OK):
        yield Check("home", Finding.PROBLEM, f"{home} cannot be written", "Set TRUEUP_HOME.")
    else:
        yield Check("home", Finding.OK, str(home))
    words = f"{free / 1024**3:.1f} GiB free"
    if free < FREE_BYTES_MIN:
        yield Check("disk", Finding.PROBLEM, words, "Make room before the next sync.")
    else:
        yield Check("disk", Finding.OK, words)


def _books(desk: Desk) -> Iterator[Check]:
    if not desk.has_books():
        yield Check("books", Finding.NOTICE, "no books yet", "Run `trueup init` or `trueup sync`.")
        return
    try:
        books = desk.books(create=False, read_only=True)
    except BooksError as error:
        yield Check("books", Finding.PROBLEM, str(error), error.remedy)
        return
    yield Check("books", Finding.OK, books.place)
    # Leases go by the machine's time, whatever date the sandbox shows.
    holder = books.lease.holder(SystemClock().now())
    if holder is not None:
        yield Check("writer", Finding.NOTICE, f"the books are being written by {holder.words()}")
    quarantined = len(books.quarantined())
    if quarantined:
        yield Check(
            "records",
            Finding.NOTICE,
            f"{quarantined} records could not be read and are kept raw",
            "See `trueup breaks list`.",
        )
    drift = books.unknown_fields()
    if drift:
        names = ", ".join(sorted({each.field for each in drift})[:NAMED_MAX])
        yield Check(
            "drift", Finding.NOTICE, f"the exchange sends fields unknown to this version: {names}"
        )


def _key(desk: Desk) -> Iterator[Check]:
    venue = desk.settings.venue
    if desk.settings.is_embedded:
        present = read_settings(desk.settings.environment).names
        if present:
            yield Check(
                "key",
                Finding.NOTICE,
                f"{', '.join(present)} set, but the venue is the sandbox: not used",
                "Use --venue demo or --venue prod to ask the real exchange.",
            )
        else:
            yield Check("key", Finding.OK, "the built-in sandbox needs no key")
        return
    try:
        credentials = desk.credentials()
    except ConfigError as error:
        yield Check("key", Finding.PROBLEM, str(error), error.remedy)
        return
    if credentials is None:
        yield Check(
            "key",
            Finding.PROBLEM,
            f"no API key is set for {venue.value}",
            "Set KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH, or run `trueup init`.",
        )
        return
    shown = f", fingerprint {credentials.fingerprint}" if credentials.fingerprint else ""
    yield Check("key", Finding.OK, f"from {credentials.came_from}{shown}")


def _exchange(client: Client) -> Iterator[Check]:
    try:
        status = client.send(exchange.status())
    except TrueupError as error:
        yield Check("exchange", Finding.PROBLEM, str(error), error.remedy)
        return
    if status.trading_active:
        yield Check(
            "exchange", Finding.OK, f"{client.session.endpoint.host} answers; trading is on"
        )
    else:
        yield Check("exchange", Finding.NOTICE, "the exchange answers, but trading is paused")
    yield from _skew(client)
    asked: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("access", lambda: _access(client)),
        ("scopes", lambda: _scopes(client)),
        ("limits", lambda: _limits(client)),
        ("region", lambda: _region(client)),
        ("endpoints", lambda: _endpoints(client)),
    )
    for name, check in asked:
        try:
            yield check()
        except ExchangeRefused as error:
            finding = Finding.PROBLEM if name == "access" else Finding.SKIPPED
            yield Check(name, finding, str(error), error.remedy)
        except TrueupError as error:
            yield Check(name, Finding.PROBLEM, str(error), error.remedy)
    yield from _drift(client)


def _drift(client: Client) -> Iterator[Check]:
    """What the answers of these checks held that this version does not know."""
    unknown = client.counts.unknown_fields
    if unknown:
        names = ", ".join(sorted(unknown)[:NAMED_MAX])
        yield Check("answers", Finding.NOTICE, f"unknown to this version: {names}", _UPDATE)


def _skew(client: Client) -> Iterator[Check]:
    skew = client.skew
    if skew is None:
        return
    if skew.at_least > SKEW_MAX:
        yield Check(
            "clock", Finding.PROBLEM, str(skew), "Set the clock (NTP): signatures will fail."
        )
    else:
        yield Check("clock", Finding.OK, str(skew))


def _access(client: Client) -> Check:
    client.send(portfolio.balance())
    return Check("access", Finding.OK, "the key may read the account")


def _scopes(client: Client) -> Check:
    own = client.session.signer.key_id if client.session.signer is not None else ""
    scopes = {
        scope
        for key in client.send(api_keys.list_keys())
        if key.key_id == own
        for scope in key.scopes
    }
    if not scopes:
        return Check("scopes", Finding.SKIPPED, "the exchange does not list this key")
    more = sorted(scopes - READ_SCOPES)
    if more:
        return Check(
            "scopes",
            Finding.NOTICE,
            f"this key may do more than reading: {', '.join(more)}",
            "Keeping books needs only the scope `read`: a key of that scope cannot lose money.",
        )
    return Check("scopes", Finding.OK, "this key may only read")


def _limits(client: Client) -> Check:
    learned = client.learn_limits()
    if not learned.told:
        return Check("limits", Finding.SKIPPED, "the exchange does not tell this key its limits")
    fix = "may use FIX" if learned.tier.lower() in FIX_TIERS else "may not use FIX"
    return Check(
        "limits",
        Finding.OK,
        f"tier {learned.tier}: {learned.read_per_second} read and {learned.write_per_second} "
        f"write tokens a second; this tier {fix}",
    )


def _region(client: Client) -> Check:
    expires_at = client.send(api_keys.region_expires_at())
    if expires_at is None:
        return Check("region", Finding.OK, "the exchange asks for no confirmation of the location")
    if expires_at <= client.session.now():
        return Check(
            "region",
            Finding.PROBLEM,
            f"the location of the account was confirmed only until {format_instant(expires_at)}",
            "Log in to the exchange's website once and confirm the location.",
        )
    return Check("region", Finding.OK, f"location confirmed until {format_instant(expires_at)}")


def unknown_endpoints(costs: EndpointCosts) -> list[str]:
    """Operations that the exchange lists and this version has no code for."""
    known = {(each.method, each.template) for each in OPERATIONS.values()}
    return sorted(
        f"{each.method} {each.template}"
        for each in costs.listed
        if (each.method, each.template) not in known and not each.template.startswith(_OTHERS)
    )


def _endpoints(client: Client) -> Check:
    unknown = unknown_endpoints(client.send(account.endpoint_costs()))
    if unknown:
        words = f"the exchange lists endpoints unknown to this version: {', '.join(unknown[:NAMED_MAX])}"
        return Check("endpoints", Finding.NOTICE, words, _UPDATE)
    return Check("endpoints", Finding.OK, "all that the exchange lists are known")
