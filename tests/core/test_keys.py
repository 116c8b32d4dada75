"""API keys: their form, their digest, and what of them is shown."""

import hashlib

import pytest

from core.keys import digest, generate, looks_valid, prefix
from core.log import redact


def test_generated_keys_are_valid_differ_and_have_one_length() -> None:
    keys = [generate() for _ in range(200)]
    assert len(set(keys)) == 200
    assert {len(key) for key in keys} == {56}  # studio_ 7, 256 bits 43, checksum 6
    assert all(looks_valid(key) and key.removeprefix("studio_").isalnum() for key in keys)


def test_every_typing_error_of_one_letter_is_seen() -> None:
    key = generate()
    for place, letter in enumerate(key):
        assert not looks_valid(key[:place] + ("a" if letter != "a" else "b") + key[place + 1 :])
        assert not looks_valid(key[:place] + key[place + 1 :])


@pytest.mark.parametrize("key", ["", "studio_", "studio_" + "a" * 49, "sk-" + "a" * 53, "studio_" + "é" * 49])
def test_what_is_no_key_does_not_look_like_one(key: str) -> None:
    assert not looks_valid(key)


def test_the_digest_is_sha256() -> None:
    assert digest("studio_x") == hashlib.sha256(b"studio_x").digest()


def test_the_prefix_shows_little_and_is_not_taken_for_a_secret() -> None:
    key = generate()
    assert prefix(key) == key[:13]
    assert redact(f"key {prefix(key)} of {key}") == f"key {prefix(key)} of ***"


@pytest.mark.parametrize("chosen", ["studio_abc", "my-own-key", "hunter2", "x"])
def test_of_a_key_that_a_person_chose_at_most_a_quarter_is_shown(chosen: str) -> None:
    shown = prefix(chosen).removesuffix("…")
    assert chosen.startswith(shown)
    assert len(shown) <= len(chosen) / 4
