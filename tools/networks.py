"""The networks of this installation: every adapter, built from the settings."""

import contextlib
import ipaddress
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

from core.settings import Settings
from platforms.base import Adapter
from platforms.bluesky.adapter import BlueskyAdapter
from platforms.facebook.adapter import FacebookAdapter
from platforms.instagram.adapter import InstagramAdapter
from platforms.tiktok.adapter import TikTokAdapter

# An irreversible call has to end before the lease on its post does.
_OF_THE_LEASE = 0.7


@contextlib.asynccontextmanager
async def open_networks(settings: Settings) -> AsyncIterator[Mapping[str, Adapter]]:
    """Platform name -> adapter, in the order people read them; their connections close at the end."""
    timeout = settings.publish_lease * _OF_THE_LEASE
    meta = {"app_id": settings.meta_app_id, "app_secret": settings.meta_app_secret.get_secret_value()}
    async with contextlib.AsyncExitStack() as stack:
        instagram = InstagramAdapter(
            facebook_graph_url=settings.facebook_graph_url,
            instagram_graph_url=settings.instagram_graph_url,
            upload_url=settings.meta_upload_url,
            timeout=timeout,
            **meta,
        )
        stack.push_async_callback(instagram.aclose)
        facebook = FacebookAdapter(
            facebook_graph_url=settings.facebook_graph_url, upload_url=settings.meta_upload_url, timeout=timeout, **meta
        )
        stack.push_async_callback(facebook.aclose)
        tiktok = TikTokAdapter(
            api_url=settings.tiktok_api_url,
            client_key=settings.tiktok_client_key,
            client_secret=settings.tiktok_client_secret.get_secret_value(),
            timeout=timeout,
        )
        stack.push_async_callback(tiktok.aclose)
        bluesky = BlueskyAdapter(pds_url=settings.bluesky_pds_url, web_url=settings.bluesky_web_url, timeout=timeout)
        stack.push_async_callback(bluesky.aclose)
        yield {"instagram": instagram, "facebook": facebook, "tiktok": tiktok, "bluesky": bluesky}


def is_on_this_machine(settings: Settings, platform: str) -> bool:
    """Whether what answers as this network runs on this machine, as the sandbox does: it fetches private links too."""
    urls = {"tiktok": settings.tiktok_api_url, "bluesky": settings.bluesky_pds_url}
    url = urls.get(platform, settings.facebook_graph_url)
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
