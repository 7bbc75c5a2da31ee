"""Key pairs as the API shows them."""

import io
import json
import zipfile
from collections.abc import Sequence

from ontherun.keys import FILE_FORMATS, Health, KeyFile, KeyUse, living, utc_text
from ontherun.portal import models_keys as models
from ontherun.registry import AnySession, Outcome, Registry, StoredKeyPair

MEDIA_TYPES = {"text": "text/plain", "json": "application/json", "env": "text/plain", "csv": "text/csv"}
SUFFIXES = {"text": "txt", "json": "json", "env": "env", "csv": "csv"}


def _text(time: int | None) -> str | None:
    return None if time is None else utc_text(time)


def key_pair(registry: Registry, stored: StoredKeyPair) -> models.KeyPairView:
    """Show a key pair as it is now."""
    pair, now = stored.pair, registry.clock.now()
    change = pair.next_change(now)
    return models.KeyPairView(
        session_id=pair.session_id,
        access_key_id=pair.access_key_id,
        label=stored.label,
        state=stored.state(now).value,
        created_at=utc_text(pair.created_at),
        valid_from=_text(pair.valid_from),
        expires_at=utc_text(pair.expires_at),
        ends_by=pair.ends_by.value,
        deactivated_at=_text(pair.deactivated_at),
        deleted_at=_text(pair.deleted_at),
        next_change=change and models.NextChangeView(at=utc_text(change.at), state=change.state.value),
        use=key_use(registry.pairs.use_of(pair.access_key_id)),
    )


def key_use(use: KeyUse) -> models.KeyUseView:
    """Show how a key pair was used."""
    return models.KeyUseView(
        successes=use.successes,
        failures=use.failures,
        first_used_at=_text(use.first_used_at),
        last_used_at=_text(use.last_used_at),
        last_source=use.last_source,
        last_gateway=use.last_gateway,
        last_failed_at=_text(use.last_failed_at),
        last_failed_source=use.last_failed_source,
    )


def outcome(record: Outcome) -> models.OutcomeView:
    """Show what became of one of many."""
    return models.OutcomeView(session_id=record.session_id, access_key_id=record.access_key_id, problem=record.problem)


def expiry(registry: Registry, stored: StoredKeyPair, label: str) -> models.ExpiryView:
    """Show when a pair expires, and whether another one lives on."""
    pair, now = stored.pair, registry.clock.now()
    others = (other.pair for other in registry.directory.pairs_of(pair.session_id))
    return models.ExpiryView(
        at=utc_text(pair.expires_at),
        session_id=pair.session_id,
        access_key_id=pair.access_key_id,
        label=label,
        state=stored.state(now).value,
        ends_by=pair.ends_by.value,
        has_successor=any(other.expires_at > pair.expires_at for other in living(others, now)),
    )


def health(session: AnySession, found: Health) -> models.HealthView:
    """Show how well the pairs of a session are looked after."""
    return models.HealthView(
        session_id=session.session_id,
        entity_id=session.entity_id,
        label=session.label,
        score=found.score,
        concerns=[
            models.ConcernView(
                finding=concern.finding.value, access_key_id=concern.access_key_id, advice=concern.advice
            )
            for concern in found.concerns
        ],
    )


def file_name(key_file: KeyFile, file_format: str) -> str:
    """Name a key file: A00-AccessKeyID.json. Both parts are safe in a header and in a file system."""
    return f"{key_file.pair.session_id}-{key_file.pair.access_key_id}.{SUFFIXES[file_format]}"


def together(key_files: Sequence[KeyFile]) -> str:
    """Write key files as one JSON array."""
    return json.dumps([key_file.fields() for key_file in key_files], indent=2) + "\n"


def zipped(key_files: Sequence[KeyFile], file_format: str) -> bytes:
    """Pack key files into one zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for key_file in key_files:
            entry = zipfile.ZipInfo(file_name(key_file, file_format))
            entry.external_attr = 0o100600 << 16  # for its owner's eyes only
            archive.writestr(entry, FILE_FORMATS[file_format](key_file))
    return packed.getvalue()
