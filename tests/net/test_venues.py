"""Which hosts may be spoken to."""

from __future__ import annotations

import pytest

from trueup.core.errors import ConfigError
from trueup.net.venues import (
    KNOWN_HOSTS,
    Venue,
    parse_allowed_hosts,
    resolve_endpoint,
    venue_from_environment,
)


@pytest.mark.parametrize(
    ("venue", "base_url"),
    [
        (Venue.PROD, "https://external-api.kalshi.com/trade-api/v2"),
        (Venue.DEMO, "https://external-api.demo.kalshi.co/trade-api/v2"),
        (Venue.SANDBOX, "http://127.0.0.1:8717/trade-api/v2"),
    ],
)
def test_venue_without_address_has_its_own(venue: Venue, base_url: str) -> None:
    endpoint = resolve_endpoint(venue)

    assert endpoint.base_url == base_url
    assert not endpoint.allowed_by_name


@pytest.mark.parametrize(("host", "venue"), KNOWN_HOSTS.items())
@pytest.mark.parametrize("rest", ["", "/", "/trade-api/v2", "/trade-api/v2/", ":443"])
def test_known_host_is_accepted(host: str, venue: Venue, rest: str) -> None:
    assert resolve_endpoint(venue, f"https://{host}{rest}").origin == f"https://{host}"


@pytest.mark.parametrize(
    ("venue", "url", "says"),
    [
        (Venue.PROD, "https://kalshi.example.com", "not a known host of prod"),
        (Venue.PROD, "https://external-api.kalshi.com.example.com", "not a known host"),
        (Venue.PROD, "https://external-api.kalshi.com:8443", "not a known host"),
        (Venue.PROD, "https://external-api.kalshi.com@example.com", "user name"),
        (Venue.PROD, "https://example.com\\@external-api.kalshi.com", "backslash"),
        (Venue.PROD, "https://external-api.kalshi.com /x", "space"),
        (Venue.PROD, "https://external-api.kalshi.com\n", "control character"),
        (Venue.PROD, "https://external-api.kalshi.com?x=1", "path that trueup does not know"),
        (Venue.PROD, "https://external-api.kalshi.com/trade-api/v3", "does not know"),
        (Venue.PROD, "http://external-api.kalshi.com", "plain http"),
        (Venue.PROD, "ftp://external-api.kalshi.com", "https://"),
        (Venue.PROD, "external-api.kalshi.com", "https://"),
        (Venue.PROD, "https://", "no valid host"),
        (Venue.PROD, "https://external-api.kalshi.com:99999", "no valid host"),
        (Venue.PROD, "https://exämple.com", "no valid host"),
        (Venue.PROD, "https://external-api.demo.kalshi.co", "belongs to demo"),
        (Venue.DEMO, "https://api.elections.kalshi.com", "belongs to prod"),
        (Venue.SANDBOX, "https://external-api.kalshi.com", "belongs to prod"),
        (Venue.SANDBOX, "http://192.0.2.7:8717", "plain http"),
        (Venue.SANDBOX, "https://192.0.2.7", "not a known host of sandbox"),
        (Venue.PROD, "http://127.0.0.1:8717", "not a known host of prod"),
    ],
)
def test_other_address_is_refused(venue: Venue, url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        resolve_endpoint(venue, url)

    assert caught.value.remedy


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.9.9.9:1", "http://[::1]:1"])
def test_sandbox_lives_on_this_machine(url: str) -> None:
    assert resolve_endpoint(Venue.SANDBOX, url).origin == url


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("gateway.example.com", "https://gateway.example.com"),
        ("gateway.example.com", "https://gateway.example.com:8443"),
        (" other.example.com , GATEWAY.example.com. ", "https://Gateway.Example.com"),
        ("gateway.example.com:8443", "https://gateway.example.com:8443"),
        ("127.0.0.1:8717", "http://127.0.0.1:8717"),
        ("[::1]:8717", "http://[::1]:8717"),
    ],
)
def test_host_allowed_by_name_is_accepted(allowed: str, url: str) -> None:
    endpoint = resolve_endpoint(Venue.PROD, url, allowed_hosts=parse_allowed_hosts(allowed))

    assert endpoint.allowed_by_name


def test_port_of_an_allowed_host_counts() -> None:
    with pytest.raises(ConfigError, match="not a known host"):
        resolve_endpoint(
            Venue.PROD,
            "https://gateway.example.com:1",
            allowed_hosts=parse_allowed_hosts("gateway.example.com:8443"),
        )


def test_allowing_a_host_does_not_allow_plain_http() -> None:
    with pytest.raises(ConfigError, match="plain http"):
        resolve_endpoint(
            Venue.PROD, "http://gateway.example.com", allowed_hosts={"gateway.example.com"}
        )


@pytest.mark.parametrize("text", ["*", "*.kalshi.com", "https://a.example", "a b", "a/b", "a:"])
def test_list_of_hosts_takes_names_only(text: str) -> None:
    with pytest.raises(ConfigError, match="TRUEUP_ALLOW_HOST"):
        parse_allowed_hosts(text)


def test_remedy_of_an_unknown_host_works() -> None:
    url = "https://gateway.example.com:8443"
    with pytest.raises(ConfigError) as caught:
        resolve_endpoint(Venue.DEMO, url)

    allowed = parse_allowed_hosts(caught.value.remedy.partition("TRUEUP_ALLOW_HOST=")[2])
    assert resolve_endpoint(Venue.DEMO, url, allowed_hosts=allowed).allowed_by_name


@pytest.mark.parametrize(
    ("environment", "venue"),
    [
        ({}, None),
        ({"KALSHI_ENV": ""}, None),
        ({"KALSHI_ENV": "prod"}, Venue.PROD),
        ({"KALSHI_ENV": "Production"}, Venue.PROD),
        ({"KALSHI_ENVIRONMENT": "demo"}, Venue.DEMO),
        ({"KALSHI_ENV": "sandbox"}, Venue.SANDBOX),
        ({"KALSHI_DEMO": "1"}, Venue.DEMO),
        ({"KALSHI_DEMO": "TRUE"}, Venue.DEMO),
        ({"KALSHI_DEMO": "yes", "KALSHI_ENV": "demo"}, Venue.DEMO),
        ({"KALSHI_DEMO": "0"}, None),
        ({"KALSHI_DEMO": "false", "KALSHI_ENV": "prod"}, Venue.PROD),
    ],
)
def test_environment_names_the_venue(environment: dict[str, str], venue: Venue | None) -> None:
    assert venue_from_environment(environment) is venue


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"KALSHI_ENV": "staging"}, "names no venue"),
        ({"KALSHI_DEMO": "maybe"}, "neither yes nor no"),
        ({"KALSHI_ENV": "prod", "KALSHI_DEMO": "1"}, "contradictory"),
        ({"KALSHI_ENV": "prod", "KALSHI_ENVIRONMENT": "demo"}, "contradictory"),
        ({"KALSHI_ENV": "demo", "KALSHI_DEMO": "0"}, "contradictory"),
    ],
)
def test_environment_that_names_no_one_venue_is_refused(
    environment: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        venue_from_environment(environment)
