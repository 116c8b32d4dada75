"""Secrets at rest and signed links."""

import hashlib
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Forbidden, Misconfigured
from core.vault import SealBroken, Vault, generate_key, key_id_of, token_context

OLD, NEW = "A" * 42 + "E", "_" * 42 + "8"  # 32 bytes each, so that failures repeat
CONTEXT = token_context("w1", "a1", "access_token")
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def vault() -> Vault:
    return Vault([NEW])


@given(plain=st.text(), context=st.text())
def test_what_is_sealed_opens(vault: Vault, plain: str, context: str) -> None:
    assert vault.open(vault.seal(plain, context=context), context=context) == plain


@given(plain=st.text(max_size=50), context=st.text(max_size=50), other=st.text(max_size=50))
def test_it_opens_in_no_other_context(vault: Vault, plain: str, context: str, other: str) -> None:
    sealed = vault.seal(plain, context=context)
    if other != context:
        with pytest.raises(SealBroken):
            vault.open(sealed, context=other)


def test_no_bit_can_be_changed(vault: Vault) -> None:
    sealed = vault.seal("token", context=CONTEXT)
    for place in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(Misconfigured):  # SealBroken is one; a changed key id is an unknown key
            vault.open(bytes(changed), context=CONTEXT)


@pytest.mark.parametrize("cut", [0, 1, 5, 17, 32])
def test_a_part_of_a_seal_is_broken(vault: Vault, cut: int) -> None:
    with pytest.raises(SealBroken):
        vault.open(vault.seal("token", context=CONTEXT)[:cut], context=CONTEXT)


def test_the_same_secret_never_looks_the_same(vault: Vault) -> None:
    sealed = [vault.seal("token", context=CONTEXT) for _ in range(50)]
    assert len(set(sealed)) == 50
    assert not any(b"token" in each for each in sealed)


def test_the_envelope_names_its_key() -> None:
    sealed = Vault([NEW]).seal("token", context=CONTEXT)
    expected = hashlib.sha256(urlsafe_b64decode(NEW + "=")).hexdigest()[:8]
    assert key_id_of(sealed) == expected == Vault([NEW, OLD]).key_ids[0]
    assert sealed[0] == 1
    assert len(sealed) == 1 + 4 + 12 + len("token") + 16  # version, key id, nonce, text, tag


def test_rotation_keeps_old_seals_readable_and_moves_them_to_the_new_key() -> None:
    before = Vault([OLD]).seal("token", context=CONTEXT)
    both = Vault([NEW, OLD])
    assert both.needs_rotation(before)
    assert both.open(before, context=CONTEXT) == "token"
    after = both.reseal(before, context=CONTEXT)
    assert not both.needs_rotation(after)
    assert both.reseal(after, context=CONTEXT) == after
    assert Vault([NEW]).open(after, context=CONTEXT) == "token"


def test_resealing_does_not_launder_a_moved_seal() -> None:
    before = Vault([OLD]).seal("token", context=CONTEXT)
    with pytest.raises(SealBroken):
        Vault([NEW, OLD]).reseal(before, context=token_context("w2", "a1", "access_token"))


def test_a_missing_key_is_named_by_its_id_only() -> None:
    sealed = Vault([OLD]).seal("token", context=CONTEXT)
    with pytest.raises(Misconfigured) as refusal:
        Vault([NEW]).open(sealed, context=CONTEXT)
    assert refusal.value.code == "unknown_key"
    assert key_id_of(sealed) in refusal.value.message
    assert OLD not in refusal.value.message + str(refusal.value.action)


@pytest.mark.parametrize("bad", ["", "short", "A" * 44, "A" * 42, "é" * 43, "AAAA\nAAAA" + "A" * 35, "hunter2-hunter2"])
def test_a_key_that_is_none_is_refused_without_being_shown(bad: str) -> None:
    with pytest.raises(Misconfigured, match="number 2") as refusal:
        Vault([NEW, bad])
    assert not bad or bad not in refusal.value.message


def test_no_key_at_all_is_refused() -> None:
    with pytest.raises(Misconfigured):
        Vault([])


def test_a_vault_does_not_print_its_keys() -> None:
    assert repr(Vault([NEW, OLD])) == f"Vault({', '.join(Vault([NEW, OLD]).key_ids)})"


def test_generated_keys_work_and_differ() -> None:
    first, second = generate_key(), generate_key()
    assert first != second
    assert Vault([first, second + "="]).key_ids != Vault([second, first]).key_ids


def test_the_context_of_a_token_is_as_documented() -> None:
    assert CONTEXT == "oauth|w1|a1|access_token|v1"
    for parts in [("w|1", "a1", "f"), ("", "a1", "f"), ("w1", "a1", "f|v1")]:
        with pytest.raises(ValueError, match="part of a context"):
            token_context(*parts)


@given(payload=st.text(max_size=200))
def test_a_signed_link_gives_its_payload_back(vault: Vault, payload: str) -> None:
    token = vault.sign("media", payload, NOON + timedelta(hours=1))
    assert vault.verify("media", token, NOON) == payload
    assert all(letter.isascii() and (letter.isalnum() or letter in "-_.") for letter in token)


def test_a_link_ends_at_its_time(vault: Vault) -> None:
    token = vault.sign("media", "asset", NOON)
    assert vault.verify("media", token, NOON - timedelta(seconds=1)) == "asset"
    with pytest.raises(Forbidden) as refusal:
        vault.verify("media", token, NOON)
    assert refusal.value.code == "link_expired"


def test_a_link_is_for_its_purpose_only(vault: Vault) -> None:
    with pytest.raises(Forbidden) as refusal:
        vault.verify("sign-in", vault.sign("media", "asset", NOON), NOON - timedelta(hours=1))
    assert refusal.value.code == "link_invalid"


def test_no_letter_of_a_link_can_be_changed(vault: Vault) -> None:
    token = vault.sign("media", "asset", NOON)
    for place, letter in enumerate(token):
        for other in "A1.-é":
            if other != letter:
                with pytest.raises(Forbidden):
                    vault.verify("media", token[:place] + other + token[place + 1 :], NOON - timedelta(hours=1))


@pytest.mark.parametrize(
    "token", ["", ".", "....", "1.x.y.z.w", "a" * 10_000, "1.00000000.99999999999.YQ.YQ", "\ud800.1.2.3.4"]
)
def test_what_is_no_link_is_refused(vault: Vault, token: str) -> None:
    with pytest.raises(Forbidden):
        vault.verify("media", token, NOON)


def test_links_outlive_a_rotation_while_the_old_key_is_listed() -> None:
    token = Vault([OLD]).sign("media", "asset", NOON + timedelta(hours=1))
    assert Vault([NEW, OLD]).verify("media", token, NOON) == "asset"
    with pytest.raises(Forbidden):
        Vault([NEW]).verify("media", token, NOON)


def test_a_time_without_a_zone_cannot_expire(vault: Vault) -> None:
    with pytest.raises(ValueError, match="zone"):
        vault.sign("media", "asset", NOON.replace(tzinfo=None))
