"""Runs say which runs before them they take back."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; runs there are take nothing back."""
    op.execute("alter table runs add column takes_back text[] not null default '{}'")


def downgrade() -> None:
    """Drop the column."""
    op.execute("alter table runs drop column takes_back")
