"""Keys, and the databases that the tests run on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from database.models import Base


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database with the tables of the models."""
    if request.param == "sqlite":
        made = create_engine(f"sqlite:///{tmp_path / 'test.db'}")
    else:
        made = create_engine(request.getfixturevalue("postgresql").url("psycopg"))
        Base.metadata.drop_all(made)
    Base.metadata.create_all(made)
    yield made
    if request.param == "postgresql":
        Base.metadata.drop_all(made)
    made.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as made:
        yield made
