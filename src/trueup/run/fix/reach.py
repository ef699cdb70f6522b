"""Where a FIX session of an account is, and who signs its logon."""

from __future__ import annotations

from pathlib import Path

from trueup.core.errors import ConfigError
from trueup.net.fix.endpoints import FixEndpoint, resolve_fix_endpoint
from trueup.net.signer import Ed25519Signer, RsaSigner, Signer
from trueup.net.venues import ALLOW_HOST_VARIABLE, parse_allowed_hosts
from trueup.run.desk import DeskSettings
from trueup.wire.fix.session_kinds import SessionKind


def fix_endpoint(settings: DeskSettings, kind: SessionKind, address: str = "") -> FixEndpoint:
    """The session of the account's venue, or at `address`, or where `[fix]` says.

    An address of `[fix]` is that of its own session: the other sessions are as many ports
    away as at the exchange.  Raises `ConfigError` on the built-in sandbox, and for a host that
    must not be spoken to.
    """
    address = address or _configured(settings, kind)
    if settings.is_embedded and not address:
        raise ConfigError(
            "the built-in sandbox has no FIX sessions",
            remedy="Run `trueup sandbox serve --fix-port 8228`, and name --address and "
            "--certificate as it says.",
        )
    return resolve_fix_endpoint(
        settings.venue,
        kind,
        address,
        allowed_hosts=frozenset(settings.config.allow_hosts)
        | parse_allowed_hosts(settings.environment.get(ALLOW_HOST_VARIABLE, "")),
    )


def fix_signer(signer: Signer | None) -> RsaSigner | Ed25519Signer:
    """A signer that can sign a logon.  Raises `ConfigError`."""
    if not isinstance(signer, RsaSigner | Ed25519Signer):
        raise ConfigError(
            "a FIX session needs an API key with its private half",
            remedy="Set KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH.",
        )
    return signer


def fix_certificate(settings: DeskSettings, named: Path | None = None) -> Path | None:
    """The certificate to trust beside the usual ones: the one that is named, or `[fix]`'s."""
    return settings.config.fix.certificate_path if named is None else named


def _configured(settings: DeskSettings, kind: SessionKind) -> str:
    """The address of a session as `[fix]` has it; empty where it has none."""
    fix = settings.config.fix
    host, separator, port = fix.address.rpartition(":")
    if not separator or not port.isdecimal():
        return fix.address
    own = SessionKind[fix.session]
    return f"{host}:{int(port) + kind.terms.port - own.terms.port}"
