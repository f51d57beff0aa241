"""Reader studies, and ratings of whatever was asked"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCORES = ("realism", "border", "anatomy")


def upgrade() -> None:
    op.create_table(
        "study",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("design", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("closed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study")),
        sa.UniqueConstraint("key", name=op.f("uq_study_key")),
    )
    op.create_table(
        "rater",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("expertise", sa.String(length=120), nullable=False),
        sa.Column("years", sa.Float(), nullable=True),
        sa.Column("consented", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study"], ["study.id"], name=op.f("fk_rater_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rater")),
        sa.UniqueConstraint("key", name=op.f("uq_rater_key")),
    )
    with op.batch_alter_table("rater", schema=None) as batch_op:
        batch_op.create_index("uq_rater_study_number", ["study", "number"], unique=True)

    op.create_table(
        "study_image",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=60), nullable=False),
        sa.Column("case", sa.String(length=120), nullable=False),
        sa.Column("truth", sa.String(length=16), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("region", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("blob", sa.String(length=80), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("truth in ('real', 'synthetic')", name=op.f("ck_study_image_truth")),
        sa.ForeignKeyConstraint(["study"], ["study.id"], name=op.f("fk_study_image_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_image")),
        sa.UniqueConstraint("blob", name=op.f("uq_study_image_blob")),
    )
    with op.batch_alter_table("study_image", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_study_image_study"), ["study"], unique=False)

    op.create_table(
        "study_item",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("use", sa.String(length=16), nullable=False),
        sa.Column("images", sa.JSON(), nullable=False),
        sa.CheckConstraint("use in ('item', 'training', 'catch')", name=op.f("ck_study_item_use")),
        sa.ForeignKeyConstraint(["study"], ["study.id"], name=op.f("fk_study_item_study")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_item")),
    )
    with op.batch_alter_table("study_item", schema=None) as batch_op:
        batch_op.create_index("uq_study_item_study_number", ["study", "number"], unique=True)

    op.create_table(
        "study_manager",
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_study_manager_session")),
        sa.ForeignKeyConstraint(["study"], ["study.id"], name=op.f("fk_study_manager_study")),
        sa.PrimaryKeyConstraint("study", "session", name=op.f("pk_study_manager")),
    )
    with op.batch_alter_table("study_manager", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_study_manager_session"), ["session"], unique=False)

    op.create_table(
        "showing",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("rater", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("repeat", sa.Boolean(), nullable=False),
        sa.Column("flipped", sa.Boolean(), nullable=False),
        sa.Column("left", sa.String(length=64), nullable=False),
        sa.Column("right", sa.String(length=64), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item"], ["study_item.id"], name=op.f("fk_showing_item")),
        sa.ForeignKeyConstraint(["rater"], ["rater.id"], name=op.f("fk_showing_rater")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_showing")),
        sa.UniqueConstraint("left", name=op.f("uq_showing_left")),
        sa.UniqueConstraint("right", name=op.f("uq_showing_right")),
    )
    with op.batch_alter_table("showing", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_showing_item"), ["item"], unique=False)
        batch_op.create_index("uq_showing_rater_position", ["rater", "position"], unique=True)

    _ratings()


def _ratings() -> None:
    """Make the table anew: SQLite cannot drop a column that a check names, and old rows name one another."""
    connection = op.get_bind()
    kept = connection.execute(sa.text("SELECT * FROM rating ORDER BY id")).mappings().all()
    op.drop_table("rating")
    table = op.create_table(
        "rating",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("job", sa.String(length=64), nullable=True),
        sa.Column("session", sa.String(length=64), nullable=True),
        sa.Column("showing", sa.String(length=64), nullable=True),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("circumstances", sa.JSON(), nullable=False),
        sa.Column("supersedes", sa.Integer(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(job is null) = (session is null) and (job is null) <> (showing is null)", name=op.f("ck_rating_about")
        ),
        sa.ForeignKeyConstraint(["job"], ["job.id"], name=op.f("fk_rating_job")),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_rating_session")),
        sa.ForeignKeyConstraint(["showing"], ["showing.id"], name=op.f("fk_rating_showing")),
        sa.ForeignKeyConstraint(["supersedes"], ["rating.id"], name=op.f("fk_rating_supersedes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating")),
        sa.UniqueConstraint("client_id", name=op.f("uq_rating_client_id")),
    )
    with op.batch_alter_table("rating", schema=None) as batch_op:
        batch_op.create_index("ix_rating_job_session", ["job", "session"], unique=False)
        batch_op.create_index(batch_op.f("ix_rating_showing"), ["showing"], unique=False)
    # ids are given by the new table, so that no sequence is left behind
    ids: dict[int, int] = {}
    for old in kept:
        row = {"supersedes": ids.get(old["supersedes"]), **dict(_carried(old))}
        ids[old["id"]] = connection.execute(table.insert().values(row).returning(table.c.id)).scalar_one()


def _carried(old: Mapping[Any, Any]) -> Iterator[tuple[str, object]]:
    for name in ("job", "session", "client_id"):
        yield name, old[name]
    created = old["created"]
    # SQLite hands back the text it keeps
    yield "created", datetime.fromisoformat(created) if isinstance(created, str) else created
    yield "answers", {**{name: old[name] for name in SCORES}, "comment": old["comment"]}
    yield "changes", 0
    yield "circumstances", {}
