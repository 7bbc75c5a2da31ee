"""The registry of a venue: opened once for a data directory, and asked for everything that is stored there."""

import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import false, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from ontherun.keys import Clock, KeyPolicy, KeyUse
from ontherun.registry.attempts import AttemptCounter
from ontherun.registry.audit_book import AuditBook
from ontherun.registry.demo import DemoSession, seed_demo
from ontherun.registry.directory import Directory
from ontherun.registry.drop_copy import DropCopyGroups
from ontherun.registry.entities import Entities
from ontherun.registry.errors import SchemaError
from ontherun.registry.firms import Firms
from ontherun.registry.gateways import Gateways
from ontherun.registry.idempotency import Idempotency
from ontherun.registry.identities import Identities
from ontherun.registry.invitations import Invitations
from ontherun.registry.key_source import KeySource
from ontherun.registry.key_tests import KeyTests
from ontherun.registry.key_use import KeyUses, load_key_uses
from ontherun.registry.lab import Lab, restore
from ontherun.registry.loading import chain_head, fill
from ontherun.registry.locking import DirectoryLock
from ontherun.registry.market_control import MarketControl
from ontherun.registry.market_data import MarketDataSessions
from ontherun.registry.master_key import MasterKeyRotation
from ontherun.registry.notices import Notices, announced_rungs, fill_book
from ontherun.registry.order_entry import OrderEntryPlans
from ontherun.registry.outbox import Outbox
from ontherun.registry.pairs import KeyPairs
from ontherun.registry.pairs_bulk import KeyPairsInBulk
from ontherun.registry.passkeys import Passkeys
from ontherun.registry.passwords import Passwords
from ontherun.registry.people import People
from ontherun.registry.policies import Policies
from ontherun.registry.principal import SYSTEM, Principal, Role
from ontherun.registry.records import AuditEntry
from ontherun.registry.records_people import LOCAL_POLICY, PeoplePolicy, User
from ontherun.registry.refusals import Refusals
from ontherun.registry.requests import Requests
from ontherun.registry.schema import open_engine, prepare_schema
from ontherun.registry.sealed_columns import sealed_with
from ontherun.registry.sealing import MasterKeys
from ontherun.registry.second_factors import SecondFactors
from ontherun.registry.sessions import PartyDetailsBook, Sessions
from ontherun.registry.sign_in import SignIn
from ontherun.registry.store import Store
from ontherun.registry.tables_people import ApiTokenRow
from ontherun.registry.tokens import ApiTokens
from ontherun.registry.unread import load_unread
from ontherun.registry.users import Users
from ontherun.registry.web_sessions import WebSessions

US_ACTIVES = 40
"""The market segment of the US Treasury actives (CME client wiki, BrokerTec Markets)."""


class Registry:
    """Entities, firms, sessions, key pairs, party details, API tokens and the audit of one data directory.

    Every change is one transaction together with its audit entry, and visible in `directory` right after its commit.
    All of it runs in one event loop.
    """

    def __init__(
        self,
        loaded: "_Loaded",
        engine_lock: DirectoryLock,
        data_dir: Path,
        environment: str,
        market_segments: Iterable[int],
        policy: KeyPolicy,
        random_bytes: Callable[[int], bytes],
        people_policy: PeoplePolicy,
    ) -> None:
        store, master_keys = loaded.store, loaded.master_keys
        self.data_dir = data_dir
        self.environment = environment
        self.market_segments = tuple(sorted(market_segments))
        self.clock = store.clock
        self.directory: Directory = store.directory
        self.entities = Entities(store)
        self.firms = Firms(store)
        self.pairs = KeyPairs(store, master_keys, KeyUses(store, loaded.key_uses), policy, environment, random_bytes)
        changes = self.pairs.changes
        order_entry = OrderEntryPlans(self.directory, changes, frozenset(self.market_segments))
        self.sessions = Sessions(store, order_entry)
        self.gateways = Gateways(store, self.market_segments)
        self.drop_copy = DropCopyGroups(self.directory, changes)
        self.market_data = MarketDataSessions(self.directory, changes)
        self.requests = Requests(store, order_entry, self.drop_copy, self.market_data, self.firms)
        self.policies = Policies(store)
        self.party_details = PartyDetailsBook(store, self.sessions)
        rules = self.people_policy = people_policy
        attempts, passwords = AttemptCounter(self.directory.people, rules), Passwords()
        self.users = Users(store, rules, random_bytes)
        self.web_sessions = WebSessions(store, rules, random_bytes)
        self.passkeys = Passkeys(store, random_bytes)
        self.second_factors = SecondFactors(
            store, master_keys, attempts, self.passkeys, rules, environment, random_bytes
        )
        self.sign_in = SignIn(
            store,
            self.users,
            self.web_sessions,
            attempts,
            passwords,
            self.passkeys,
            self.second_factors,
            rules,
            random_bytes,
        )
        self.tokens = ApiTokens(store, rules, random_bytes)
        self.refusals = Refusals(store)
        self.people = People(
            store, self.users, self.web_sessions, self.tokens, self.second_factors, attempts, rules, self.refusals
        )
        self.invitations = Invitations(
            store, self.users, self.people, self.sign_in, attempts, passwords, rules, random_bytes
        )
        self.identities = Identities(store, self.invitations, self.sign_in)
        self.pairs_in_bulk = KeyPairsInBulk(store, self.pairs)
        self.audit = AuditBook(store)
        self.idempotency = Idempotency(store)
        self.master_key = MasterKeyRotation(store, master_keys, loaded.key_source)
        self.notices = Notices(store, master_keys, loaded.announced, random_bytes)
        self.key_tests = KeyTests(store, self.sessions, master_keys)
        self.lab = Lab(store, store.clock)
        self.market_control = MarketControl(store)
        self._store = store
        self._lock = engine_lock

    @classmethod
    async def open(
        cls,
        data_dir: Path,
        clock: Clock,
        *,
        environment: str = "LOCAL",
        market_segments: Iterable[int] = (US_ACTIVES,),
        policy: KeyPolicy = KeyPolicy(),  # noqa: B008 - frozen
        variables: Mapping[str, str] = os.environ,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        people_policy: PeoplePolicy | None = None,
        lock: DirectoryLock | None = None,
    ) -> Self:
        """Open the registry in `data_dir`, which is made when it is not there.

        `people_policy` None: LOCAL_POLICY in the environment LOCAL, PeoplePolicy() elsewhere.
        `environment` is the name that key files carry; `variables` may hold ONTHERUN_MASTER_KEY. One process at a time:
        DataDirectoryInUseError, unless the caller holds the `lock` already. MasterKeyError and SchemaError when the
        directory cannot be used as it is.
        """
        lock = lock or DirectoryLock(data_dir)
        engine = open_engine(data_dir)
        try:
            await prepare_schema(engine)
            loaded = await _load(engine, data_dir, clock, variables, random_bytes)
        except DBAPIError as error:
            await engine.dispose()
            lock.release()
            raise SchemaError(f"{engine.url.database} is not a registry that can be used: {error.orig}") from None
        except BaseException:
            await engine.dispose()
            lock.release()
            raise
        rules = people_policy or default_people_policy(environment)
        return cls(loaded, lock, data_dir, environment, market_segments, policy, random_bytes, rules)

    async def close(self) -> None:
        """Close the database and let other processes have the directory. A second time does nothing."""
        await self.master_key.close()
        await self.pairs.uses.close()
        await self._store.close()
        self._lock.release()

    async def seed_demo(self) -> list[DemoSession]:
        """Create what is missing of the demo (see `ontherun.registry.demo`); its key files are in DIR/keys."""
        return await seed_demo(self, self.data_dir / "keys")

    async def seed_local_operator(self) -> User:
        """Return the user that the person at this machine is: operator, and Admin Manager of the first entity."""
        user = await self.users.local_operator()
        first = next(iter(self.directory.entities()), None)
        if first is not None and not self.directory.people.grants.get(user.user_id):
            await self.people.grant(SYSTEM, user.user_id, first.entity_id, Role.ADMIN_MANAGER, None)
        return user

    async def local_token_file(self) -> Path:
        """Return DIR/admin.token, which holds an admin's API token for the person at this machine."""
        return await self.tokens.local_token_file(self.data_dir / "admin.token")

    async def audit_entries(self, by: Principal, *, before: int | None = None, limit: int = 100) -> list[AuditEntry]:
        """Return up to `limit` audit entries that the principal sees, newest first, from sequence `before` - 1 down."""
        return (await self.audit.search(by, before=before, limit=limit)).entries

    async def check_writable(self) -> None:
        """UnavailableError when the database cannot be written now. Nothing is written."""
        await self._store.note(update(ApiTokenRow).where(false()).values(used_at=None))

    async def verify_audit(self) -> int:
        """Check the whole audit chain; return its number of entries. AuditDamagedError at the first bad one."""
        return (await self.audit.verify()).sequence


def default_people_policy(environment: str) -> PeoplePolicy:
    """Return the rules for people in an environment: easy on a developer's machine, strict elsewhere."""
    return LOCAL_POLICY if environment == "LOCAL" else PeoplePolicy()


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What the database held at the start."""

    store: Store
    master_keys: MasterKeys
    key_source: KeySource
    key_uses: dict[str, KeyUse]
    announced: dict[tuple[str, int], int]


async def _load(
    engine: AsyncEngine,
    data_dir: Path,
    clock: Clock,
    variables: Mapping[str, str],
    random_bytes: Callable[[int], bytes],
) -> _Loaded:
    async with engine.begin() as connection:
        source = KeySource(data_dir, variables, random_bytes)
        master_keys = await source.load(connection, set(await sealed_with(connection)), clock.now())
        directory = Directory(master_keys)
        await fill(directory, connection)
        outbox = Outbox(directory)
        await fill_book(outbox.book, connection)
        outbox.unread = await load_unread(connection)
        announced = await announced_rungs(connection)
        head = await chain_head(connection)
        key_uses = await load_key_uses(connection)
        await restore(clock, connection)
    return _Loaded(Store(engine, clock, directory, head, outbox), master_keys, source, key_uses, announced)
