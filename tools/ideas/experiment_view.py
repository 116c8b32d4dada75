"""show_experiment: an experiment with its variants, as every surface answers with it."""

from pydantic import BaseModel, ConfigDict, Field

from core.errors import NotFound
from core.ids import parse_id
from db.models.idea import Experiment
from db.queries import experiments
from tools.command import Arguments, Effect, Result, command
from tools.context import Context
from tools.posts.view import PostView, views

_NO_VERDICT = "No verdict: it needs counts of variants that have been live for a while, and none are kept here yet."


class ShowExperiment(Arguments):
    """Arguments of show_experiment."""

    experiment_id: str = Field(max_length=100, description="the experiment's id")


class VariantView(BaseModel):
    """A variant by its letter; A is the post that the experiment began with."""

    model_config = ConfigDict(frozen=True)

    letter: str
    post: PostView


class ExperimentView(BaseModel):
    """An experiment. ``verdict`` is null while there is too little to judge by; ``verdict_note`` says why."""

    model_config = ConfigDict(frozen=True)

    id: str
    vary: str
    hypothesis: str | None
    variants: tuple[VariantView, ...]
    verdict: str | None
    verdict_note: str


class ExperimentReceipt(Result):
    """What became of an experiment."""

    experiment: ExperimentView
    warnings: tuple[str, ...] = ()


async def view_of(context: Context, experiment: Experiment) -> ExperimentView:
    """The record of an experiment, with its variants as they are now."""
    await context.session.flush()
    found = await experiments.variants_of(context.session, experiment.id)
    shown = await views(context, [post for _, post in found])
    return ExperimentView(
        id=str(experiment.id),
        vary=experiment.vary,
        hypothesis=experiment.hypothesis,
        variants=tuple(VariantView(letter=letter, post=post) for (letter, _), post in zip(found, shown, strict=True)),
        verdict=None,
        verdict_note=_NO_VERDICT,
    )


def said_of(experiment: ExperimentView) -> str:
    """A sentence with every variant's letter, code, and time or state."""
    each = ", ".join(
        f"{variant.letter} {variant.post.code} ({variant.post.receipt or variant.post.status})"
        for variant in experiment.variants
    )
    return f"An experiment with the {experiment.vary}: {each}."


@command(
    title="Show an experiment",
    effect=Effect.READ,
    rest="GET /v1/experiments/{experiment_id}",
    agent=False,
)
async def show_experiment(context: Context, arguments: ShowExperiment) -> ExperimentReceipt:
    """Show an experiment: its variants as they are now, and its verdict once there is enough to judge by."""
    experiment_id = parse_id(arguments.experiment_id)
    experiment = await experiments.get(context.session, experiment_id) if experiment_id is not None else None
    if experiment is None:
        raise NotFound(
            f"There is no experiment {arguments.experiment_id!r}.",
            code="experiment_not_found",
            action="Take the id from the answer that made it, or from a post's experiment_id.",
        )
    shown = await view_of(context, experiment)
    return ExperimentReceipt(summary=f"{said_of(shown)} {_NO_VERDICT}", experiment=shown)
