"""What a film is made of, and assets that were made from others so that a network takes them."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# The same bytes are one asset where people bring them; what Studio derives is one asset for each source and recipe,
# even where two recipes come to the same bytes (which the store keeps once).
_DERIVED = """
alter table assets
  add column frame_rate double precision,
  add column video_codec text,
  add column audio_codec text,
  add column bit_rate bigint,
  add column derived_from uuid,
  add column derivation jsonb,
  add constraint assets_derived_from foreign key (workspace_id, derived_from) references assets (workspace_id, id),
  add constraint assets_derivation check (derivation is null or derived_from is not null),
  drop constraint assets_workspace_id_sha256_key;
create unique index assets_by_content on assets (workspace_id, sha256) where derived_from is null;
create unique index assets_derived on assets (workspace_id, derived_from, derivation) where derived_from is not null;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(_DERIVED)


def downgrade() -> None:
    raise NotImplementedError("Derived assets are not taken back: restore a backup.")
