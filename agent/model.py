"""Which model serves: the offline one, or any OpenAI-compatible endpoint."""

from collections.abc import Iterable

from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from agent.offline.model import OfflineModel
from agent.offline.writer import OfflineWriter
from agent.writer import ModelWriter
from core.errors import Misconfigured
from core.ports import Writer
from core.settings import OFFLINE_MODEL, Settings

# The SDK repeats what never reached the endpoint or was answered 429 or 5xx, before the first word, and waits as told.
_RETRIES = 2
# Endpoints of one's own often want no key, but the SDK wants one to send.
_NO_KEY = SecretStr("not-needed")


def build_model(settings: Settings, networks: Iterable[str] = ("instagram",)) -> BaseChatModel:
    """The model in force; raises ``Misconfigured`` when a name was chosen but nothing says where it is served.

    ``networks`` are the platforms this installation can post to: the offline model has to be told.
    """
    if settings.model_name == OFFLINE_MODEL:
        return OfflineModel(networks=tuple(networks))
    key = settings.openai_api_key
    if not key.get_secret_value():
        if not settings.openai_base_url:
            raise Misconfigured(
                f"STUDIO_MODEL is {settings.model_name}, but there is no endpoint for it.",
                code="model_without_endpoint",
                action="Set OPENAI_API_KEY, or OPENAI_BASE_URL for an endpoint of your own, or STUDIO_MODEL=offline.",
            )
        key = _NO_KEY
    return ChatOpenAI(
        model=settings.model_name,
        api_key=key,
        base_url=settings.openai_base_url or None,
        use_responses_api=False,  # compatible endpoints have /chat/completions alone
        stream_usage=True,  # with an address of one's own it has to be asked for
        max_retries=_RETRIES,
        timeout=settings.model_timeout,
        stream_chunk_timeout=settings.model_timeout,
    )


def build_writer(settings: Settings, model: BaseChatModel) -> Writer:
    """Who writes the words of posts: the model, or the offline writer beside the offline model."""
    if settings.model_name == OFFLINE_MODEL:
        return OfflineWriter()
    return ModelWriter(model, name=settings.model_name, silence=settings.model_timeout)
