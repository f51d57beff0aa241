"""Links that show one run to whoever has them, and what is used of a day"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "share",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["job.id"], name=op.f("fk_share_job")),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_share_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share")),
        sa.UniqueConstraint("key", name=op.f("uq_share_key")),
    )
    op.create_table(
        "day_use",
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=8), nullable=False),
        sa.Column("began", sa.Float(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "what", name=op.f("pk_day_use")),
    )
    op.create_index(op.f("ix_share_job"), "share", ["job"])
    op.create_index(op.f("ix_share_session"), "share", ["session"])
