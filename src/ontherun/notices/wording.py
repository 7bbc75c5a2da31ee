"""What a notice says of each action, as a literal table of sentences.

Names in braces are facts of the audit entry (see `letters`). A sentence with a fact that the entry does not have is
left out, so that a notice never says "None". {alone:.0} writes nothing: it keeps a sentence for pairs without a
successor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Wording:
    """How one action is told. `title` is for one happening, `many` for several: {count}."""

    title: str
    many: str
    happened: tuple[str, ...]
    next: tuple[str, ...] = ()
    to_do: tuple[str, ...] = ()


_NOT_YOU = "If nobody in your team did this, revoke the key pairs of {subject} now, and ask who {actor} is."
_NOT_ME = "If you did not ask for this, tell your Admin Manager at once."
_PEOPLE_CHECK = "If nobody of your Admin Managers did this, take the right away again and look at the audit."

WORDS: Mapping[str, Wording] = MappingProxyType(
    {
        "key_pair.expiring": Wording(
            "Key pair of session {session_id} expires {day}, in {in_days}",
            "{count} key pairs expire {day}, in {in_days}",
            ("Key pair {access_key_id} of session {session_id} expires {expires_at}.",),
            (
                "Until then it logs in as before. From then on, each login with it is refused.",
                "Session {session_id} has a pair that lives longer: {successors}.",
            ),
            (
                "Let your client log in with {successors} before that, and delete the old pair once it has.",
                "{alone:.0}Generate a new key pair, let your client log in with it, and delete the old one.",
            ),
        ),
        "key_pair.expired": Wording(
            "Key pair of session {session_id} has expired",
            "{count} key pairs have expired",
            ("Key pair {access_key_id} of session {session_id} expired {expires_at}.",),
            (
                "Each login with it is refused. A connection that is established stays until it ends.",
                "Session {session_id} has a pair that is valid: {successors}.",
            ),
            (
                "If your client still uses this pair, let it log in with {successors}.",
                "{alone:.0}If your client still uses this pair, generate a new one now: it is valid at once.",
            ),
        ),
        "key_pair.generated": Wording(
            "New key pair for {subject}",
            "{count} new key pairs",
            ("{actor} generated key pair {access_key_id} for {subject}.",),
            ("It is valid for the next login, and expires {expires_at}.",),
            ("Download it and give it to your client.", _NOT_YOU),
        ),
        "key_pair.downloaded": Wording(
            "Key pair of {subject} was downloaded",
            "{count} key pairs were downloaded",
            ("{actor} downloaded key pair {access_key_id} of {subject}, with its secret.",),
            (),
            (_NOT_YOU,),
        ),
        "key_pair.deleted": Wording(
            "Key pair of {subject} was deleted",
            "{count} key pairs were deleted",
            ("{actor} deleted key pair {access_key_id} of {subject}.",),
            ("The next login with it is refused. Its secret is erased and cannot be brought back.",),
            ("If a client still uses it, generate a new pair for that client now.",),
        ),
        "key_pair.deactivated": Wording(
            "Key pair of {subject} was deactivated",
            "{count} key pairs were deactivated",
            ("{actor} deactivated key pair {access_key_id} of {subject}.",),
            ("The next login with it is refused, until it is activated again.",),
            ("If no client misses it, delete it.",),
        ),
        "key_pair.activated": Wording(
            "Key pair of {subject} was activated again",
            "{count} key pairs were activated again",
            ("{actor} activated key pair {access_key_id} of {subject} again.",),
            ("It is valid for the next login.",),
            (_NOT_YOU,),
        ),
        "key_pair.sunset_set": Wording(
            "Key pair of {subject} now expires {day}",
            "{count} key pairs have a new expiry",
            ("Key pair {access_key_id} of {subject} now expires {expires_at}, for it has a successor.",),
            ("Until then both pairs log in.",),
            ("Let your client log in with the new pair before that.",),
        ),
        "key_pair.cut_over_scheduled": Wording(
            "Cut-over of {subject} to a new key pair is scheduled",
            "{count} cut-overs are scheduled",
            ("{actor} scheduled the cut-over of {subject} to key pair {access_key_id}.",),
            ("It takes over {at}. Then these pairs end: {ends}.",),
            ("Let your client log in with the new pair before that.",),
        ),
        "key_pair.revoked": Wording(
            "EMERGENCY: key pair of {subject} was revoked",
            "EMERGENCY: {count} key pairs were revoked",
            ("{actor} revoked key pair {access_key_id} of {subject}.", "Reason: {reason}."),
            ("The next login with it is refused.",),
            ("Generate new key pairs for the clients that need one.",),
        ),
        "session.created": Wording(
            "New session: {subject}", "{count} new sessions", ("{actor} created {subject}.",), (), ()
        ),
        "session.changed": Wording(
            "{Subject} was changed", "{count} sessions were changed", ("{actor} changed {subject}.",), (), ()
        ),
        "session.deleted": Wording(
            "{Subject} was deleted",
            "{count} sessions were deleted",
            ("{actor} deleted {subject}.",),
            ("No login to it is accepted any more.",),
            (),
        ),
        "session.port_opened": Wording(
            "The ports of {subject} are open again",
            "The ports of {count} sessions are open again",
            ("{actor} opened the ports of {subject}, which bad logins had closed.",),
            (),
            ("See in the login trace why the logins were bad, before your client tries again.",),
        ),
        "request.submitted": Wording(
            "{Subject} was submitted",
            "{count} requests were submitted",
            ("{actor} submitted {subject}.", "{summary}."),
            ("It takes effect {effective_at}.",),
            (),
        ),
        "session_allowance.changed": Wording(
            "The allowance of sessions was changed",
            "The allowance of sessions was changed",
            ("{actor} changed how many sessions the entity may have.",),
        ),
        "firm.created": Wording(
            "New {subject}", "{count} new Globex firms", ("{actor} registered {subject}, {name}.",)
        ),
        "firm.renamed": Wording(
            "{Subject} was renamed",
            "{count} Globex firms were renamed",
            ("{actor} renamed {subject}: {before} is now {name}.",),
        ),
        "firm.withdrawn": Wording(
            "{Subject} was withdrawn",
            "{count} Globex firms were withdrawn",
            ("{actor} withdrew {subject}, {name}. Its Globex Firm ID is never given again.",),
        ),
        "firm.route_through_authorised": Wording(
            "{Subject} may route through {primary}",
            "{count} Globex firms may route through firms of other entities",
            ("{actor} authorised sessions of {primary} to carry {subject}.",),
        ),
        "firm.route_through_withdrawn": Wording(
            "{Subject} may route through {primary} no more",
            "{count} authorisations to route through were taken back",
            ("{actor} took back that sessions of {primary} may carry {subject}. It is taken off each of them.",),
        ),
        "drop_copy_group.created": Wording(
            "New {subject}", "{count} new Drop Copy groups", ("{actor} created {subject}, {name}.",)
        ),
        "drop_copy_group.changed": Wording(
            "{Subject} was changed", "{count} Drop Copy groups were changed", ("{actor} changed {subject}, {name}.",)
        ),
        "drop_copy_group.deleted": Wording(
            "{Subject} was deleted", "{count} Drop Copy groups were deleted", ("{actor} deleted {subject}, {name}.",)
        ),
        "request.amended": Wording(
            "{Subject} was amended", "{count} requests were amended", ("{actor} amended {subject}.", "{summary}.")
        ),
        "request.approved": Wording(
            "{Subject} was approved",
            "{count} requests were approved",
            (
                "{actor} approved {subject}.",
                "{summary}.",
            ),
            (),
            (),
        ),
        "request.rejected": Wording(
            "{Subject} was rejected",
            "{count} requests were rejected",
            ("{actor} rejected {subject}.", "{summary}.", "Reason: {reason}."),
            (),
            ("Correct what was wrong and submit it again.",),
        ),
        "request.cancelled": Wording(
            "{Subject} was cancelled",
            "{count} requests were cancelled",
            (
                "{actor} cancelled {subject}.",
                "{summary}.",
            ),
            (),
            (),
        ),
        "request.completed": Wording(
            "{Subject} is completed",
            "{count} requests are completed",
            ("{Subject} is completed.", "{summary}."),
            ("The sessions that it concerns: {session_ids}.",),
            (),
        ),
        "request.failed": Wording(
            "{Subject} has failed",
            "{count} requests have failed",
            ("{Subject} has failed.", "{summary}.", "Reason: {reason}."),
            ("Nothing was changed.",),
            ("Correct what was wrong and submit it again.",),
        ),
        "role.granted": Wording(
            "{email} was granted the role {role}",
            "{count} roles were granted",
            ("{actor} granted the role {role} to {email}.",),
            (),
            (_PEOPLE_CHECK,),
        ),
        "role.revoked": Wording(
            "{email} no longer has the role {role}",
            "{count} roles were taken away",
            ("{actor} took the role {role} from {email}.",),
            (),
            (),
        ),
        "user.left": Wording(
            "{email} has left",
            "{count} users have left",
            ("{actor} took every right and session from {email}.",),
            (),
            ("Rotate the key pairs that they have downloaded.",),
        ),
        "user.invited": Wording(
            "{email} was invited",
            "{count} people were invited",
            ("{actor} invited {email}, with the roles {roles}.",),
            ("The invitation is good until {expires_at}.",),
            (),
        ),
        "user.invitation_accepted": Wording(
            "{email} has joined", "{count} people have joined", ("{email} accepted the invitation.",), (), ()
        ),
        "user.administrator_marked": Wording(
            "{email} is a registered administrator now",
            "{count} people are registered administrators now",
            ("{actor} made {email} a registered administrator, who gets every notice of expiry.",),
            (),
            (),
        ),
        "user.administrator_unmarked": Wording(
            "{email} is no registered administrator any more",
            "{count} people are no registered administrators any more",
            ("{actor} took {email} from the registered administrators.",),
            (),
            (),
        ),
        "user.password_changed": Wording(
            "Your password was changed",
            "Your password was changed",
            ("The password of your account was changed.",),
            (),
            (_NOT_ME,),
        ),
        "user.reset": Wording(
            "Your way in was reset",
            "Your way in was reset",
            ("{actor} reset the password and the second factors of your account.",),
            ("You sign in with the link that {actor} gives you, and choose new ones.",),
            (_NOT_ME,),
        ),
        "user.unlocked": Wording(
            "Your account is open again",
            "Your account is open again",
            ("{actor} opened your account, which failed sign-ins had locked.",),
            (),
            (),
        ),
        "api_token.created": Wording(
            "New API token: {name}",
            "{count} new API tokens",
            ("{actor} created {subject}, {name}.",),
            (),
            ("If nobody in your team did this, revoke it now.",),
        ),
        "api_token.revoked": Wording(
            "API token {name} was revoked",
            "{count} API tokens were revoked",
            ("{actor} revoked {subject}, {name}.",),
            ("Requests with it are refused from now on.",),
            (),
        ),
        "sign_in.locked": Wording(
            "Your account is locked",
            "Your account is locked",
            ("Too many sign-ins to your account failed.",),
            ("It opens again by itself {until}.",),
            ("If this was not you, tell your Admin Manager and change your password.",),
        ),
        "second_factor.enrolled": Wording(
            "A second factor was added to your account",
            "Second factors were added to your account",
            ("A second factor was added to your account: {kind}.",),
            (),
            (_NOT_ME,),
        ),
        "second_factor.removed": Wording(
            "A second factor was removed from your account",
            "Second factors were removed from your account",
            ("A second factor was removed from your account: {kind}.",),
            (),
            (_NOT_ME,),
        ),
        "second_factor.recovery_codes_made": Wording(
            "New recovery codes were made for your account",
            "New recovery codes were made for your account",
            ("New recovery codes were made for your account; the earlier ones are of no use any more.",),
            (),
            (_NOT_ME,),
        ),
        "notice.tested": Wording(
            "Test of your notices",
            "Test of your notices",
            ("{actor} asked for this test. Notices reach you here.",),
            ("Nothing was changed.",),
            (),
        ),
        "clock.moved": Wording(
            "The clock was moved", "The clock was moved", ("{actor} moved the venue's clock to {to}.",), (), ()
        ),
        "week.started": Wording(
            "A new trading week was begun",
            "A new trading week was begun",
            ("{actor} began a new trading week before its time.",),
            ("Every session was logged out; numbers begin at 1 under a new UUID.",),
        ),
        "messaging_controls.changed": Wording(
            "The messaging controls were changed",
            "The messaging controls were changed",
            ("{actor} changed how many messages a second a session may send.",),
        ),
        "market.command": Wording(
            "{subject} was told to {do}",
            "Markets were told what to do",
            ("{actor} told {subject} to {do}.",),
            ("Sessions with orders or trades there get the reports of it.",),
        ),
        "gateway.promoted": Wording(
            "The backup gateway of {subject} is the primary",
            "Backup gateways are the primaries",
            ("{actor} had the backup gateway of {subject} take over from the primary.",),
            ("Sessions that waited on the backup trade on there; every other connection of the segment has ended.",),
        ),
        "policy.changed": Wording(
            "A policy was changed", "{count} policies were changed", ("{actor} changed a policy of the venue.",)
        ),
        "master_key.rotation_started": Wording(
            "The master key is being rotated",
            "The master key is being rotated",
            ("{actor} started a rotation of the master key.",),
            ("Every stored secret is sealed anew. Logins go on meanwhile.",),
        ),
        "master_key.rotated": Wording(
            "The master key was rotated",
            "The master key was rotated",
            ("Every stored secret is sealed with the new master key.",),
            (),
            ("Keep a copy of the new master key.",),
        ),
    }
)
"""Audit action -> its wording. A test proves that every action of NOTICE_RULES has one."""
