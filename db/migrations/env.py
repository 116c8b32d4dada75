"""Alembic's entry: runs the migrations on the connection that ``db.migrate`` hands over."""

from alembic import context
from sqlalchemy import Connection

from db.models.base import SCHEMA, Base

connection: Connection | None = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Run the migrations with: studio migrate")

context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    version_table_schema=SCHEMA,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
