"""The commands Studio has: adding one is its own file and a line here."""

from tools.accounts.connect import connect_account, disconnect_account, list_accounts, show_account
from tools.catalog import Catalog
from tools.posts.bulk import cancel_posts, move_posts
from tools.posts.calendar import cancel_post, move_post, schedule_post
from tools.posts.draft import create_draft, edit_draft
from tools.posts.publish import publish_post
from tools.posts.read import list_attempts, list_posts, show_post
from tools.posts.retry import retry_post
from tools.publishing.settle import resolve_post
from tools.publishing.take_down import delete_post
from tools.undo import undo


def catalog() -> Catalog:
    """Every command, in the order models read them."""
    return Catalog(
        (
            create_draft,
            edit_draft,
            schedule_post,
            move_post,
            cancel_post,
            publish_post,
            retry_post,
            resolve_post,
            delete_post,
            move_posts,
            cancel_posts,
            list_posts,
            show_post,
            list_accounts,
            undo,
            list_attempts,
            connect_account,
            show_account,
            disconnect_account,
        )
    )
