"""When a live post was taken down: its row is cancelled, and keeps what it was called at the network."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        "alter table posts add column deleted_at timestamptz,"
        " add constraint posts_deleted_check check (deleted_at is null or status = 'cancelled')"
    )


def downgrade() -> None:
    op.get_bind().exec_driver_sql("alter table posts drop column deleted_at")
