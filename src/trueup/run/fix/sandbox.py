"""The FIX side of a sandbox: its ports, and a certificate that signs itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from trueup.core.errors import ConfigError
from trueup.net.acceptor.fix_faults import FixFaults
from trueup.net.acceptor.fix_gateway import fix_side
from trueup.net.acceptor.fix_terms import PARTIES_PER_PAGE, FixTerms, ReportForm, ports_from
from trueup.net.acceptor.server import HOST, Settings
from trueup.net.fix.certificates import self_signed
from trueup.net.fix.endpoints import server_tls
from trueup.run.clock import SystemClock
from trueup.run.private_files import write_private_file


def with_fix(
    settings: Settings,
    key_file: Path,
    port: int = 0,
    *,
    reports: str = ReportForm.PRESENT,
    page_size: int = PARTIES_PER_PAGE,
) -> tuple[Settings, Path]:
    """The settings of a sandbox with FIX sessions, and the certificate that clients must trust.

    `reports` is how settlement reports are written, `page_size` how many parties are on a
    page.  Raises `ConfigError` for a form that there is not.
    """
    terms, certificate = fix_terms(key_file, port)
    try:
        form = ReportForm(reports)
    except ValueError:
        raise ConfigError(
            f"there are no settlement reports of the form {reports!r}",
            remedy=f"Use one of {', '.join(ReportForm)}.",
        ) from None
    terms = replace(
        terms,
        page_size=page_size,
        payout_unit=form.payout_unit,
        faults=FixFaults(is_older=form is ReportForm.OLDEST),
    )
    return replace(settings, fix=fix_side(terms)), certificate


def fix_terms(key_file: Path, port: int) -> tuple[FixTerms, Path]:
    """The FIX sessions, and the certificate beside the key file that clients must trust.

    Files that are there already are used again, so clients need not be told anew.
    """
    certificate, key = (key_file.with_suffix(suffix) for suffix in (".fix.crt", ".fix.key"))
    try:
        if not (certificate.exists() and key.exists()):
            pair = self_signed(HOST, SystemClock().now())
            write_private_file(key, pair.key)
            write_private_file(certificate, pair.certificate)
        tls = server_tls(certificate, key)
    except OSError as error:
        raise ConfigError(
            f"the certificate {certificate} cannot be used: {error.strerror or error}",
            remedy=f"Delete {certificate} and {key}, or name another --key-file.",
        ) from error
    return FixTerms(tls=tls, ports=ports_from(port)), certificate.resolve()
