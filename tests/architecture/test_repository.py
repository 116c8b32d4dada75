"""What a clean clone needs is in it, and nothing in it points at one machine."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

# Written in pieces, so that this file does not name what it looks for.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("npmjs", "com"),
        ("registry", "yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("index", "docker", "io"),
    )
)
HOMES = re.compile(r"(?<![\w./:{}-])/(?:home|root|Users|work|mnt|srv)/[\w.-]+")
COPIED = re.compile(r"^COPY (?!--from)(.+) \S+$", re.MULTILINE)
UPWARD = re.compile(r"(?<![\w./])(?:\.\./)+[\w./-]+")


def test_no_file_names_a_package_registry(project_files: Sequence[Path], root: Path) -> None:
    assert not list(_lines_with(project_files, root, re.compile("|".join(map(re.escape, REGISTRIES)))))


def test_no_file_names_a_place_on_one_machine(project_files: Sequence[Path], root: Path) -> None:
    assert not list(_lines_with(project_files, root, HOMES))


def test_no_document_points_out_of_the_repository(project_files: Sequence[Path], root: Path) -> None:
    outside = [
        f"{path.relative_to(root)}: {found}"
        for path in project_files
        if path.suffix in {".md", ".toml", ".yaml", ".sh", ".txt"} or path.name in {"Makefile", "Dockerfile", "run"}
        for found in UPWARD.findall(path.read_text(encoding="utf-8"))
        if not (path.parent / found).resolve().is_relative_to(root)
    ]
    assert not outside


def _lines_with(paths: Sequence[Path], root: Path, pattern: re.Pattern[str]) -> Iterator[str]:
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # a picture
        yield from (
            f"{path.relative_to(root)}:{number}: {line.strip()}"
            for number, line in enumerate(lines, start=1)
            if pattern.search(line)
        )


def test_every_locked_package_has_a_hash_and_no_address(root: Path) -> None:
    locked = (root / "requirements.txt").read_text(encoding="utf-8")
    packages = re.split(r"^(?=\w)", locked, flags=re.MULTILINE)[1:]
    assert len(packages) > 50
    assert not [package.splitlines()[0] for package in packages if "--hash=sha256:" not in package]
    assert "://" not in locked


def test_every_dependency_is_locked(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    locked = set(re.findall(r"^([\w.-]+)==", (root / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE))
    wanted = {re.split(r"[\[<>=; ]", name, maxsplit=1)[0].lower().replace("_", "-") for name in named}
    assert wanted <= locked, f"make lock: {wanted - locked}"


def test_the_image_copies_files_that_are_there_and_let_in(root: Path) -> None:
    copied = [name for names in COPIED.findall(_read(root, "Dockerfile")) for name in names.split()]
    let_in = {line[1:] for line in _read(root, ".dockerignore").splitlines() if line.startswith("!")}
    assert copied
    assert not [name for name in copied if not (root / name).exists()]
    assert set(copied) == let_in


def test_the_image_holds_what_the_wheel_is_made_of(root: Path) -> None:
    wheel = tomllib.loads(_read(root, "pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = {name for names in COPIED.findall(_read(root, "Dockerfile")) for name in names.split()}
    assert set(wheel["only-include"]) <= copied


def test_the_licence_is_named_once(root: Path) -> None:
    assert tomllib.loads(_read(root, "pyproject.toml"))["project"]["license"] == "Apache-2.0"
    assert "Apache-2.0" in _read(root, "README.md")


def _read(root: Path, name: str) -> str:
    return (root / name).read_text(encoding="utf-8")
