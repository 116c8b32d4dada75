"""studio doctor names what is wrong with an installation, and the way out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.settings import Settings
from tests.conftest import Sandbox
from tests.tools.conftest import Desk
from tools.installation.doctor import Finding, examine, settings_in_force


async def look(settings: Settings) -> dict[str, Finding]:
    return {finding.about: finding for finding in await examine(settings, progress=lambda _message: None)}


def changed(settings: Settings, **values: object) -> Settings:
    """The settings with others in some places, read anew."""
    return Settings(_env_file=None, **{**settings.model_dump(), **values})


async def test_a_good_installation_has_no_error(settings: Settings, desk: Desk) -> None:
    found = await look(settings)
    assert [finding for finding in found.values() if finding.level == "error"] == []
    assert found["PostgreSQL"].message == "external, schema 0009"
    assert found["Instagram @roastery"].level == "ok"
    assert found["Public address"].level == "ok"  # private, which the sandbox can reach


async def test_a_private_address_is_an_error_when_the_real_network_has_to_fetch(settings: Settings, desk: Desk) -> None:
    finding = (await look(changed(settings, facebook_graph_url="https://graph.facebook.com")))["Public address"]
    assert finding.level == "error"
    assert "STUDIO_PUBLIC_URL" in str(finding.action)


async def test_a_database_that_is_not_there(settings: Settings) -> None:
    gone = SecretStr("postgresql://studio:hunter2@127.0.0.1:9/studio")
    finding = (await look(changed(settings, database_url=gone)))["PostgreSQL"]
    assert finding.level == "error"
    assert "STUDIO_DATABASE_URL" in str(finding.action)
    assert "hunter2" not in finding.message


async def test_a_secret_that_others_can_read(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    (folder / "secret.keys").write_text("x" * 43)
    (folder / "secret.keys").chmod(0o644)
    finding = (await look(changed(settings, secret_keys=SecretStr(""))))["Sealing keys"]
    assert finding.level == "error"
    assert "chmod" in f"{finding.message} {finding.action}"


async def test_a_settle_time_shorter_than_the_lease(settings: Settings) -> None:
    finding = (await look(changed(settings, publish_lease=30.0, settle_time=20.0)))["Publishing"]
    assert finding.level == "error"
    assert "STUDIO_SETTLE_TIME" in str(finding.action)
    assert (await look(changed(settings, publish_lease=30.0, settle_time=31.0)))["Publishing"].level == "ok"


async def test_a_model_that_does_not_answer(settings: Settings, sandbox: Sandbox) -> None:
    dead = changed(settings, model="some-model", openai_base_url="http://127.0.0.1:9/v1")
    assert (await look(dead))["Model"].level == "error"
    alive = changed(settings, model="some-model", openai_base_url=f"{sandbox.url}/v1")
    assert (await look(alive))["Model"].level == "ok"


@pytest.mark.parametrize(("days", "level"), [(1, "warning"), (30, "ok")])
async def test_a_token_that_ends_soon(settings: Settings, desk: Desk, days: int, level: str) -> None:
    await desk.act(
        "connect_account",
        platform="instagram",
        external_id="17841400000000001",
        access_token="IGAA-sandbox-token-of-the-roastery",
        expires_at=(datetime.now(UTC) + timedelta(days=days)).isoformat(),
        metadata={"login": "facebook"},
    )
    assert (await look(settings))["Instagram @roastery"].level == level


async def test_settings_are_listed_with_secrets_masked(settings: Settings) -> None:
    shown = dict(settings_in_force(changed(settings, meta_app_secret=SecretStr("hunter2"))))
    assert shown["STUDIO_META_APP_SECRET"] == "********"
    assert shown["STUDIO_PUBLISH_LEASE"] == "30.0"
    assert "OPENAI_API_KEY" in shown
    assert settings.secret_keys.get_secret_value() not in str(shown)
