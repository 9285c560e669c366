import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import FoyerError
from tests.web.conftest import PASSWORD, USER
from web.auth import passwords
from web.auth.accounts import DAY_MS, HOUR_MS, normal_user


def test_the_right_password_opens_and_any_other_does_not(box, account):
    assert box.accounts.check(USER, PASSWORD) == account
    assert box.accounts.check(USER, PASSWORD + " ") is None
    assert box.accounts.check("somebody", PASSWORD) is None


def test_a_user_name_is_the_same_in_capitals_and_with_blanks(box, account):
    assert box.accounts.check("  ESSAI ", PASSWORD) == account


def test_a_password_is_the_same_however_its_accents_are_typed(box, account):
    box.accounts.change_password(account, "été à la mer")
    assert box.accounts.check(USER, "e\u0301te\u0301 a\u0300 la mer") == account


def test_only_hashes_are_kept(box, account):
    token = box.accounts.begin_session(account, "")
    key = box.accounts.create_key("tableau")
    kept = (box.config.home_db).read_bytes()

    for secret in (PASSWORD, token, key):
        assert secret.encode() not in kept


def test_a_home_has_one_account(box, account):
    with pytest.raises(FoyerError, match="already has an account"):
        box.accounts.create("other", PASSWORD)


def test_an_account_needs_a_name(box):
    with pytest.raises(FoyerError, match="user name"):
        box.accounts.create("   ", PASSWORD)
    assert not box.accounts.exist()


def test_a_session_opens_until_it_ends(box, account):
    token = box.accounts.begin_session(account, "Firefox")
    session = box.accounts.session(token)

    assert session.account == account
    assert box.accounts.end_session(account, session.id)
    assert box.accounts.session(token) is None
    assert not box.accounts.end_session(account, session.id)


def test_a_session_left_alone_for_thirty_days_is_over(box, account, clock):
    token = box.accounts.begin_session(account, "")
    clock.wall += 30 * DAY_MS
    assert box.accounts.session(token)
    clock.wall += 30 * DAY_MS + 1
    assert box.accounts.session(token) is None
    assert box.accounts.sessions(account) == []


def test_a_session_in_daily_use_is_over_after_ninety_days(box, account, clock):
    token = box.accounts.begin_session(account, "")
    for _ in range(90):
        clock.wall += DAY_MS
        assert box.accounts.session(token)
    clock.wall += DAY_MS
    assert box.accounts.session(token) is None


def test_a_session_is_marked_as_seen_once_an_hour_to_spare_the_card(box, account, clock):
    token = box.accounts.begin_session(account, "")
    first = box.accounts.sessions(account)[0].seen
    clock.wall += HOUR_MS - 1
    box.accounts.session(token)
    assert box.accounts.sessions(account)[0].seen == first
    clock.wall += 2
    box.accounts.session(token)
    assert box.accounts.sessions(account)[0].seen == clock.now()


def test_a_calendar_that_stepped_back_ends_no_session(box, account, clock):
    token = box.accounts.begin_session(account, "")
    clock.wall -= 20_000 * DAY_MS
    assert box.accounts.session(token)


def test_a_new_password_ends_every_other_session(box, account):
    mine, other = box.accounts.begin_session(account, "a"), box.accounts.begin_session(account, "b")
    box.accounts.change_password(account, "une autre phrase", keep=box.accounts.session(mine))

    assert box.accounts.session(mine)
    assert box.accounts.session(other) is None
    assert box.accounts.check(USER, PASSWORD) is None


def test_old_sessions_are_swept_when_someone_signs_in(box, account, clock):
    box.accounts.begin_session(account, "old")
    clock.wall += 31 * DAY_MS
    box.accounts.begin_session(account, "new")

    assert [session.agent for session in box.accounts.sessions(account)] == ["new"]


def test_a_key_opens_until_it_is_withdrawn(box):
    key = box.accounts.create_key("tableau")
    found = box.accounts.key(key)

    assert found.name == "tableau"
    assert [one.name for one in box.accounts.app_keys()] == ["tableau"]
    assert box.accounts.end_key(found.id)
    assert box.accounts.key(key) is None
    assert not box.accounts.end_key(found.id)


def test_two_keys_cannot_have_the_same_name(box):
    box.accounts.create_key("tableau")
    with pytest.raises(FoyerError, match="already called"):
        box.accounts.create_key("tableau")


def test_no_key_and_no_session_is_found_by_its_hash_or_by_nothing(box, account):
    token = box.accounts.begin_session(account, "")
    stored = box.db.rows("SELECT token FROM session")[0][0]
    for guess in ("", stored.hex(), token[:-1], token + "a"):
        assert box.accounts.session(guess) is None
        assert box.accounts.key(guess) is None


def test_a_hash_is_salted_and_uses_the_numbers_of_the_house():
    one, two = passwords.hashed("x"), passwords.hashed("x")
    assert one != two
    assert one.startswith("scrypt$32768$8$1$")


@pytest.mark.parametrize("password", ["", "123456789", "x" * 1025])
def test_a_password_too_short_or_huge_is_refused(password):
    assert passwords.refusal(password)


def test_a_sentence_is_a_password():
    assert passwords.refusal("le chat dort") is None


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_can_be_a_password_and_only_itself_matches(one, other):
    kept = passwords.hashed(one)
    assert passwords.matches(one, kept)
    if passwords.unicodedata.normalize("NFC", one) != passwords.unicodedata.normalize("NFC", other):
        assert not passwords.matches(other, kept)


@given(st.text())
def test_a_normal_user_name_stays_what_it_is(name):
    once = normal_user(name)
    assert len(once) <= 60
    assert once == once.strip() or len(once) == 60
