"""Drop Copy groups: what requests about them come to (CME Customer Center help, Drop Copy Groups).

A group has exactly one target session, which the venue assigns with it and deletes with it: a market segment group has
one at the exchange, and a target's Session ID cannot be deleted by itself there either.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import insert, update

from ontherun.calendar import RequestKind as Run
from ontherun.registry.checks import checked_distinct, checked_name, checked_sources
from ontherun.registry.directory import Directory
from ontherun.registry.errors import ConflictError, InvalidError, NotFoundError
from ontherun.registry.pairs_changes import PairChanges
from ontherun.registry.plans import Origin, Plan, change_effects, changed_fields, counted, words
from ontherun.registry.principal import Principal, Right
from ontherun.registry.records import LABEL_PATTERN, DropCopySession
from ontherun.registry.records_requests import DropCopyGroup
from ontherun.registry.session_changes import change_session, create_sessions, delete_session, free_session_ids
from ontherun.registry.store import Change
from ontherun.registry.tables_requests import DropCopyGroupRow
from ontherun.registry.terms import ChangeDropCopyGroup, CopiedMessages, CreateDropCopyGroup, DeleteDropCopyGroup


class DropCopyGroups:
    """Find Drop Copy groups, and plan what is asked of them."""

    def __init__(self, directory: Directory, pair_changes: PairChanges) -> None:
        self._directory = directory
        self._pair_changes = pair_changes
        self._desk = directory.desk

    def list(self, by: Principal) -> list[DropCopyGroup]:
        """Return the groups that the principal sees, in the order of their creation."""
        return [group for group in self._desk.groups() if group.deleted_at is None and by.sees(group.entity_id)]

    def get(self, by: Principal, group_id: int) -> DropCopyGroup:
        """Return a group. NotFoundError when there is none for this principal."""
        group = self._desk.group(group_id)
        if group is None or group.deleted_at is not None or not by.sees(group.entity_id):
            raise NotFoundError(f"Drop Copy group {group_id}")
        return group

    def target(self, group: DropCopyGroup) -> DropCopySession:
        """Return the session that a group's copies go to."""
        session = self._directory.session(group.target)
        assert isinstance(session, DropCopySession)  # made together
        return session

    def create(self, by: Principal, terms: CreateDropCopyGroup) -> Plan:
        """Plan a new group. NotFoundError for a firm or a source that is not there, ConflictError for a taken name."""
        firm = self._directory.firm(terms.firm)
        if firm is None or not by.sees(firm.entity_id):
            raise NotFoundError(f"Globex firm {terms.firm}")
        by.require(Right.MANAGE_SESSIONS, firm.entity_id)
        terms = replace(
            terms,
            name=self._checked_name(firm.entity_id, terms.name),
            sources=self._checked_sources(firm.entity_id, terms.sources),
            messages=_checked_messages(terms.messages),
            front_end_system=checked_name("front_end_system", terms.front_end_system, LABEL_PATTERN),
            allowed_sources=checked_sources(terms.allowed_sources),
        )
        return Plan(
            terms,
            firm.entity_id,
            Run.DROP_COPY_GROUP,
            f"Create Drop Copy group {terms.name} in BrokerTec {terms.market} with "
            f"{counted(len(terms.sources), 'source session')}",
            (
                "A target session will be assigned. It can log in once it has a key pair.",
                f"It will receive {', '.join(words_of(terms.messages))}.",
            ),
            lambda change, origin: self._create(change, firm.entity_id, terms, origin),
        )

    def change(self, by: Principal, terms: ChangeDropCopyGroup) -> Plan:
        """Plan another setting. ConflictError when nothing would change, or the name is taken."""
        was = self.found(by, terms.group_id)
        target = self.target(was)
        group = replace(
            was,
            name=was.name if terms.name in (None, was.name) else self._checked_name(was.entity_id, terms.name),
            sources=was.sources
            if terms.sources is None
            else self._checked_sources(was.entity_id, terms.sources, was.sources),
            messages=was.messages if terms.messages is None else _checked_messages(terms.messages),
        )
        session = replace(
            target,
            front_end_system=target.front_end_system
            if terms.front_end_system is None
            else checked_name("front_end_system", terms.front_end_system, LABEL_PATTERN),
            allowed_sources=target.allowed_sources
            if terms.allowed_sources is None
            else checked_sources(terms.allowed_sources),
            label=group.name,
        )
        of_group = [] if group == was else changed_fields(was, group, f"group {was.name}")
        of_session = [] if session == target else changed_fields(target, session, f"session {target.session_id}")
        of_session = [name for name in of_session if name != "label"]
        if not of_group and not of_session:
            changed_fields(was, group, f"group {was.name}")
        return Plan(
            terms,
            was.entity_id,
            Run.DROP_COPY_GROUP,
            f"Change {', '.join(words(name) for name in of_group + of_session)} of Drop Copy group {was.name}",
            change_effects(was, group, of_group) + change_effects(target, session, of_session),
            lambda change, origin: self._replace(change, (was, group), (target, session), origin),
        )

    def delete(self, by: Principal, terms: DeleteDropCopyGroup) -> Plan:
        """Plan the end of a group."""
        group = self.found(by, terms.group_id)
        return Plan(
            terms,
            group.entity_id,
            Run.DROP_COPY_GROUP,
            f"Delete Drop Copy group {group.name}",
            (
                f"Its target session {group.target} is deleted with all of its key pairs.",
                "Its source sessions stay as they are.",
            ),
            lambda change, origin: self._delete(change, group, origin),
        )

    def found(self, by: Principal, group_id: int) -> DropCopyGroup:
        """Return a group that the principal may manage. NotFoundError, ForbiddenError."""
        group = self.get(by, group_id)
        by.require(Right.MANAGE_SESSIONS, group.entity_id)
        return group

    def _checked_name(self, entity_id: int, name: str | None) -> str:
        name = checked_name("name", name or "")
        for group in self._desk.groups():
            if group.entity_id == entity_id and group.deleted_at is None and group.name == name:
                raise ConflictError(f"The entity has a Drop Copy group {name} already. Choose another name.")
        return name

    def _checked_sources(self, entity_id: int, sources: Sequence[str], held: Iterable[str] = ()) -> tuple[str, ...]:
        most = self._desk.policies.drop_copy_sources
        if len(sources) > most:
            raise InvalidError("sources", f"has {len(sources)} sessions.", f"at most {most}")
        kept = set(held)
        for source in checked_distinct("sources", sources):
            session = self._directory.order_entry_session(source)
            if source not in kept and (session is None or session.entity_id != entity_id):
                raise NotFoundError(f"Order Entry session {source} of this entity")
        return tuple(sources)

    def _create(self, change: Change, entity_id: int, terms: CreateDropCopyGroup, origin: Origin) -> tuple[str, ...]:
        (session_id,) = free_session_ids(self._directory, 1)
        group = DropCopyGroup(
            group_id=len(self._desk.groups()) + 1,
            entity_id=entity_id,
            name=terms.name,
            market=terms.market,
            target=session_id,
            sources=terms.sources,
            messages=terms.messages,
            created_at=change.now,
        )
        target = DropCopySession(
            session_id=session_id,
            entity_id=entity_id,
            firms=(terms.firm,),
            created_at=change.now,
            label=terms.name,
            front_end_system=terms.front_end_system,
            live_date=terms.live_date,
            allowed_sources=terms.allowed_sources,
            market=terms.market,
        )
        create_sessions(change, self._directory, [target], origin)
        change.write(insert(DropCopyGroupRow).values(group_id=group.group_id, **_columns(group)))
        self._record(change, "created", group, origin, market=group.market.value, target=group.target)
        change.then(lambda: self._desk.put_group(group))
        return (session_id,)

    def _replace(
        self,
        change: Change,
        groups: tuple[DropCopyGroup, DropCopyGroup],
        targets: tuple[DropCopySession, DropCopySession],
        origin: Origin,
    ) -> tuple[str, ...]:
        was, group = groups
        if group != was:
            rewrite_group(change, self._directory, group, origin)
        if targets[0] != targets[1]:
            change_session(change, self._directory, *targets, origin)
        return (group.target,)

    def _delete(self, change: Change, group: DropCopyGroup, origin: Origin) -> tuple[str, ...]:
        gone = replace(group, deleted_at=change.now)
        change.write(
            update(DropCopyGroupRow).where(DropCopyGroupRow.group_id == group.group_id).values(deleted_at=change.now)
        )
        self._record(change, "deleted", group, origin, target=group.target)
        change.then(lambda: self._desk.put_group(gone))
        delete_session(change, self._directory, self._pair_changes, self.target(group), origin)
        return (group.target,)

    @staticmethod
    def _record(change: Change, verb: str, group: DropCopyGroup, origin: Origin, **details: object) -> None:
        change.record(
            f"drop_copy_group.{verb}",
            group.entity_id,
            f"Drop Copy group {group.group_id}",
            **{"name": group.name, **details, **origin},
        )


def groups_copying(directory: Directory, session_id: str) -> list[DropCopyGroup]:
    """Return the groups that have a session among their sources."""
    return [group for group in directory.desk.groups() if group.deleted_at is None and session_id in group.sources]


def leave_group(change: Change, directory: Directory, group: DropCopyGroup, session_id: str, origin: Origin) -> None:
    """Have a session that is deleted leave the sources of a group, which may be without any from then on."""
    sources = tuple(source for source in group.sources if source != session_id)
    rewrite_group(change, directory, replace(group, sources=sources), origin)


def rewrite_group(change: Change, directory: Directory, group: DropCopyGroup, origin: Origin) -> None:
    """Have a group replaced."""
    change.write(update(DropCopyGroupRow).where(DropCopyGroupRow.group_id == group.group_id).values(_columns(group)))
    change.record(
        "drop_copy_group.changed",
        group.entity_id,
        f"Drop Copy group {group.group_id}",
        **{
            "name": group.name,
            "sources": len(group.sources),
            "messages": [message.value for message in group.messages],
            **origin,
        },
    )
    change.then(lambda: directory.desk.put_group(group))


def words_of(messages: Iterable[CopiedMessages]) -> list[str]:
    """Return what a group passes on, for people."""
    return [message.value.replace("-", " ") for message in messages]


def _checked_messages(messages: Sequence[CopiedMessages]) -> tuple[CopiedMessages, ...]:
    return tuple(sorted(checked_distinct("messages", messages)))


def _columns(group: DropCopyGroup) -> dict[str, object]:
    return {
        "entity_id": group.entity_id,
        "name": group.name,
        "market": group.market.value,
        "target": group.target,
        "sources": list(group.sources),
        "messages": [message.value for message in group.messages],
        "created_at": group.created_at,
    }
