"""How the durable tables change from version to version (Alembic)."""
