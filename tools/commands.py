"""The commands Studio has: adding one is its own file and a line here."""

from tools.accounts.connect import connect_account, disconnect_account, list_accounts, show_account
from tools.catalog import Catalog
from tools.ideas.accept_plan import accept_plan
from tools.ideas.experiment import create_experiment
from tools.ideas.experiment_view import show_experiment
from tools.ideas.plan_week import plan_week
from tools.ideas.repurpose import repurpose_post
from tools.notifications.read import list_notifications, read_notifications
from tools.posts.bulk import cancel_posts, move_posts
from tools.posts.calendar import cancel_post, move_post, schedule_post
from tools.posts.draft import create_draft, edit_draft
from tools.posts.fit import fit_media
from tools.posts.publish import publish_post
from tools.posts.read import list_attempts, list_posts, show_post
from tools.posts.retry import retry_post
from tools.preflight.check import check_posts
from tools.publishing.settle import resolve_post
from tools.publishing.take_down import delete_post
from tools.undo import undo


def catalog() -> Catalog:
    """Every command, in the order models read them."""
    return Catalog(
        (
            create_draft,
            edit_draft,
            fit_media,
            schedule_post,
            move_post,
            cancel_post,
            publish_post,
            retry_post,
            resolve_post,
            delete_post,
            repurpose_post,
            plan_week,
            accept_plan,
            create_experiment,
            move_posts,
            cancel_posts,
            list_posts,
            show_post,
            list_accounts,
            check_posts,
            list_notifications,
            undo,
            list_attempts,
            show_experiment,
            connect_account,
            show_account,
            disconnect_account,
            read_notifications,
        )
    )
