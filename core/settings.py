"""The settings: environment variables with the prefix STUDIO_, `.env`, and their defaults."""

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")

# A model name that OpenAI's endpoint serves when a key is set and nobody chose one.
DEFAULT_MODEL = "gpt-5.2"
OFFLINE_MODEL = "offline"


def parse_duration(value: object) -> float:
    """Seconds of "90s", "15m", "6h", "2d" or a plain number; raises ValueError with an example."""
    if isinstance(value, int | float):
        return float(value)
    match = _DURATION.fullmatch(str(value).strip().lower())
    if match is None:
        raise ValueError(f"{value!r} is not a duration: write for example 90s, 15m, 6h or 2d")
    return float(match[1]) * _UNITS[match[2] or "s"]


Duration = Annotated[float, BeforeValidator(parse_duration)]


class Settings(BaseSettings):
    """Everything that can be set. Secrets are ``SecretStr``: they print as stars."""

    model_config = SettingsConfigDict(
        env_prefix="STUDIO_", env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    database_url: SecretStr = Field(SecretStr(""), description="postgresql://…; empty = embedded PostgreSQL")
    data_dir: Path = Field(Path(".studio"), description="embedded database, media, generated secrets")
    host: str = Field("127.0.0.1", description="address the server listens on")
    port: int = Field(8000, ge=0, le=65535, description="port the server listens on")
    public_url: str = Field("", description="how the world reaches this server; empty = http://HOST:PORT")
    bootstrap_key: SecretStr = Field(SecretStr(""), description="API key of the first owner, made at first start")
    secret_keys: SecretStr = Field(SecretStr(""), description="comma-separated encryption keys, newest first")
    model: str = Field("", description="`offline`, or a model name for the OpenAI-compatible endpoint")
    approvals: Literal["irreversible", "agent", "all", "none"] = Field(
        "irreversible", description="which commands of the agent wait for a person"
    )
    facebook_graph_url: str = Field("https://graph.facebook.com", description="Meta Graph API (Facebook Login)")
    instagram_graph_url: str = Field("https://graph.instagram.com", description="Meta Graph API (Instagram Login)")
    meta_upload_url: str = Field("https://rupload.facebook.com", description="Meta's resumable uploads")
    meta_app_id: str = Field("", description="Meta app (Facebook Login)")
    meta_app_secret: SecretStr = Field(SecretStr(""), description="secret of the Meta app")
    instagram_app_id: str = Field("", description="Meta app (Instagram Login)")
    instagram_app_secret: SecretStr = Field(SecretStr(""), description="secret of the Instagram app")
    tiktok_api_url: str = Field("https://open.tiktokapis.com", description="TikTok's API")
    tiktok_client_key: str = Field("", description="key of the TikTok app")
    tiktok_client_secret: SecretStr = Field(SecretStr(""), description="secret of the TikTok app")
    bluesky_pds_url: str = Field("https://bsky.social", description="the server that the Bluesky accounts live on")
    bluesky_web_url: str = Field("https://bsky.app", description="where people read Bluesky posts: links lead there")
    timezone: str = Field("", description="IANA zone of the first workspace; empty = the machine's")
    publish_lease: Duration = Field(30.0, gt=0, description="seconds a process owns a post it is publishing")
    settle_time: Duration = Field(120.0, gt=0, description="wait before a send with unknown outcome may be repeated")
    publish_grace: Duration = Field(6 * 3600.0, gt=0, description="how late a post may still go out by itself")
    allow_private_media: bool = Field(default=False, description="media URLs may point at private addresses")
    url: str = Field("", description="where `studio ask` and `studio chat` connect")
    api_key: SecretStr = Field(SecretStr(""), description="key that `studio ask` and `studio chat` use")
    openai_api_key: SecretStr = Field(
        SecretStr(""), validation_alias="OPENAI_API_KEY", description="model endpoint key"
    )
    openai_base_url: str = Field("", validation_alias="OPENAI_BASE_URL", description="model endpoint; empty = OpenAI's")
    model_timeout: Duration = Field(60.0, gt=0, description="seconds the model endpoint may stay silent")
    media_limit_mb: int = Field(300, ge=1, description="largest asset, in MB of 1,000,000 bytes")

    @field_validator(
        "public_url",
        "facebook_graph_url",
        "instagram_graph_url",
        "meta_upload_url",
        "tiktok_api_url",
        "bluesky_pds_url",
        "bluesky_web_url",
        "url",
    )
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @cached_property
    def public_base(self) -> str:
        """The address under which networks fetch our media."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::", ""} else self.host  # noqa: S104 - compared, not bound
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @cached_property
    def model_name(self) -> str:
        """The model in force: what was chosen, else the offline one unless an endpoint's key is set."""
        if self.model:
            return self.model
        return DEFAULT_MODEL if self.openai_api_key.get_secret_value() else OFFLINE_MODEL
