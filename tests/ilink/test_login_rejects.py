"""Each code of NegotiationReject and EstablishmentReject that a login can cause, and what its trace says."""

import pytest

from ontherun.ilink import GatewayState, LoginTrace, Role, SessionPolicy, Verdict
from ontherun.ilink.codes import EstablishmentRejectCode, NegotiationRejectCode
from ontherun.ilink.messages import (
    UINT16_NULL,
    UINT32_NULL,
    UINT64_NULL,
    EstablishmentAck,
    EstablishmentReject,
    NegotiationReject,
    NegotiationResponse,
)

from .conftest import OTHER_SECRET, SECOND, START, UUID, Venue, Wire

LOGIN = pytest.mark.parametrize("login", ["Negotiate", "Establish"])


def attempt(login: str, wire: Wire, **values: object) -> NegotiationReject | EstablishmentReject:
    """Send one bad login message where a good one would be accepted; the reject it gets."""
    if login == "Negotiate":
        before = GatewayState.UNNEGOTIATED
        sent = wire.negotiate(**values)
    else:
        wire.negotiate()
        wire.venue.now += 1_000
        before = GatewayState.NEGOTIATED
        sent = wire.establish(**values)
    assert len(sent) == 1
    reject = sent[0]
    assert isinstance(reject, NegotiationReject if login == "Negotiate" else EstablishmentReject)
    assert wire.session.state is before, "the connection stays where it was"
    assert not wire.closed
    return reject


def trace_of(wire: Wire, login: str, code: NegotiationRejectCode | EstablishmentRejectCode) -> LoginTrace:
    trace = wire.traces[-1]
    assert (trace.message, trace.verdict, trace.code, trace.code_name) == (login, Verdict.REJECTED, code, code.name)
    assert trace.reason
    return trace


@LOGIN
def test_code_0_for_a_wrong_signature(wire: Wire, login: str) -> None:
    reject = attempt(login, wire, signed_with=OTHER_SECRET)
    assert reject.error_codes == NegotiationRejectCode.HMAC_NOT_AUTHENTICATED
    assert reject.reason == b"HMAC not authenticated"
    assert trace_of(wire, login, NegotiationRejectCode(0)).key_state == "valid"


@LOGIN
@pytest.mark.parametrize(
    ("key_id", "state"),
    [(b"EXAMPLEKEYID00000009", "unknown"), (b"XYZXYZXYZXYZXYZXYZXY", "belongs to another session")],
)
def test_code_0_for_a_key_that_is_not_the_sessions(wire: Wire, login: str, key_id: bytes, state: str) -> None:
    refused = attempt(login, wire, access_key_id=key_id)
    assert trace_of(wire, login, NegotiationRejectCode(0)).key_state == state
    wrong = attempt(login, Venue().connect(), signed_with=OTHER_SECRET)
    assert refused.error_codes == wrong.error_codes
    assert refused.reason == wrong.reason, "the wire does not tell an unknown key from a wrong signature"


def test_a_signature_by_the_stand_in_for_unknown_keys_is_refused(wire: Wire) -> None:
    reject = attempt("Negotiate", wire, access_key_id=b"EXAMPLEKEYID00000009", signed_with=bytes(32))
    assert reject.error_codes == NegotiationRejectCode.HMAC_NOT_AUTHENTICATED


@LOGIN
def test_code_1_when_the_authority_is_unavailable(wire: Wire, login: str) -> None:
    if login == "Establish":
        wire.negotiate()
        wire.venue.now += 1_000
    wire.venue.keys.available = False
    sent = wire.negotiate() if login == "Negotiate" else wire.establish()
    assert [message.error_codes for message in sent] == [NegotiationRejectCode.HMAC_NOT_AVAILABLE]
    assert wire.venue.stream().failures == (), "not counted as a bad login"


@LOGIN
def test_code_1_when_the_authority_is_silent_for_5_seconds(wire: Wire, login: str) -> None:
    if login == "Establish":
        wire.negotiate()
        wire.venue.now += 1_000
    wire.venue.keys.pending = True
    assert (wire.negotiate() if login == "Negotiate" else wire.establish()) == []
    assert wire.wait(5 * SECOND - 1) == []
    (reject,) = wire.wait(1)
    assert reject.error_codes == NegotiationRejectCode.HMAC_NOT_AVAILABLE


def test_an_answer_of_the_authority_that_comes_later_is_used(wire: Wire) -> None:
    wire.venue.keys.pending = True
    wire.negotiate()
    assert wire.session.state is GatewayState.NEGOTIATING
    wire.venue.now += SECOND
    sent = wire.carry_out(wire.session.resolve(wire.venue.keys.answer("EXAMPLEKEYID00000001", "ABC"), wire.venue.now))
    assert isinstance(sent[0], NegotiationResponse)
    assert wire.session.resolve(None, wire.venue.now) == [], "a second answer changes nothing"


def test_a_login_that_waited_for_its_key_is_judged_again(venue: Venue) -> None:
    waiting, quick = venue.connect(), venue.connect()
    venue.keys.pending = True
    waiting.negotiate()
    venue.keys.pending = False
    venue.now += 1_000
    quick.negotiate(uuid=UUID + 1)
    sent = waiting.carry_out(waiting.session.resolve(venue.keys.answer("EXAMPLEKEYID00000001", "ABC"), venue.now))
    assert waiting.traces[-1].code_name == "INVALID_UUID"
    assert sent[0].error_codes == 13


@LOGIN
@pytest.mark.parametrize(
    ("age", "accepted"),
    [(5 * SECOND, True), (5 * SECOND + 1, False), (-5 * SECOND, True), (-5 * SECOND - 1, False)],
)
def test_code_3_for_a_timestamp_more_than_5_seconds_off(wire: Wire, login: str, age: int, accepted: bool) -> None:
    if login == "Establish":
        wire.negotiate()
        wire.venue.now += 20 * SECOND
        sent = wire.establish(request_timestamp=wire.venue.now - age)
    else:
        sent = wire.negotiate(request_timestamp=START - age)
    assert isinstance(sent[0], NegotiationResponse | EstablishmentAck) == accepted
    if not accepted:
        assert sent[0].error_codes == NegotiationRejectCode.INVALID_TIMESTAMP
        assert wire.traces[-1].clock_skew == age


@LOGIN
def test_code_3_for_a_timestamp_beyond_the_valid_range(wire: Wire, login: str) -> None:
    assert attempt(login, wire, request_timestamp=2**63).error_codes == NegotiationRejectCode.INVALID_TIMESTAMP


def test_code_3_for_a_timestamp_that_is_not_greater_than_the_last_one_used(wire: Wire) -> None:
    wire.negotiate()
    for timestamp in (START, START - 1):
        (reject,) = wire.establish(request_timestamp=timestamp)
        assert reject.error_codes == EstablishmentRejectCode.INVALID_TIMESTAMP
    (accepted,) = wire.establish(request_timestamp=START + 1)
    assert isinstance(accepted, EstablishmentAck)


def test_a_refused_login_does_not_use_up_its_timestamp(wire: Wire) -> None:
    wire.negotiate(request_timestamp=START + SECOND, signed_with=OTHER_SECRET)
    assert isinstance(wire.negotiate(request_timestamp=START)[0], NegotiationResponse)


@LOGIN
@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("request_timestamp", UINT64_NULL, NegotiationRejectCode.REQUIRED_REQUEST_TIMESTAMP_MISSING),
        ("hmac_signature", bytes(32), NegotiationRejectCode.REQUIRED_HMAC_SIGNATURE_MISSING),
        ("access_key_id", b"", NegotiationRejectCode.REQUIRED_ACCESS_KEY_ID_MISSING),
        ("session", b"", NegotiationRejectCode.REQUIRED_SESSION_MISSING),
        ("firm", b"", NegotiationRejectCode.REQUIRED_FIRM_MISSING),
    ],
)
def test_codes_4_to_9_for_a_missing_field(
    wire: Wire, login: str, field: str, value: object, code: NegotiationRejectCode
) -> None:
    assert attempt(login, wire, **{field: value}).error_codes == code
    trace_of(wire, login, code)


@LOGIN
@pytest.mark.parametrize("who", [{"firm": b"NOONE"}, {"session": b"QQQ"}, {"session": b"XYZ", "firm": b"DEFGH"}])
def test_code_10_for_a_session_and_firm_that_may_not_log_in_here(wire: Wire, login: str, who: dict[str, bytes]) -> None:
    assert attempt(login, wire, **who).error_codes == NegotiationRejectCode.SESSION_BLOCKED


def test_code_10_for_the_port_of_another_segment() -> None:
    venue = Venue()
    wire = venue.connect()
    wire.session.segment = 41
    assert attempt("Negotiate", wire).error_codes == NegotiationRejectCode.SESSION_BLOCKED


def test_code_10_for_an_establish_of_another_session_than_was_negotiated(venue: Venue) -> None:
    other = venue.connect()
    other.negotiate(session=b"XYZ", access_key_id=b"XYZXYZXYZXYZXYZXYZXY")
    wire = venue.connect()
    reject = attempt("Establish", wire, session=b"XYZ", access_key_id=b"XYZXYZXYZXYZXYZXYZXY")
    assert reject.error_codes == EstablishmentRejectCode.SESSION_BLOCKED


@pytest.mark.parametrize(("interval", "accepted"), [(4_999, False), (5_000, True), (60_000, True), (60_001, False)])
def test_code_11_for_a_keep_alive_interval_outside_5_to_60_seconds(wire: Wire, interval: int, accepted: bool) -> None:
    wire.negotiate()
    wire.venue.now += 1_000
    (answer,) = wire.establish(keep_alive_interval=interval)
    assert isinstance(answer, EstablishmentAck) == accepted
    assert accepted or answer.error_codes == EstablishmentRejectCode.INVALID_KEEP_ALIVE_INTERVAL


@LOGIN
@pytest.mark.parametrize("bad", [b"A\x1f", b"A\x7f", b"A\xe9", b"A\0B", b"A\n"])
@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("access_key_id", NegotiationRejectCode.INVALID_ACCESS_KEY_ID),
        ("session", NegotiationRejectCode.INVALID_SESSION),
        ("firm", NegotiationRejectCode.INVALID_FIRM),
    ],
)
def test_codes_12_to_14_for_a_character_that_is_not_printable(
    wire: Wire, login: str, field: str, code: NegotiationRejectCode, bad: bytes
) -> None:
    assert attempt(login, wire, **{field: bad}).error_codes == code


def test_code_15_for_more_login_messages_than_volume_controls_allow() -> None:
    venue = Venue(SessionPolicy(logins_per_window=4))
    for uuid in (UUID, UUID + 1):
        venue.connect().log_in(uuid).session.lost(venue.now)
    wire = venue.connect()
    venue.now += 1_000
    (reject,) = wire.negotiate(uuid=UUID + 2)
    assert reject.error_codes == NegotiationRejectCode.VOLUME_CONTROLS
    (reject,) = wire.establish(uuid=UUID + 1)
    assert reject.error_codes == EstablishmentRejectCode.VOLUME_CONTROLS
    assert venue.stream().failures == (), "not counted as a bad login"
    venue.now += 3 * SECOND
    assert isinstance(wire.negotiate(uuid=UUID + 2)[0], NegotiationResponse), "the window of 3 s is over"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("trading_system_name", b"", EstablishmentRejectCode.REQUIRED_TRADING_SYSTEM_NAME_MISSING),
        ("trading_system_version", b"", EstablishmentRejectCode.REQUIRED_TRADING_SYSTEM_VERSION_MISSING),
        ("trading_system_vendor", b"", EstablishmentRejectCode.REQUIRED_TRADING_SYSTEM_VENDOR_MISSING),
        ("keep_alive_interval", UINT16_NULL, EstablishmentRejectCode.REQUIRED_KEEP_ALIVE_INTERVAL_MISSING),
        ("trading_system_name", b"A\t", EstablishmentRejectCode.INVALID_TRADING_SYSTEM_NAME),
        ("trading_system_version", b"A\t", EstablishmentRejectCode.INVALID_TRADING_SYSTEM_VERSION),
        ("trading_system_vendor", b"A\t", EstablishmentRejectCode.INVALID_TRADING_SYSTEM_VENDOR),
    ],
)
def test_codes_18_to_25_for_the_trading_system_and_interval(
    wire: Wire, field: str, value: object, code: EstablishmentRejectCode
) -> None:
    assert attempt("Establish", wire, **{field: value}).error_codes == code
    trace_of(wire, "Establish", code)


def test_code_22_for_a_null_next_seq_no_where_the_policy_says_so() -> None:
    wire = Venue(SessionPolicy(missing_next_seq_no_is_rejected=True)).connect()
    reject = attempt("Establish", wire, next_seq_no=UINT32_NULL)
    assert reject.error_codes == EstablishmentRejectCode.REQUIRED_NEXT_SEQ_NO_MISSING


@LOGIN
def test_code_27_for_a_backup_before_the_primary(venue: Venue, login: str) -> None:
    venue.connect().log_in().session.lost(venue.now)
    backup = venue.connect(Role.BACKUP)
    venue.now += 1_000
    (reject,) = backup.negotiate(uuid=UUID + 1) if login == "Negotiate" else backup.establish(next_seq_no=0)
    assert reject.error_codes == NegotiationRejectCode.DESIGNATED_BACKUP
    assert reject.fault_tolerance_indicator == Role.BACKUP
    assert venue.stream().failures == (), "not counted as a bad login"


@pytest.mark.parametrize("uuid", [UUID, UUID + 1])
def test_code_28_for_negotiate_on_the_backup_while_established_on_the_primary(venue: Venue, uuid: int) -> None:
    venue.connect().log_in()
    backup = venue.connect(Role.BACKUP)
    venue.now += 1_000
    (reject,) = backup.negotiate(uuid=uuid)
    assert reject.error_codes == NegotiationRejectCode.NEGOTIATE_NOT_ALLOWED


def test_code_28_for_negotiate_on_an_established_backup(venue: Venue) -> None:
    venue.connect().log_in()
    backup = venue.connect(Role.BACKUP)
    backup.bind(next_seq_no=0)
    venue.now += 1_000
    (reject,) = backup.negotiate(uuid=UUID + 1)
    assert reject.error_codes == NegotiationRejectCode.NEGOTIATE_NOT_ALLOWED
    assert backup.session.state is GatewayState.BACKUP


@LOGIN
def test_a_reject_echoes_uuid_and_timestamp(wire: Wire, login: str) -> None:
    timestamp = START + 5_000
    reject = attempt(login, wire, request_timestamp=timestamp, signed_with=OTHER_SECRET)
    assert (reject.uuid, reject.request_timestamp) == (UUID, timestamp)
    assert (reject.fault_tolerance_indicator, reject.split_msg, reject.environment_indicator) == (1, 255, 255)


def test_an_establishment_reject_tells_the_gateways_next_number(venue: Venue) -> None:
    wire = venue.connect().log_in()
    venue.stream().next_outbound = 8
    wire.session.lost(venue.now)
    (reject,) = venue.connect().bind(signed_with=OTHER_SECRET)
    assert reject.next_seq_no == 8


@LOGIN
def test_after_a_reject_a_good_login_on_the_same_connection_is_accepted(wire: Wire, login: str) -> None:
    attempt(login, wire, signed_with=OTHER_SECRET)
    wire.venue.now += 1_000
    if login == "Negotiate":
        wire.negotiate()
        wire.venue.now += 1_000
    assert isinstance(wire.establish()[0], EstablishmentAck)


def test_the_policy_may_close_after_a_reject() -> None:
    wire = Venue(SessionPolicy(close_after_reject=True)).connect()
    (reject,) = wire.negotiate(signed_with=OTHER_SECRET)
    assert isinstance(reject, NegotiationReject)
    assert wire.closed
    assert wire.session.state is GatewayState.CLOSED


def test_the_first_fault_in_the_order_of_checks_is_reported(wire: Wire) -> None:
    faults: dict[str, object] = {
        "request_timestamp": UINT64_NULL,
        "hmac_signature": bytes(32),
        "access_key_id": b"",
        "session": b"",
        "firm": b"",
        "trading_system_name": b"",
        "trading_system_version": b"",
        "trading_system_vendor": b"",
        "keep_alive_interval": UINT16_NULL,
    }
    right: dict[str, object] = {
        "request_timestamp": START + 1,
        "hmac_signature": b"x" * 32,
        "access_key_id": b"EXAMPLEKEYID00000001",
        "session": b"ABC",
        "firm": b"007",
        "trading_system_name": b"DemoGateway",
        "trading_system_version": b"1.0.0",
        "trading_system_vendor": b"ExampleCo",
        "keep_alive_interval": 10_000,
    }
    wire.venue.policy = SessionPolicy(port_closure=False)
    wire = wire.venue.connect()
    wire.negotiate()
    codes = []
    for name, value in right.items():
        codes.append(wire.establish(**faults)[0].error_codes)
        faults[name] = value
    codes.append(wire.establish(**faults)[0].error_codes)
    assert codes == [9, 4, 5, 6, 7, 18, 19, 20, 21, 0]
