"""Fill the people part of the directory from the database, once, at the start."""

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ontherun.registry.people_book import PeopleBook
from ontherun.registry.principal import Right, Role
from ontherun.registry.records import SealedSecret
from ontherun.registry.records_people import (
    ApiToken,
    Attempts,
    Invitation,
    LinkPurpose,
    OneTimeLink,
    Passkey,
    Totp,
    User,
    WebSession,
)
from ontherun.registry.tables_people import (
    ApiTokenRow,
    AttemptsRow,
    InvitationRow,
    OneTimeLinkRow,
    PasskeyRow,
    RecoveryCodeRow,
    RegisteredAdministratorRow,
    RoleGrantRow,
    SecondFactorUseRow,
    TotpRow,
    UserRow,
    WebSessionRow,
)


async def fill_people(book: PeopleBook, connection: AsyncConnection) -> None:
    """Read every record into an empty book."""
    for row in await connection.execute(select(UserRow.__table__).order_by(UserRow.user_id)):
        book.put_user(
            User(
                row.user_id,
                row.email,
                row.name,
                row.zone,
                row.operator,
                row.created_at,
                row.left_at,
                row.password_hash,
                row.password_at,
                row.subject,
            )
        )
    await _fill_rights(book, connection)
    await _fill_credentials(book, connection)
    await _fill_sign_ins(book, connection)
    for row in await connection.execute(select(ApiTokenRow.__table__).order_by(ApiTokenRow.token_id)):
        token = ApiToken(
            row.token_id,
            row.name,
            scopes_from(row.scopes),
            row.owner,
            row.entity_id,
            row.created_by,
            row.created_at,
            row.expires_at,
            row.used_at,
            row.revoked_at,
        )
        book.put_token(token, row.token_hash)


async def _fill_rights(book: PeopleBook, connection: AsyncConnection) -> None:
    grants: dict[tuple[int, int], set[Role]] = defaultdict(set)
    for row in await connection.execute(select(RoleGrantRow.__table__)):
        grants[row.user_id, row.entity_id].add(Role(row.role))
    for (user_id, entity_id), roles in grants.items():
        book.put_roles(user_id, entity_id, roles)
    for row in await connection.execute(select(RegisteredAdministratorRow.__table__)):
        book.administrators.setdefault(row.entity_id, set()).add(row.user_id)
    for row in await connection.execute(select(InvitationRow.__table__).order_by(InvitationRow.invitation_id)):
        book.invitation_ids[row.code_hash] = row.invitation_id
        book.invitations[row.invitation_id] = Invitation(
            row.invitation_id,
            row.email,
            row.entity_id,
            tuple(Role(role) for role in row.roles),
            row.registered_administrator,
            row.invited_by,
            row.created_at,
            row.expires_at,
            row.state,
        )


async def _fill_credentials(book: PeopleBook, connection: AsyncConnection) -> None:
    for row in await connection.execute(select(TotpRow.__table__)):
        sealed = SealedSecret(row.master_key_id, row.sealed_secret)
        book.totps[row.user_id] = Totp(sealed, row.created_at, row.last_step)
    for row in await connection.execute(select(PasskeyRow.__table__).order_by(PasskeyRow.passkey_id)):
        book.passkeys[row.credential_id] = Passkey(
            row.passkey_id,
            row.credential_id,
            row.user_id,
            row.name,
            row.public_key,
            row.sign_count,
            row.created_at,
            row.used_at,
        )
    for row in await connection.execute(select(RecoveryCodeRow.__table__)):
        book.recovery_codes[row.code_hash] = row.user_id
    for row in await connection.execute(select(SecondFactorUseRow.__table__)):
        book.second_factors_used[row.user_id, row.day] = row.used


async def _fill_sign_ins(book: PeopleBook, connection: AsyncConnection) -> None:
    for row in await connection.execute(select(WebSessionRow.__table__).order_by(WebSessionRow.web_session_id)):
        book.web_sessions[row.cookie_hash] = WebSession(
            row.web_session_id, row.user_id, row.method, row.source, row.agent, row.created_at, row.seen_at
        )
    for row in await connection.execute(select(OneTimeLinkRow.__table__)):
        link = OneTimeLink(LinkPurpose(row.purpose), row.user_id, row.created_at, row.expires_at)
        book.links[row.token_hash] = link
    for row in await connection.execute(select(AttemptsRow.__table__)):
        book.attempts[row.key] = Attempts(row.failures, row.first_at, row.last_at, row.locked_until)


def scopes_from(text: str) -> frozenset[Right]:
    """Read the scopes of a token as they are stored."""
    return frozenset(Right(word) for word in text.split(",") if word)


def scopes_to(scopes: frozenset[Right]) -> str:
    """Write the scopes of a token as they are stored."""
    return ",".join(sorted(scopes))
