"""Which subaccount was asked for a record that could not be read.

Settlement and position rows do not name their subaccount: without this, what a
newer version can read could not be attributed.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the column to the quarantine and to the handoff; coverage has a tier more."""
    op.add_column(
        "quarantine",
        sa.Column(
            "subaccount",
            _NUMBER,
            nullable=True,
            comment="the one that was asked for it; null: all, or not noted",
        ),
    )
    op.add_column(
        "handoff",
        sa.Column(
            "subaccount",
            _NUMBER,
            nullable=True,
            comment="the one that was asked for a record that could not be read",
        ),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "COMMENT ON COLUMN coverage.tier IS 'live or historical; stated: somebody''s word'"
        )
