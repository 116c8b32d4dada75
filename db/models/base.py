"""What every table shares: UUIDv7 keys, times in UTC, JSON as jsonb."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Float, Text, Uuid, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.ids import new_id

# A stored JSON object and a stored JSON array of objects. (SQLAlchemy looks these up by identity: a recursive alias
# such as core.jsontypes.JsonObject cannot be a key.)
StoredObject = dict[str, object]
StoredList = list[dict[str, object]]

# The schema that holds every table; statements find it by the connection's search_path.
SCHEMA = "studio"


class Base(DeclarativeBase):
    """The declarative base of all tables."""

    type_annotation_map: ClassVar[Mapping[object, object]] = {
        str: Text(),
        int: BigInteger(),
        float: Float(53),
        list[str]: ARRAY(Text()),
        UUID: Uuid(),
        datetime: DateTime(timezone=True),
        StoredObject: JSONB(none_as_null=True),
        StoredList: JSONB(none_as_null=True),
    }


class Identified:
    """A row with a UUIDv7 of its own."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)


class Tenant:
    """A row that belongs to a workspace; row-level security compares this column."""

    workspace_id: Mapped[UUID]


class Timed:
    """A row that knows when it was made (the database's clock)."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.studio_now())
