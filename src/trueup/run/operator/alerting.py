"""Alerts of one account, plugged together: rules, addresses, delivery and the outside ping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from trueup.core.alerting import AlertPolicy
from trueup.core.alerts import Alert, AlertKind
from trueup.core.instant import SECOND
from trueup.net.alert_targets import (
    Channel,
    Target,
    open_channels,
    read_ping_address,
    read_targets,
)
from trueup.net.alerts import AlertDelivery, DeadmanPing
from trueup.run.clock import SystemClock, unseeded
from trueup.run.config import CONFIG_NAME
from trueup.run.desk import DeskSettings
from trueup.run.operator.settings import alert_rules, length

_SPELLED: Final = {"sandbox": "sandbox", "demo": "demo", "prod": "PRODUCTION"}


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a message to one channel; `failure` is empty when it arrived."""

    channel: str
    failure: str


def heading(settings: DeskSettings) -> str:
    """Which account a message is about."""
    venue = settings.config.venue
    return f"trueup {_SPELLED.get(venue, venue)} {settings.config.account}"


def targets(settings: DeskSettings) -> tuple[Target, ...]:
    """Every address that is set.  Raises `ConfigError` for one that may not be used."""
    environment = settings.environment
    return read_targets(
        environment,
        urls_file=settings.config.alerts.urls_file,
        keyring_service=environment.get("TRUEUP_KEYRING_SERVICE", ""),
    )


def open_alerts(settings: DeskSettings, *, trouble: Callable[[str], None]) -> AlertDelivery | None:
    """The delivery of this account's alerts; `None` where no address is set.

    `trouble` hears what could not be delivered.  Raises `ConfigError`.
    """
    found = targets(settings)
    if not found:
        return None
    return deliver_to(settings, open_channels(found), trouble=trouble)


def deliver_to(
    settings: DeskSettings, channels: tuple[Channel, ...], *, trouble: Callable[[str], None]
) -> AlertDelivery:
    """The delivery of this account's alerts over these channels."""
    # Alerts are for people: they go by the machine's time, whatever date the sandbox shows.
    clock = SystemClock()
    rules = alert_rules(settings.config.alerts, settings.home / CONFIG_NAME)
    return AlertDelivery(
        channels,
        AlertPolicy(rules, clock.now()),
        heading=heading(settings),
        clock=clock.now,
        chance=unseeded(),
        trouble=trouble,
    )


def try_alerts(settings: DeskSettings) -> list[Delivered]:
    """Send a test message to every address, at once and only once.  Raises `ConfigError`."""
    now = SystemClock().now()
    alert = Alert(at=now, kind=AlertKind.TEST, words="a test: this is how alerts reach you")
    title = f"{heading(settings)}: {alert.kind.value}"
    return [
        Delivered(channel.name, channel.deliver(title, alert.words, alert.severity))
        for channel in open_channels(targets(settings))
    ]


def open_ping(
    settings: DeskSettings, *, unwell: Callable[[], str], trouble: Callable[[str], None]
) -> DeadmanPing | None:
    """The outside dead-man's ping; `None` where no address is set.  Raises `ConfigError`."""
    alerts = settings.config.alerts
    address = read_ping_address(settings.environment, url_file=alerts.ping_url_file)
    if address is None:
        return None
    every = length(alerts.ping_every, "alerts.ping_every", settings.home / CONFIG_NAME)
    return DeadmanPing(address, every_seconds=every // SECOND, unwell=unwell, trouble=trouble)
