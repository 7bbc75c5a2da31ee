"""The tables of people: who they are, what they may do, how they sign in. Secrets sealed or hashed, never plain."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ontherun.registry.tables import Base


class UserRow(Base):
    """A person. `email` is in small letters; `left_at` is set once the person has left, and stays."""

    __tablename__ = "user"
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    zone: Mapped[str] = mapped_column(String(64))
    operator: Mapped[bool]
    password_hash: Mapped[str | None] = mapped_column(String(200))
    password_at: Mapped[int | None]
    subject: Mapped[str | None] = mapped_column(String(512), unique=True)
    created_at: Mapped[int]
    left_at: Mapped[int | None]


class RoleGrantRow(Base):
    """A role of a user at an entity."""

    __tablename__ = "role_grant"
    user_id: Mapped[int] = mapped_column(ForeignKey("user.user_id"), primary_key=True)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.entity_id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)
    granted_at: Mapped[int]
    granted_by: Mapped[str] = mapped_column(String(200))


class RegisteredAdministratorRow(Base):
    """A user who gets an entity's expiry mail without being its Admin Manager."""

    __tablename__ = "registered_administrator"
    user_id: Mapped[int] = mapped_column(ForeignKey("user.user_id"), primary_key=True)
    entity_id: Mapped[int] = mapped_column(ForeignKey("entity.entity_id"), primary_key=True)


class WebSessionRow(Base):
    """A browser that is signed in: only the SHA-256 of its cookie, which is enough for 32 random bytes."""

    __tablename__ = "web_session"
    web_session_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cookie_hash: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.user_id"), index=True)
    method: Mapped[str] = mapped_column(String(40))
    source: Mapped[str | None] = mapped_column(String(100))
    agent: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[int]
    seen_at: Mapped[int]


class OneTimeLinkRow(Base):
    """A link that signs somebody in, or lets them set a new password, once; only the SHA-256 of its token."""

    __tablename__ = "one_time_link"
    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.user_id"), index=True)
    created_at: Mapped[int]
    expires_at: Mapped[int]


class AttemptsRow(Base):
    """Failed attempts of one account or source address. `key` holds no address of a person, only its SHA-256."""

    __tablename__ = "failed_attempts"
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int]
    first_at: Mapped[int]
    last_at: Mapped[int]
    locked_until: Mapped[int]


class TotpRow(Base):
    """A user's authenticator app. `last_step` is the last time step (30 s) whose code was taken: none comes twice."""

    __tablename__ = "totp"
    user_id: Mapped[int] = mapped_column(ForeignKey("user.user_id"), primary_key=True)
    sealed_secret: Mapped[bytes]
    master_key_id: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[int]
    last_step: Mapped[int]


class PasskeyRow(Base):
    """A WebAuthn credential: its public half."""

    __tablename__ = "passkey"
    passkey_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.user_id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    created_at: Mapped[int]
    used_at: Mapped[int | None]


class RecoveryCodeRow(Base):
    """A recovery code that was not used yet: only its SHA-256, which is enough for 120 random bits."""

    __tablename__ = "recovery_code"
    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.user_id"), index=True)


class SecondFactorUseRow(Base):
    """How many second factors a user proved on a day in Central time."""

    __tablename__ = "second_factor_use"
    user_id: Mapped[int] = mapped_column(ForeignKey("user.user_id"), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    used: Mapped[int]


class InvitationRow(Base):
    """An invitation of a person: only the SHA-256 of its code. `entity_id` None: as an operator of the venue."""

    __tablename__ = "invitation"
    invitation_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code_hash: Mapped[bytes] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(String(254))
    entity_id: Mapped[int | None] = mapped_column(ForeignKey("entity.entity_id"))
    roles: Mapped[list[Any]] = mapped_column(JSON)
    registered_administrator: Mapped[bool]
    invited_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[int]
    expires_at: Mapped[int]
    state: Mapped[str] = mapped_column(String(20))


class ApiTokenRow(Base):
    """A bearer token: only the SHA-256 of it, which is enough for 32 random bytes. `scopes` are names of rights."""

    __tablename__ = "api_token"
    token_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(String(100))
    scopes: Mapped[str] = mapped_column(Text)
    owner: Mapped[int | None] = mapped_column(ForeignKey("user.user_id"))
    entity_id: Mapped[int | None] = mapped_column(ForeignKey("entity.entity_id"))
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[int]
    expires_at: Mapped[int | None]
    used_at: Mapped[int | None]
    revoked_at: Mapped[int | None]
