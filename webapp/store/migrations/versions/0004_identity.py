"""Browsers apart from the visitors whose they are, accounts, and the owners of uploads and open pages"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.String(length=64)
UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password", sa.String(length=200), nullable=True),
        sa.Column("subject", sa.String(length=400), nullable=True),
        sa.Column("session", ID, nullable=False),
        sa.Column("disabled", UTC, nullable=True),
        sa.Column("created", UTC, nullable=False),
        sa.CheckConstraint("role in ('rater', 'visitor', 'manager', 'admin')", name=op.f("ck_account_role")),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_account_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
        sa.UniqueConstraint("session", name=op.f("uq_account_session")),
        sa.UniqueConstraint("subject", name=op.f("uq_account_subject")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("name", ID, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("last", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sign_in_failure")),
    )
    op.create_table(
        "browser",
        sa.Column("id", ID, nullable=False),
        sa.Column("session", ID, nullable=False),
        sa.Column("account", ID, nullable=True),
        sa.Column("created", UTC, nullable=False),
        sa.Column("last_seen", UTC, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_browser_account")),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_browser_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_browser")),
    )
    for column in ("session", "account"):
        op.create_index(f"ix_browser_{column}", "browser", [column])
    op.create_table(
        "open_page",
        sa.Column("name", ID, nullable=False),
        sa.Column("session", ID, nullable=False),
        sa.Column("created", UTC, nullable=False),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_open_page_session")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_open_page")),
    )
    op.create_index("ix_open_page_session", "open_page", ["session"])
    op.create_table(
        "upload",
        sa.Column("id", ID, nullable=False),
        sa.Column("session", ID, nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("created", UTC, nullable=False),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_upload_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index("ix_upload_session", "upload", ["session"])
    # a session was the digest of its one browser's cookie, so the cookies that are out stay good
    op.execute("INSERT INTO browser SELECT id, id, NULL, created, last_seen FROM session")
