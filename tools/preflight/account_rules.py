"""What stands in the way of all posts of an account: its state, token and permissions, our address, the API's end."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from platforms.base import Adapter, Content, Manifest
from platforms.needs import NeededScope
from tools.accounts.choose import account_label, network_title
from tools.installation.address import host_of, is_private_name
from tools.networks import is_on_this_machine
from tools.preflight.obstacle import AccountWeek, Fix, Obstacle, Planned

_RECONNECT = "Connect the account again."
_ADDRESS = "Set STUDIO_PUBLIC_URL to an https address that the world can reach."
# A default of Facebook Login: what Instagram's adapter takes an account without a login for.
_DEFAULT_LOGIN = "facebook"


def account_obstacles(week: AccountWeek) -> Iterator[Obstacle]:
    """What stands in the way of the account's posts, each said once for all of them."""
    inside = week.inside()
    if not inside:
        return
    if week.adapter is None or week.account.status != "connected":
        yield _state(week, inside)
        return
    yield from _network_said(week, inside)
    yield from _token(week, week.adapter.manifest, inside)
    yield from _scopes(week, week.adapter.manifest, inside)
    yield from _public_link(week, week.adapter, inside)
    yield from _api_end(week, week.adapter.manifest, inside)


def _whole(week: AccountWeek, affected: Sequence[Planned], code: str, message: str, action: str) -> Obstacle:
    account = week.account
    reconnect: dict[str, object] = {"platform": account.platform, "external_id": account.external_id}
    return Obstacle(
        level="error",
        code=code,
        message=message,
        action=action,
        account=account,
        post=None,
        affected=tuple(each.post for each in affected),
        due=affected[0].due,
        fix=Fix(command="connect_account", arguments=reconnect) if action == _RECONNECT else None,
    )


def _state(week: AccountWeek, inside: Sequence[Planned]) -> Obstacle:
    if week.adapter is None:
        message = f"This installation does not serve {network_title(week.account.platform)}."
        return _whole(week, inside, "network_not_served", message, "Cancel these posts, or install that network again.")
    asked = "has to be connected again" if week.account.status == "reconnect" else "is not connected"
    return _whole(week, inside, "reconnect_needed", f"{account_label(week.account)} {asked}.", _RECONNECT)


def _network_said(week: AccountWeek, inside: Sequence[Planned]) -> Iterator[Obstacle]:
    said = (week.account.check_found or {}).get("network")
    if isinstance(said, Mapping):
        message = f"{account_label(week.account)} cannot be used: {said.get('message')}"
        yield _whole(week, inside, str(said.get("code")), message, str(said.get("action") or _RECONNECT))


def _token(week: AccountWeek, manifest: Manifest, inside: Sequence[Planned]) -> Iterator[Obstacle]:
    ends = week.account.token_expires_at
    if ends is None or (manifest.renews_dead_tokens and week.renewable):
        return
    late = [each for each in inside if each.due >= ends]
    if late:
        tried = (week.account.check_found or {}).get("renewal")
        why = f" It could not be renewed: {tried}" if isinstance(tried, str) else ""
        message = (
            f"The token of {account_label(week.account)} ends on {ends:%d %b %Y %H:%M} UTC, before"
            f" {_counted(late)}; {manifest.title} renews no token past its end.{why}"
        )
        yield _whole(week, late, "token_expires", message, _RECONNECT)


def _counted(planned: Sequence[Planned]) -> str:
    return f"{planned[0].post.code} goes out" if len(planned) == 1 else f"{len(planned)} posts go out"


def _scopes(week: AccountWeek, manifest: Manifest, inside: Sequence[Planned]) -> Iterator[Obstacle]:
    """Permissions that the token lacks; where the network did not list what it grants, nothing is said."""
    granted = frozenset((week.account.scopes or "").replace(",", " ").split())
    if not granted:
        return
    for scope in manifest.scopes:
        lacking = [each for each in inside if needs_scope(scope, week, each.content)]
        if scope.name not in granted and lacking:
            message = (
                f"{account_label(week.account)} did not give Studio the permission {scope.name}, which it takes to"
                f" {scope.for_what}."
            )
            yield _whole(week, lacking, f"scope_missing:{scope.name}", message, _RECONNECT)


def needs_scope(scope: NeededScope, week: AccountWeek, content: Content) -> bool:
    """Whether this content takes that permission on this account."""
    return (
        (scope.login is None or scope.login == (week.account.login or _DEFAULT_LOGIN))
        and (not scope.formats or content.format in scope.formats)
        and (scope.option is None or bool(content.options.get(scope.option)))
        and (scope.without is None or not content.options.get(scope.without))
    )


def needs_public_link(manifest: Manifest, content: Content, login: str | None) -> bool:
    """Whether the network fetches anything of this content from our address."""
    uploaded = any(
        each.format == content.format and (each.unless_login is None or each.unless_login != login)
        for each in manifest.uploads
    )
    fetched = any(medium.kind == "image" or not uploaded for medium in content.media)
    return manifest.fetches_media and (fetched or content.cover is not None)


def fetched(week: AccountWeek, adapter: Adapter, inside: Sequence[Planned]) -> list[Planned]:
    """The posts of which the network fetches something."""
    login = week.account.login
    return [each for each in inside if needs_public_link(adapter.manifest, each.content, login)]


def _public_link(week: AccountWeek, adapter: Adapter, inside: Sequence[Planned]) -> Iterator[Obstacle]:
    affected = fetched(week, adapter, inside)
    if not affected:
        return
    base, title = week.settings.public_base, adapter.manifest.title
    if not is_on_this_machine(week.settings, week.account.platform) and is_private_name(host_of(base)):
        message = f"{title} fetches media from {base}, which is a private address: it cannot be reached from there."
        yield _whole(week, affected, "public_url_private", message, _ADDRESS)
    elif isinstance(trouble := (week.account.check_found or {}).get("public_link"), str):
        message = f"{title} fetches media from {base}, and a link there does not work: {trouble}"
        yield _whole(week, affected, "public_url_unreachable", message, _ADDRESS)


def _api_end(week: AccountWeek, manifest: Manifest, inside: Sequence[Planned]) -> Iterator[Obstacle]:
    if manifest.api is None or manifest.api.works_until is None:
        return
    end = datetime.combine(manifest.api.works_until, datetime.min.time(), tzinfo=week.end.tzinfo) + timedelta(days=1)
    late = [each for each in inside if each.due >= end]
    if late:
        message = f"{manifest.api.name} stops working after {manifest.api.works_until:%d %b %Y}."
        yield _whole(week, late, "api_version_ends", message, "Update Studio to a version that speaks a newer one.")
