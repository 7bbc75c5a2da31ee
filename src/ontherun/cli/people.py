"""ontherun people, ontherun token and ontherun sign-in-link: who may do what."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from ontherun.cli.api import (
    DEFAULT_DATA,
    Api,
    ApiUrl,
    AsJson,
    Data,
    TokenFile,
    day,
    fail,
    print_json,
    print_table,
)
from ontherun.cli.changing import changing

app = typer.Typer(name="people", help="People, their roles and invitations.", no_args_is_help=True)
tokens = typer.Typer(name="token", help="API tokens for scripts.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The person's e-mail address.")]
Entity = Annotated[int, typer.Option("--entity", metavar="ID", help="The entity.")]
Role = Annotated[str, typer.Argument(metavar="ROLE", help="For example full-access or auditor.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def sign_in_link(
    email: Annotated[
        str | None, typer.Option("--user", metavar="EMAIL", help="For whom. [the operator at this machine]")
    ] = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Make a link that signs somebody in at the portal, once, within a quarter of an hour."""
    made = Api.connect(data, api_url, token_file).post("sign-in-links", body={"email": email} if email else {})
    if as_json:
        print_json(made)
    else:
        typer.echo(made["url"])


@app.command("list")
def list_people(
    entity: Annotated[int | None, typer.Option("--entity", metavar="ID", help="Only those with a role there.")] = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """List the people you see."""
    api = Api.connect(data, api_url, token_file)
    found = api.every("users") if entity is None else api.every("users", entity_id=entity)
    if as_json:
        print_json(found)
    elif found:
        print_table(("USER", "E-MAIL", "NAME", "ROLES", "SECOND FACTOR", "STATE"), map(_row, found))
    else:
        typer.echo("There is nobody yet. Invite somebody with: ontherun people invite EMAIL --entity ID --role ROLE")


@app.command("invite")
@changing
def invite(
    email: Email,
    role: Annotated[list[str] | None, typer.Option("--role", metavar="ROLE", help="A role there. Repeatable.")] = None,
    entity: Annotated[
        int | None, typer.Option("--entity", metavar="ID", help="The entity; none: as an operator of the venue.")
    ] = None,
    administrator: Annotated[bool, typer.Option(help="Have the person get the entity's expiry mail.")] = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Invite a person. The code is shown this once, and in no mail: hand it over yourself."""
    body: dict[str, Any] = {"email": email, "roles": role or [], "registered_administrator": administrator}
    if entity is not None:
        body["entity_id"] = entity
    made = Api.connect(data, api_url, token_file).post("invitations", body=body)
    if as_json:
        print_json(made)
        return
    typer.echo(f"{email} is invited until {day(made['about']['expires_at'])} UTC.")
    typer.echo(f"Code:  {made['code']}\nAt:    {made['accept_at']}")
    typer.echo("Hand the code over yourself: no mail holds it.")


@app.command("invitations")
def list_invitations(
    as_json: AsJson = False, data: Data = DEFAULT_DATA, api_url: ApiUrl = None, token_file: TokenFile = None
) -> None:
    """List invitations."""
    found = Api.connect(data, api_url, token_file).every("invitations")
    if as_json:
        print_json(found)
    elif found:
        print_table(
            ("INVITATION", "E-MAIL", "ENTITY", "ROLES", "STATE", "UNTIL (UTC)"),
            (
                (
                    one["invitation_id"],
                    one["email"],
                    one["entity_id"] or "the venue",
                    " ".join(one["roles"]) or "operator",
                    one["state"],
                    day(one["expires_at"]),
                )
                for one in found
            ),
        )
    else:
        typer.echo("Nobody is invited.")


@app.command("withdraw")
@changing
def withdraw(
    invitation: Annotated[int, typer.Argument(metavar="INVITATION", help="Its number.")],
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Withdraw an invitation."""
    Api.connect(data, api_url, token_file).delete("invitations", str(invitation))
    _done(as_json, {"invitation_id": invitation, "state": "withdrawn"}, f"Invitation {invitation} is withdrawn.")


@app.command("grant")
@changing
def grant(
    email: Email,
    role: Role,
    entity: Entity,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Give a person a role at an entity."""
    api = Api.connect(data, api_url, token_file)
    user = api.post("users", _number(api, email), "roles", body={"entity_id": entity, "role": role})
    _done(as_json, user, f"{email} has the role {role} at entity {entity}.")


@app.command("revoke")
@changing
def revoke(
    email: Email,
    role: Role,
    entity: Entity,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Take a role at an entity from a person."""
    api = Api.connect(data, api_url, token_file)
    api.delete("users", _number(api, email), "roles", str(entity), role)
    done = {"email": email, "entity_id": entity, "role": role, "state": "revoked"}
    _done(as_json, done, f"{email} has the role {role} at entity {entity} no more.")


@app.command("unlock")
@changing
def unlock(
    email: Email,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Forget a person's failed attempts to sign in."""
    api = Api.connect(data, api_url, token_file)
    _done(as_json, api.post("users", _number(api, email), "unlock"), f"{email} may sign in again.")


@app.command("reset")
@changing
def reset(
    email: Email,
    yes: Yes = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Take a person's password and second factors away, and print a link for a new password."""
    api = Api.connect(data, api_url, token_file)
    if not yes:
        typer.confirm(f"Take every credential from {email} and sign every browser out?", abort=True, err=True)
    made = api.post("users", _number(api, email), "reset")
    _done(as_json, made, f"For {email}, once, until {day(made['expires_at'])} UTC:\n{made['url']}")


@app.command("leave")
@changing
def leave(
    email: Email,
    yes: Yes = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """End everything that a person has where you manage people: roles, browsers, API tokens, invitations."""
    api = Api.connect(data, api_url, token_file)
    if not yes:
        typer.confirm(f"End every role, browser, API token and invitation of {email}?", abort=True, err=True)
    left = api.post("leavers", body={"email": email})
    ended = (
        f"{left['roles']} roles, {left['web_sessions']} browsers, {left['api_tokens']} API tokens and "
        f"{left['invitations']} invitations of {email} have ended."
    )
    if left["service_tokens"]:
        numbers = ", ".join(map(str, left["service_tokens"]))
        ended += f"\nStill good, and known to the person: the services' tokens {numbers}. Replace them."
    _done(as_json, left, ended)


@tokens.command("list")
def list_tokens(
    every: Annotated[bool, typer.Option("--all", help="Revoked ones, too.")] = False,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """List API tokens, without the tokens themselves."""
    found = [
        token for token in Api.connect(data, api_url, token_file).every("tokens") if every or not token["revoked_at"]
    ]
    if as_json:
        print_json(found)
        return
    print_table(
        ("TOKEN", "NAME", "OF", "ENTITY", "SCOPES", "EXPIRES (UTC)", "LAST USED (UTC)"),
        (
            (
                token["token_id"],
                token["name"],
                token["owner"] or "a service",
                token["entity_id"] or "-",
                " ".join(token["scopes"]),
                "revoked" if token["revoked_at"] else day(token["expires_at"]) if token["expires_at"] else "never",
                day(token["used_at"]) if token["used_at"] else "never",
            )
            for token in found
        ),
    )


@tokens.command("create")
@changing
def create_token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name for people.")],
    scope: Annotated[
        list[str] | None, typer.Option("--scope", metavar="SCOPE", help="For example generate-keys. Repeatable.")
    ] = None,
    role: Annotated[str | None, typer.Option("--role", metavar="ROLE", help="A role instead of scopes.")] = None,
    entity: Annotated[int | None, typer.Option("--entity", metavar="ID", help="Where it has its rights.")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="How long it is good.")] = 90,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the token there, for your eyes only.")
    ] = None,
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Create an API token for a service; it is shown this once."""
    if bool(scope) is bool(role):
        fail("Give --scope, once or more often, or --role.")
    if out is not None and out.exists():
        fail(f"{out} is there already. Choose another file.")
    body: dict[str, Any] = {"name": name, "scopes": role or scope, "expires_in_days": days}
    if entity is not None:
        body["entity_id"] = entity
    made = Api.connect(data, api_url, token_file).post("tokens", body=body)
    about = made["about"]
    if out is not None:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(made["token"] + "\n")
        _done(as_json, {"file": str(out), "about": about}, f"{out} holds API token {about['token_id']} ({name}).")
        return
    _done(as_json, made, f"API token {about['token_id']}, until {day(about['expires_at'])} UTC:\n{made['token']}")


@tokens.command("revoke")
@changing
def revoke_token(
    token: Annotated[int, typer.Argument(metavar="TOKEN", help="Its number.")],
    as_json: AsJson = False,
    data: Data = DEFAULT_DATA,
    api_url: ApiUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Revoke an API token, with immediate effect."""
    Api.connect(data, api_url, token_file).delete("tokens", str(token))
    _done(as_json, {"token_id": token, "state": "revoked"}, f"API token {token} is revoked.")


def _number(api: Api, email: str) -> str:
    found = next((user for user in api.every("users") if user["email"] == email.lower()), None)
    if found is None:
        fail(f"You see nobody with the address {email}.")
    return str(found["user_id"])


def _row(user: dict[str, Any]) -> tuple[object, ...]:
    roles = [f"{role}@{at['entity_id']}" for at in user["entities"] for role in at["roles"]]
    if user["operator"]:
        roles.insert(0, "operator")
    state = f"locked until {day(user['locked_until'])}" if user["locked_until"] else user["state"]
    return (
        user["user_id"],
        user["email"],
        user["name"],
        " ".join(roles) or "-",
        "yes" if user["second_factor"] else "no",
        state,
    )


def _done(as_json: bool, value: object, words: str) -> None:
    if as_json:
        print_json(value)
    else:
        typer.echo(words)
