"""Whether a PostgreSQL answers: a real connection decides, never a pid."""

from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from db.embedded.place import PORT

Answer: TypeAlias = Literal["ready", "busy", "starting", "silent"]
_DATABASE = "studio"


def ask(socket: Path) -> Answer:
    """Connect: "ready"; "busy" = it lives but has no connection to give; "starting" also while it stops or recovers."""
    target = make_conninfo(host=str(socket), port=PORT, user="postgres", dbname="postgres", connect_timeout=5)
    try:
        with psycopg.connect(target, autocommit=True) as connection:
            _make_database(connection)
            return "ready"
    except psycopg.OperationalError as error:
        if isinstance(error, psycopg.errors.DiskFull):
            raise
        match PGconn.ping(target.encode()):
            case Ping.OK:
                return "busy"
            case Ping.REJECT:
                return "starting"
            case _:
                return "silent"


def _make_database(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    if connection.execute("select from pg_database where datname = %s", (_DATABASE,)).fetchone() is None:
        with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):  # another process was quicker
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(_DATABASE)))
