"""How Alembic reaches the database: the store hands it an open connection."""

from __future__ import annotations

from alembic import context

from trueup.store.schema import DURABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=DURABLE,
    # SQLite can do it as well: all steps happen, or none.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
