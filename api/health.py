"""Whether the process lives, whether it can work, and what it has counted."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError

from api.front import FrontDoor
from api.problems import problem
from core import clock
from db.queries.measures import measure_publishing

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive(front: FrontDoor) -> dict[str, str]:
    """The process answers; it says nothing about what it needs."""
    return {"status": "ok", "version": front.version}


@router.get("/readyz")
async def ready(front: FrontDoor) -> Response:
    """Requests can be served: the database answers, and the process is not draining."""
    if front.stopping.is_set():
        return problem(503, "stopping", "This process is stopping.", action="Use another one, or wait for the next.")
    try:
        async with front.doors.database.outside() as session:
            now = await clock.now(session)
    except (SQLAlchemyError, OSError):
        return problem(
            503, "database_unavailable", "The database does not answer.", action="`studio doctor` says what is wrong."
        )
    return JSONResponse({"status": "ok", "database": "ok", "now": now.isoformat()})


@router.get("/metrics", include_in_schema=False)
async def metrics(front: FrontDoor) -> Response:
    """Counters for Prometheus: of this process, and what the whole installation has published."""
    try:
        async with front.doors.database.outside() as session:
            measures = await measure_publishing(session)
    except (SQLAlchemyError, OSError):
        measures = None
    text = front.metrics.text(measures, platforms=front.doors.adapters)
    return Response(text, media_type="text/plain; version=1.0.0; charset=utf-8")
