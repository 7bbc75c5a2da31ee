"""The first tables: entities, firms, sessions, key pairs, party details, API tokens and the audit chain."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit_entry",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=True),
        sa.Column("action", sa.String(length=50), nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_entity_id"), "audit_entry", ["entity_id"], unique=False)
    op.create_table(
        "entity",
        sa.Column("entity_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entity_id", name=op.f("pk_entity")),
        sa.UniqueConstraint("name", name=op.f("uq_entity_name")),
    )
    op.create_table(
        "api_token",
        sa.Column("token_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.entity_id"], name=op.f("fk_api_token_entity_id")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_table(
        "globex_firm",
        sa.Column("gfid", sa.String(length=5), nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.entity_id"], name=op.f("fk_globex_firm_entity_id")),
        sa.PrimaryKeyConstraint("gfid", name=op.f("pk_globex_firm")),
    )
    op.create_table(
        "order_entry_session",
        sa.Column("session_id", sa.String(length=3), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=False),
        sa.Column("market_segments", sa.JSON(), nullable=False),
        sa.Column("cancel_on_disconnect", sa.Boolean(), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.entity_id"], name=op.f("fk_order_entry_session_entity_id")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_order_entry_session")),
        sa.UniqueConstraint("position", name=op.f("uq_order_entry_session_position")),
    )
    op.create_table(
        "key_pair",
        sa.Column("access_key_id", sa.String(length=20), nullable=False),
        sa.Column("session_id", sa.String(length=3), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("master_key_id", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["order_entry_session.session_id"], name=op.f("fk_key_pair_session_id")
        ),
        sa.PrimaryKeyConstraint("access_key_id", name=op.f("pk_key_pair")),
    )
    op.create_index(op.f("ix_key_pair_session_id"), "key_pair", ["session_id"], unique=False)
    op.create_table(
        "party_details",
        sa.Column("session_id", sa.String(length=3), nullable=False),
        sa.Column("gfid", sa.String(length=5), nullable=False),
        sa.Column("party_details_list_req_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=20), nullable=False),
        sa.Column("self_match_prevention_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["gfid"], ["globex_firm.gfid"], name=op.f("fk_party_details_gfid")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["order_entry_session.session_id"], name=op.f("fk_party_details_session_id")
        ),
        sa.PrimaryKeyConstraint("session_id", "gfid", "party_details_list_req_id", name=op.f("pk_party_details")),
    )
    op.create_table(
        "session_firm",
        sa.Column("session_id", sa.String(length=3), nullable=False),
        sa.Column("gfid", sa.String(length=5), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["gfid"], ["globex_firm.gfid"], name=op.f("fk_session_firm_gfid")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["order_entry_session.session_id"], name=op.f("fk_session_firm_session_id")
        ),
        sa.PrimaryKeyConstraint("session_id", "gfid", name=op.f("pk_session_firm")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_entry_no_{verb.lower()} BEFORE {verb} ON audit_entry "
                "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
            )
