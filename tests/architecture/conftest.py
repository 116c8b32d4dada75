"""The project as files: what a clean clone holds."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_PASSED_BY = {"__pycache__", "node_modules", "dist"}


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def project_files() -> Sequence[Path]:
    """Every file of the project; caches, environments and data directories are hidden folders and passed by."""
    found: list[Path] = []
    for folder, below, names in os.walk(ROOT):
        below[:] = [each for each in below if each == ".ci" or (not each.startswith(".") and each not in _PASSED_BY)]
        found += [Path(folder, name) for name in names if name != ".env"]
    return sorted(found)


@pytest.fixture(scope="session")
def python_files(project_files: Sequence[Path]) -> Sequence[Path]:
    return [path for path in project_files if path.suffix == ".py"]
