"""What is installed is what is written here, pinned once, and bound to no one machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from qdrant_binary import IMAGE_DIGEST, VERSION
from qdrant_node import IMAGE
from qdrant_server import Endpoint

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES: list[str] = PROJECT["tool"]["setuptools"]["packages"]
DATA = (
    *("py.typed", "retrieval/defaults.json", "plots/*.css", "plots/*.js"),
    *("service/page", "service/swagger"),
)
NOT_INSTALLED = {"benchmarks", "docs", "examples", "scripts", "setup.py", "tests"}

# Importing one of these costs every `melon` command a part of a second or more.
HEAVY = {"gensim", "grpc", "pandas", "pyarrow", "qdrant_client", "qdrant_edge", "scipy"}
LIGHT_MODULES = [
    "melon",
    "melon.catalog",
    "melon.cli",
    "melon.errors",
    "melon.plots",
    "melon.retrieval",
    "melon.settings",
    "melon.store",
]


def git(*arguments: str) -> list[str]:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def source_files(*patterns: str) -> list[PurePosixPath]:
    """Return the project's files: what git tracks or would, as it stands in the working tree."""
    names = git("ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns)
    return [PurePosixPath(name) for name in sorted(set(names)) if (ROOT / name).is_file()]


def package_of(file: PurePosixPath) -> str:
    return ".".join(["melon", *file.parent.parts])


def test_every_directory_with_code_is_a_listed_package():
    installed = [file for file in source_files("*.py") if file.parts[0] not in NOT_INSTALLED]
    assert sorted(PACKAGES) == sorted({package_of(file) for file in installed})


def test_every_package_has_an_init():
    """A directory without one is a namespace package, which mypy and setuptools see differently."""
    files = source_files("__init__.py", "*/__init__.py")
    assert set(PACKAGES) <= {package_of(file) for file in files}


def test_pytest_takes_the_root_for_no_package():
    """It would import it by the directory's name, beside all else in the directory above."""
    assert str(ROOT.parent) not in sys.path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this tree to install from, so that nothing is left in the tree itself."""
    source = tmp_path_factory.mktemp("source")
    for file in source_files():
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, source / file)
    return source


def environment(root: Path) -> Path:
    """A new virtual environment's Python, with the libraries of this one, but not its melon."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root)], check=True)
    (site_packages(root) / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return root / "bin" / "python"


def site_packages(root: Path) -> Path:
    [site] = root.glob("lib/python*/site-packages")
    return site


def pip(python: str | Path, *arguments: str | Path) -> None:
    command = [python, "-m", "pip", *arguments, "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(command, check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})


@pytest.fixture(scope="module")
def from_wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment in which the wheel of this tree is installed."""
    root = tmp_path_factory.mktemp("wheel")
    python = environment(root)
    pip(sys.executable, "wheel", "--wheel-dir", root, source)
    [built] = root.glob("melon-*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(site_packages(root))
    return python


@pytest.fixture(scope="module")
def editable(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment in which the tree itself is installed."""
    python = environment(tmp_path_factory.mktemp("editable"))
    pip(python, "install", "--ignore-installed", "--editable", source)
    return python


def test_the_wheel_holds_the_packages_and_nothing_else(from_wheel: Path):
    site = site_packages(from_wheel.parents[1])
    paths = [path for path in site.glob("melon*/**/*") if path.is_file()]
    files = [PurePosixPath(path.relative_to(site)) for path in paths]
    code = [file for file in files if not file.parts[0].endswith(".dist-info")]
    written = [file for file in source_files("*.py") if file.parts[0] not in NOT_INSTALLED]
    expected = {PurePosixPath("melon", file) for file in [*written, *source_files(*DATA)]}
    assert set(code) == expected
    metadata = {"/".join(file.parts[1:]) for file in files if file not in code}
    assert {"METADATA", "entry_points.txt", "licenses/LICENSE"} <= metadata


IMPORT_ALL = """
import importlib, sys
import mcp.server  # which imports by sys.platform
sys.modules.update(dict.fromkeys(["fcntl", "grp", "pwd", "resource", "termios"]))
for name in sys.argv[1:]:
    print(importlib.import_module(name).__file__)
"""


def imported(python: Path, modules: list[str]) -> list[Path]:
    """The files from which a Python imports them, without what only some systems have."""
    command = [python, "-P", "-c", IMPORT_ALL, *modules]
    done = subprocess.run(command, cwd=python.anchor, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [Path(line) for line in done.stdout.splitlines()]


def test_every_module_of_the_wheel_imports_everywhere(from_wheel: Path):
    """Without the tree, and on Windows, where files are locked by other means."""
    code = [file for file in source_files("*.py") if file.parts[0] not in NOT_INSTALLED]
    modules = [".".join(["melon", *file.with_suffix("").parts]) for file in code]
    site = site_packages(from_wheel.parents[1])
    assert imported(from_wheel, modules) == [site / "melon" / file for file in code]


def test_an_editable_install_shows_the_tree_and_what_is_added_to_it(editable: Path, source: Path):
    added = source / "commands" / "added.py"
    added.touch()
    [file] = imported(editable, ["melon.commands.added"])
    assert file.resolve() == added


PROGRAM = """\
import melon

with melon.open(path="store") as retriever:
    jazz = melon.Constraints(genres=["Jazz"], exclude_songs=[1, 2])
    found = retriever.recommend(melon.PlaylistQuery(tags=["rain"]), jazz, songs=[1, "Song"])
    name: str | None = found.songs[0].name
    score: str = found.songs[0].score  # wrong
    retriever.recommend(melon.PlaylistQuery(title=5))  # wrong
    near = retriever.similar(melon.Item(tag="rain"))[melon.Collection.TAGS]
    print(name, score, near[0].score, near[0].value)  # wrong
    melon.opened  # wrong
"""


def complaints(checker: str, python: Path, *programs: Path) -> list[tuple[str, int, str]]:
    """The file, line and message of each error, strictly, and without the plugin of pydantic."""
    if checker == "mypy":
        # Kept: most of the time is that of the libraries, which seldom change.
        cache = ROOT / ".cache" / "types-of-programs"
        options = ["--strict", "--config-file=", "--follow-imports=silent", f"--cache-dir={cache}"]
        options += [f"--python-executable={python}"]
    else:
        options = [f"--pythonpath={python}"]
    command = [sys.executable, "-m", checker, *options, *map(str, programs)]
    # The Node.js that is installed with pyright, and no look whether there is a newer one.
    pinned = {"PYRIGHT_PYTHON_GLOBAL_NODE": "0", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    done = subprocess.run(
        command,
        env={**os.environ, **pinned},
        cwd=programs[0].parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    line = re.compile(r"^ *(?:.*/)?(\w+\.py):(\d+)(?::\d+)?(?: -|:) error: (.*)", re.MULTILINE)
    found = [(name, int(number), said) for name, number, said in line.findall(done.stdout)]
    assert bool(found) == (done.returncode == 1), done.stdout + done.stderr
    return found


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
@pytest.mark.parametrize("installed", ["from_wheel", "editable"])
def test_type_checkers_know_the_package(
    installed: str, checker: str, tmp_path: Path, request: pytest.FixtureRequest
):
    """They find what is wrong in a program elsewhere, and nothing else to complain about."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    lines = PROGRAM.splitlines()
    wrong = {number for number, line in enumerate(lines, start=1) if line.endswith("# wrong")}
    found = complaints(checker, request.getfixturevalue(installed), program)
    assert {line for _, line, _ in found} == wrong, found


def test_the_examples_type_check_as_their_users_would_check_them(from_wheel: Path, tmp_path: Path):
    copies = [shutil.copy(example, tmp_path) for example in sorted(ROOT.glob("examples/*.py"))]
    assert complaints("mypy", from_wheel, *map(Path, copies)) == []


def test_importing_it_is_cheap():
    """What none of them loads, each of them does not load."""
    program = f"import sys, {', '.join(LIGHT_MODULES)}; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT.anchor)
    assert set(LIGHT_MODULES) <= set(loaded.stdout.split())
    assert HEAVY & set(loaded.stdout.split()) == set()


def locked_versions(name: str) -> dict[str, str]:
    """Return what a lock file installs here, by name."""
    lock = (ROOT / name).read_text()
    pins = map(Requirement, re.findall(r"^([a-z].*?) \\$", lock, re.MULTILINE))
    here = default_environment() | {"extra": ""}
    return {
        pin.name: str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or pin.marker.evaluate(here)
    }


def test_the_lock_satisfies_what_pyproject_asks_for():
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    locked = locked_versions("requirements-dev.lock")
    missing = [
        requirement
        for requirement in map(Requirement, wanted)
        if (requirement.marker is None or requirement.marker.evaluate())
        and not requirement.specifier.contains(locked.get(requirement.name, "0"), prereleases=True)
    ]
    assert missing == [], "run `make lock`"


def test_the_oldest_client_that_is_tested_is_the_oldest_that_is_allowed():
    asked = {each.name: each for each in map(Requirement, PROJECT["project"]["dependencies"])}
    for name, version in locked_versions("requirements-oldest.lock").items():
        [lowest] = [part.version for part in asked[name].specifier if part.operator == ">="]
        assert version == lowest


TRAINING = {"filelock", "gensim", "pandas", "pyarrow", "qdrant-edge-py", "scipy"}
"""What a host needs none of that only answers, from a server; filelock is for Windows."""


def test_a_host_that_only_answers_installs_nothing_that_trains():
    served, locked = map(locked_versions, ("requirements-serve.lock", "requirements-dev.lock"))
    assert served.items() <= locked.items(), "run `make lock`"
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["web"]]
    assert {Requirement(each).name for each in wanted} - served.keys() == TRAINING


def test_the_image_is_built_from_every_room():
    let_in = set((ROOT / ".dockerignore").read_text().splitlines())
    packages = PROJECT["tool"]["setuptools"]["packages"]
    rooms = {name.split(".")[1] for name in packages if "." in name}
    assert {f"!{room}" for room in rooms} <= let_in


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


@pytest.fixture(scope="module")
def compose_service(compose: dict[str, Any]) -> dict[str, Any]:
    return compose["qdrant"]


def test_one_version_of_qdrant_everywhere(compose_service: dict[str, Any]):
    assert compose_service["image"] == IMAGE
    documents = source_files("*.md", "*.yml", "*.toml", "Makefile", ".ci/*")
    named = {
        (str(file), version)
        for file in documents
        for version in re.findall(r"qdrant/qdrant:(\S+)", (ROOT / file).read_text())
    }
    images = {version.strip("`),.\"'") for _, version in named}
    assert images == {f"v{VERSION}@{IMAGE_DIGEST}"}, named


def test_compose_serves_this_machine_only(compose: dict[str, Any]):
    assert compose["qdrant"]["ports"] == ["127.0.0.1:6333:6333", "127.0.0.1:6334:6334"]
    ports = [port for service in compose.values() for port in service.get("ports", ())]
    assert {port.split(":")[0] for port in ports} == {"127.0.0.1"}


def test_compose_starts_qdrant_alone_unless_a_profile_is_named(compose: dict[str, Any]):
    assert [name for name, service in compose.items() if "profiles" not in service] == ["qdrant"]


def test_the_nodes_of_compose_join_one_cluster(compose: dict[str, Any]):
    """By the options that scripts/qdrant_node.py starts a cluster with."""
    nodes = {name: service for name, service in compose.items() if name.startswith("node-")}
    first, *others = (f"http://{name}:6335" for name in nodes)
    commands = [service["command"] for service in nodes.values()]
    assert commands[0] == ["./qdrant", "--uri", first]
    assert commands[1:] == [["./qdrant", "--uri", one, "--bootstrap", first] for one in others]
    for service in nodes.values():
        assert service["environment"]["QDRANT__CLUSTER__ENABLED"] == "true"


def test_compose_sets_no_empty_api_key(compose_service: dict[str, Any]):
    """Qdrant takes an empty key for a key; a bare name is handed on only where it is set."""
    assert "QDRANT__SERVICE__API_KEY" in compose_service["environment"]


def test_compose_checks_health_as_the_server_shows_it(
    compose_service: dict[str, Any], qdrant_server: Endpoint
):
    kind, *command = compose_service["healthcheck"]["test"]
    assert kind == "CMD"
    port = qdrant_server.url.rpartition(":")[2]
    for asked, healthy in [(port, True), ("1", False)]:
        check = [part.replace("127.0.0.1/6333", f"127.0.0.1/{asked}") for part in command]
        done = subprocess.run(check, capture_output=True, timeout=10)
        assert (done.returncode == 0) == healthy, done


# Written so that these lines do not match themselves.
HOSTS = r"python(hosted)\.org|registry\.(npmjs)|registry\.(yarnpkg)|(pypi)\.org|(debian)\.org"
PLACES = r"/(work)/|/(root)/|/(farm)/|/(tmp)/w/"


@pytest.mark.parametrize("pattern", [HOSTS, PLACES], ids=["registry hosts", "places"])
def test_no_file_is_bound_to_one_machine(pattern: str):
    found = subprocess.run(
        ["git", "-C", str(ROOT), "grep", "-nIE", pattern], capture_output=True, text=True
    )
    assert found.stderr == ""
    assert found.stdout == ""
