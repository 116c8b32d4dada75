"""The places where an agent reads words of others, each filled with one text and read by one command."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import psycopg
from pydantic import Field

from tests.tools.conftest import jpeg
from tools.assets import keep_asset
from tools.catalog import Catalog
from tools.command import Arguments, Effect, Result, command
from tools.commands import catalog
from tools.context import Caller, Context, Principal
from tools.dispatcher import Dispatcher
from tools.media.inspect import inspect
from tools.outside import OutsideText

# What commands of these tests read in place of a network or a page, by a number.
TEXTS: list[tuple[str, str]] = []


class ReadOutside(Arguments):
    """Arguments of read_outside."""

    number: int = Field(ge=0)


class Found(Result):
    """What was read."""

    text: str


@command(title="Read something from outside", effect=Effect.READ)
async def read_outside(context: Context, arguments: ReadOutside) -> Found:
    """Read a comment, a caption, a title or a page."""
    source, text = TEXTS[arguments.number]
    context.outside.append(OutsideText(source=source, text=text))
    return Found(summary="One text.", text=text)


def catalog_with_reading() -> Catalog:
    """Every command of Studio, and the one above."""
    return Catalog((*catalog().commands, read_outside))


@dataclass(frozen=True, kw_only=True)
class Places:
    """A workspace with an owner and an editor; every method puts a text somewhere and says how it is read."""

    dispatcher: Dispatcher
    caller: Caller
    editor: Principal
    admin_url: str
    assets: list[str] = field(default_factory=list)

    async def photo(self, name: str, *, shade: int = 0) -> str:
        """A stored picture of its own; its asset id."""
        doors = self.dispatcher.doors
        async with doors.store.stage(limit_bytes=50_000_000) as staged:
            await staged.write(jpeg(colour=(shade // 256, shade % 256, 30)))
            await staged.finish()
            facts = await inspect(staged.path)
            await staged.keep()
        kept = await keep_asset(doors, self.caller.principal, facts, name=name, source_url=None)
        return str(kept.id)

    async def draft(self, *, asset: str, by: Principal | None = None, **more: object) -> str:
        """A draft with a picture; its code."""
        caller = replace(self.caller, principal=by) if by else self.caller
        medium = {"asset_id": asset, **({"alt_text": more.pop("alt_text")} if "alt_text" in more else {})}
        given = {"caption": "Morning espresso", "media": [medium], **more}
        post = (await self.dispatcher.run("create_draft", given, caller)).result["post"]
        assert isinstance(post, dict)
        return str(post["code"])

    async def read_from(self, source: str, text: str, *, shade: int) -> str:
        """Put the text there; the call that reads it."""
        named: dict[str, Callable[[str, int], Awaitable[str]]] = {
            "alt texts": lambda words, _: self.draft(asset=self.assets[0], by=self.editor, alt_text=words),
            "drafts of colleagues": lambda words, _: self.draft(asset=self.assets[0], by=self.editor, caption=words),
            "first comments": lambda words, _: self.draft(
                asset=self.assets[0], by=self.editor, options={"first_comment": words}
            ),
            "file names": self._named,
            "words of a network's server": self._failed,
        }
        if source in named:
            return f"show_post {json.dumps({'post_id': await named[source](text, shade)})}"
        TEXTS.append((source, text))
        return f"read_outside {json.dumps({'number': len(TEXTS) - 1})}"

    async def _named(self, text: str, shade: int) -> str:
        return await self.draft(asset=await self.photo(text, shade=shade + 300))

    async def _failed(self, text: str, shade: int) -> str:  # noqa: ARG002 - no picture of its own is needed
        code = await self.draft(asset=self.assets[0])
        error = {"code": "refused", "message": f"Meta answered: {text}", "action": "Retry it."}
        async with await psycopg.AsyncConnection.connect(self.admin_url) as connection:
            await connection.execute(
                "update studio.posts set last_error = %s where code = %s", (json.dumps(error), code)
            )
        return code
