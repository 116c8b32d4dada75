"""Fitting a post's media to its network before anything is written: what ``gather`` of a command calls."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from shutil import rmtree
from tempfile import mkdtemp
from uuid import UUID

from core.errors import Conflict
from core.threads import in_thread
from db.models.account import Asset
from db.models.post import Post
from db.queries import accounts, posts
from platforms.base import Adapter, Content, FormatRules, Medium
from tools.assets import AssetView, asset_view, keep_derived
from tools.context import Context, Doors
from tools.media.fit import Action, Crop, FitPlan, Recipe, plan
from tools.media.inspect import MediaFacts
from tools.media.intake import take_in
from tools.media.kinds import Form, refused
from tools.media.render import colours_of, render_picture
from tools.media.transcode import render_film
from tools.posts.content import medium_of
from tools.posts.media import Source
from tools.posts.view import label

_HEAD_BYTES = 1_000_000  # of a JPEG: its colours are told behind its profile and preview
_ABANDONED_SECONDS = 86_400
_FORMS = {form.mime_type: form for form in Form}
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "video/mp4": ".mp4"}
# What is being converted in this process, by the id of its asset: how far, in percent.
_UNDER_WAY: dict[str, int] = {}


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What to put on the post, as (asset id, alternative text), and what to tell the person about it.

    ``made`` are the positions for which something else than the source is used.
    """

    media: tuple[tuple[UUID, str | None], ...] = ()
    warnings: tuple[str, ...] = ()
    made: frozenset[int] = frozenset()


def percent_of(asset_id: UUID) -> int | None:
    """How far the conversion of an asset has come in this process, None when none is under way."""
    return _UNDER_WAY.get(str(asset_id))


async def fitted(
    context: Context,
    adapter: Adapter,
    format_name: str | None,
    sources: Sequence[Source],
    *,
    crop: Crop | None = None,
    only: int | None = None,
) -> Fitted:
    """The media as this network takes them; what had to be made is kept as derived assets.

    For ``gather``: no session may be open, since a film can take minutes. Converting and scaling are done and said;
    a wrong ratio is only offered, unless ``crop`` says what to do (``only``: for this position alone). Originals stay
    as they are, and another network's fit is made from them again. ``format_name`` None = chosen by the media.
    """
    name = chosen_format(adapter, format_name, [source.asset for source in sources])
    rules = adapter.manifest.format_rules(name)
    kept: list[AssetView] = []
    warnings: list[str] = []
    for position, source in enumerate(sources):
        if rules is None or only not in {None, position}:
            kept.append(source.asset)
            continue
        asset, said = await _fit(context, adapter, rules, source.asset, crop)
        kept.append(asset)
        if said:
            warnings.append(said)
    pairs = list(zip(kept, sources, strict=True))
    return Fitted(
        media=tuple((UUID(asset.id), source.alt_text) for asset, source in pairs),
        warnings=tuple(warnings),
        made=frozenset(at for at, (asset, source) in enumerate(pairs) if asset.id != source.asset.id),
    )


async def ready(context: Context, adapter: Adapter, format_name: str, asset: Asset) -> Asset | None:
    """What would go out for an asset without making anything, inside of a transaction; None when it must be made."""
    rules = adapter.manifest.format_rules(format_name)
    if rules is None or asset.derived_from is not None:
        return asset
    planned = plan(medium_of(asset_view(asset), None), rules)
    if planned.recipe is None:
        return asset
    derivation = planned.recipe.derivation(f"{adapter.manifest.platform}/{rules.name}")
    return await accounts.derived_asset(context.session, asset.id, derivation)


def chosen_format(adapter: Adapter, format_name: str | None, assets: Sequence[AssetView]) -> str:
    """The format that is named, else the one that the media mean."""
    media = tuple(medium_of(asset, None) for asset in assets)
    return format_name or adapter.choose_format(Content(format="", caption="", media=media))


async def sources_of(context: Context, post: Post) -> tuple[Source, ...]:
    """The media of a post as they are, inside of a transaction."""
    rows = (await posts.media_of(context.session, [post.id]))[post.id]
    return tuple(Source(asset=asset_view(row.asset), alt_text=row.medium.alt_text) for row in rows)


async def require_same_media(context: Context, post: Post, seen: Sequence[UUID]) -> None:
    """Raise ``Conflict`` when the media that were fitted are no longer the post's."""
    present = [UUID(each.asset.id) for each in await sources_of(context, post)]
    if present != list(seen):
        raise Conflict(
            f"The media of {label(post)} were changed by somebody else meanwhile.",
            code="version_conflict",
            action="Read the post again, then repeat your change on its present version.",
            changed={"media": [str(asset_id) for asset_id in present]},
        )


async def _fit(
    context: Context, adapter: Adapter, rules: FormatRules, asset: AssetView, crop: Crop | None
) -> tuple[AssetView, str | None]:
    original = await _original(context, asset)
    colours = await _colours(context.doors, original)
    planned = plan(medium_of(original, None), rules, crop, colours=colours)
    if crop is None and _is_chosen(adapter, rules, asset, planned):
        return asset, None
    title = adapter.manifest.title
    match planned.action:
        case Action.NOTHING:
            return original, None
        case Action.IMPOSSIBLE:
            return original, f"{original.name} cannot be made to fit {title}: {planned.reason}."
        case Action.CHOOSE:
            return original, _offered(original, title, planned)
        case _:
            assert planned.recipe is not None
            made = await _derived(context, original, planned.recipe, f"{adapter.manifest.platform}/{rules.name}", rules)
            return made, f"{original.name} was {planned.said} for {title}; the original is kept."


def _is_chosen(adapter: Adapter, rules: FormatRules, asset: AssetView, planned: FitPlan) -> bool:
    """Whether a derived asset is to stay: it fits, and was made for this network or by a choice that is needed here."""
    if asset.derivation is None or plan(medium_of(asset, None), rules).action is not Action.NOTHING:
        return False
    here = str(asset.derivation.get("for", "")).startswith(f"{adapter.manifest.platform}/")
    return here or planned.action is Action.CHOOSE


def _offered(original: AssetView, title: str, planned: FitPlan) -> str:
    words = {
        Crop.FILL: "cut from the middle",
        Crop.BORDER: "whole, with a border",
        Crop.SMART: "cut where there is most to see",
    }
    sizes = "; ".join(
        f"“{each.crop}”: {words[each.crop]}, {each.width} x {each.height} pixels" for each in planned.offers
    )
    return (
        f"{original.name} is {original.width} x {original.height} pixels, a ratio that {title} does not take."
        f" Say which crop you want, and fit_media makes it: {sizes}."
    )


async def _original(context: Context, asset: AssetView) -> AssetView:
    if asset.derived_from is None:
        return asset
    async with context.doors.database.session(context.workspace_id) as session:
        found = await accounts.get_asset(session, UUID(asset.derived_from))
    assert found is not None  # a foreign key holds it
    return asset_view(found)


async def _colours(doors: Doors, asset: AssetView) -> str | None:
    if asset.mime_type != Form.JPEG.mime_type:
        return None
    chunks = [chunk async for chunk in doors.store.read(asset.sha256, end=_HEAD_BYTES)]
    return await colours_of(b"".join(chunks))


async def _derived(
    context: Context, original: AssetView, recipe: Recipe, wanted_for: str, rules: FormatRules
) -> AssetView:
    """The asset of a recipe: the one made before, else a new one that is known to fit."""
    derivation = recipe.derivation(wanted_for)
    async with context.doors.database.session(context.workspace_id) as session:
        known = await accounts.derived_asset(session, UUID(original.id), derivation)
    if known is not None:
        return asset_view(known)
    facts = await _made(context.doors, original, recipe)
    remaining = plan(_medium(facts), rules)
    if remaining.action is not Action.NOTHING:
        message = f"{original.name} does not fit even after it was converted: {remaining.reason or remaining.said}."
        raise refused("media_unfit", message, "Export it again as JPEG or MP4.")
    name = _name(original, recipe)
    return await keep_derived(
        context.doors, context.principal, facts, source=original, derivation=derivation, name=name
    )


def _medium(facts: MediaFacts) -> Medium:
    return Medium(
        asset_id="",
        kind=facts.kind,
        mime_type=facts.mime_type,
        size_bytes=facts.size_bytes,
        width=facts.width,
        height=facts.height,
        duration_seconds=facts.duration_seconds,
        frame_rate=facts.frame_rate,
        video_codec=facts.video_codec,
        audio_codec=facts.audio_codec,
        bit_rate=facts.bit_rate,
    )


async def _made(doors: Doors, original: AssetView, recipe: Recipe) -> MediaFacts:
    form = _FORMS[original.mime_type]
    async with _workplace(doors.settings.data_dir / "fitting") as folder, _under_way(original.id):
        source, target = folder / "source", folder / "target"
        await _copied(doors, original.sha256, source)
        if form.pillow_name:
            await render_picture(source, form, recipe, target)
        else:
            await render_film(
                source,
                form,
                recipe,
                target,
                seconds=original.duration_seconds,
                progress=partial(_UNDER_WAY.__setitem__, original.id),
            )
        return await take_in(doors.store, _chunks(target), limit_bytes=recipe.max_bytes)


@asynccontextmanager
async def _under_way(asset_id: str) -> AsyncIterator[None]:
    _UNDER_WAY[asset_id] = 0
    try:
        yield
    finally:
        _UNDER_WAY.pop(asset_id, None)


@asynccontextmanager
async def _workplace(parent: Path) -> AsyncIterator[Path]:
    """A folder that is gone afterwards; clears what a killed process left."""
    folder = await in_thread(lambda: _new_folder(parent))
    try:
        yield folder
    finally:
        await in_thread(lambda: rmtree(folder, ignore_errors=True))


def _new_folder(parent: Path) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.iterdir():
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                rmtree(left, ignore_errors=True)
    return Path(mkdtemp(dir=parent))


async def _copied(doors: Doors, key: str, target: Path) -> None:
    with await in_thread(lambda: target.open("wb")) as file:
        async for chunk in doors.store.read(key):
            await in_thread(partial(file.write, chunk))


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with await in_thread(lambda: path.open("rb")) as file:
        while chunk := await in_thread(lambda: file.read(1 << 20)):
            yield chunk


def _name(original: AssetView, recipe: Recipe) -> str:
    """The original's name with the new ending; how it was cropped in parentheses."""
    stem = PurePosixPath(original.name).stem[:100]
    return f"{stem}{f' ({recipe.crop})' if recipe.crop else ''}{_SUFFIXES[recipe.mime_type]}"
