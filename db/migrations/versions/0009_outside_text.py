"""What text from outside a conversation holds: kept with the thread, so that no summary and no crash forgets it."""

from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

# Source by source the most that its text may bring about without a person: {"comments": "read"}.
_OUTSIDE = "alter table threads add column outside jsonb not null default '{}'"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(_OUTSIDE)


def downgrade() -> None:
    raise NotImplementedError("What a conversation has read is not forgotten: restore a backup.")
