"""A set-up that was stopped is finished by the next, whatever it left."""

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from importlib.metadata import distribution
from pathlib import Path

import pytest

from press import whole
from tiny import HANGS, REPO
from wheels import put_package, write_wheel

KILLS = 20
PACKAGES = 6
# What the press is, for a set-up: it says so and ends.
VERBS = "def perform(verb, arguments):\n    print('performed', verb)\n"


# -------------------------------------------------------------- the files


def test_a_package_is_whole_when_all_its_record_is_there(tmp_path):
    info = put_package(tmp_path, "one")
    assert whole.is_whole(info) and whole.broken_in(tmp_path) == []
    for name, text in {"one/m1.py": None, "one/m0.py": "x",
                       f"{info.name}/METADATA": None,
                       f"{info.name}/RECORD": None,
                       f"{info.name}/RECORD ": '"'}.items():
        file = tmp_path / name.strip()
        before = file.read_bytes()
        if text is None:
            file.unlink()
        else:
            file.write_text(text, encoding="utf-8")
        assert not whole.is_whole(info), name
        file.write_bytes(before)
        assert whole.is_whole(info)


def test_what_is_broken_is_taken_out_and_nothing_beside(tmp_path):
    info = put_package(tmp_path / "site", "one")
    put_package(tmp_path / "site", "two")
    (tmp_path / "else.py").touch()
    with (info / "RECORD").open("a", encoding="utf-8") as record:
        record.write("\n../else.py,,\n")
    (tmp_path / "site/one/m0.py").unlink()
    whole.take_out(info)
    assert not info.exists() and not (tmp_path / "site/one/m1.py").exists()
    assert (tmp_path / "else.py").exists()
    assert whole.broken_in(tmp_path / "site") == []


def test_the_dates_of_folders_tell_that_a_file_went(tmp_path):
    site = tmp_path / "lib" / "site"
    info = put_package(site, "one", files=3)
    put_package(site, "two")
    file = tmp_path / "dates"
    assert not whole.dates_are_kept(file)

    def keep():
        whole.keep_dates(file, site)
        assert whole.dates_are_kept(file)
        assert whole.is_all_there(file, site)

    keep()
    (site / "one" / "new.py").touch()
    assert not whole.dates_are_kept(file)
    assert whole.is_all_there(file, site)   # all of it is still there
    keep()
    (site / "one" / "m2.py").unlink()
    assert not whole.dates_are_kept(file)
    assert not whole.is_all_there(file, site)
    (site / "one" / "m2.py").write_text("x = 1\n", encoding="utf-8")
    keep()
    shutil.rmtree(info)
    assert not whole.dates_are_kept(file)
    assert not whole.is_all_there(file, site)


# ---------------------------------------------------------- for real


def uv_files():
    """The files of the uv at hand, as they stand in a wheel."""
    found = distribution("uv")
    files = {}
    for path in found.files or []:
        name = path.as_posix()
        if name.startswith("../"):
            name = f"uv-{found.version}.data/scripts/{path.name}"
        elif ".dist-info/" in name or name.endswith(".pyc"):
            continue
        files[name] = Path(str(found.locate_file(path))).read_bytes()
    return files, found.version


@pytest.fixture
def checkout(tmp_path):
    """A press that sets itself up with a small lock, in a folder whose name
    has a space; and the environment in which it finds its packages."""
    if os.name == "nt":
        pytest.skip("kills as POSIX does")
    root, wheels = tmp_path / "a checkout", tmp_path / "wheels"
    (root / "press").mkdir(parents=True)
    wheels.mkdir()
    for name in ("__init__", "__main__", "command", "registry", "venv",
                 "whole", "files", "interrupt"):
        if (REPO / "press" / f"{name}.py").exists():
            shutil.copy(REPO / "press" / f"{name}.py", root / "press")
    (root / "press" / "verbs.py").write_text(VERBS, encoding="utf-8")
    files, version = uv_files()
    lock = write_wheel(wheels, "uv", files, version)
    for number in range(PACKAGES):
        lock += write_wheel(wheels, f"small{number}", {
            f"small{number}/m{n}.py": b"x = 1\n" * (n + 1) for n in range(200)
        } | {f"small{number}/__init__.py": b""})
    (root / "requirements.lock").write_text(lock, encoding="utf-8")
    (tmp_path / "index").mkdir()
    environment = {
        name: value for name, value in os.environ.items()
        if not name.startswith(("PIP_", "UV_", "PYTHON"))
    } | {
        "PIP_FIND_LINKS": wheels.as_uri(), "UV_FIND_LINKS": str(wheels),
        "PIP_INDEX_URL": (tmp_path / "index").as_uri(),
        "UV_INDEX_URL": (tmp_path / "index").as_uri(),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }
    return root, environment


def start(root, environment, **options):
    base = getattr(sys, "_base_executable", sys.executable)
    return subprocess.Popen(
        [base, "-m", "press", "html"], cwd=root, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        start_new_session=True, **options)


def finish(root, environment):
    process = start(root, environment)
    said, faults = process.communicate(timeout=HANGS)
    assert process.returncode == 0, faults
    assert said == "performed html\n"
    return faults


def missing(root):
    """The files of the packages that are not there, or of another size."""
    (site,) = (root / ".venv" / "lib").glob("python3*/site-packages")
    found = []
    for record in site.glob("*.dist-info/RECORD"):
        for path, _, size in csv.reader(record.open(encoding="utf-8")):
            file = site / path
            if not path.endswith(".pyc") and (
                not file.exists()
                or size and file.stat().st_size != int(size)
            ):
                found.append(path)
    names = {file.name.split("-")[0] for file in site.glob("*.dist-info")}
    wanted = {"uv", "pip", *(f"small{n}" for n in range(PACKAGES))}
    return found + sorted(wanted - names)


@pytest.mark.slow
def test_a_set_up_that_is_killed_is_made_whole_by_the_next(checkout):
    """Killed at a random moment, with all that it has started, or alone."""
    root, environment = checkout
    begun = time.monotonic()
    finish(root, environment)
    takes = time.monotonic() - begun
    assert missing(root) == []
    draw = random.Random()
    for number in range(KILLS):
        if number % 4 == 0:   # else over what the last one left
            shutil.rmtree(root / ".venv")
        else:
            (root / ".venv" / "set-up").unlink()
            for name in draw.sample(range(PACKAGES), 2):
                (file,) = root.glob(
                    f".venv/lib/python3*/site-packages/small{name}/m7.py")
                file.unlink()
        process = start(root, environment)
        time.sleep(draw.random() * takes * 1.1)
        if process.poll() is None:
            if draw.random() < 0.5:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.communicate()
        finish(root, environment)
        assert missing(root) == [], number
        assert finish(root, environment) == ""   # nothing is left to do


@pytest.mark.daily
def test_what_vanished_is_mended(checkout):
    root, environment = checkout
    environment |= {   # none of which may matter
        "PIP_TARGET": str(root / "x"), "PIP_USER": "1", "PIP_NO_DEPS": "1",
        "PIP_REQUIRE_VIRTUALENV": "1", "UV_TARGET": str(root / "y"),
        "UV_PYTHON": "3.99", "UV_SYSTEM_PYTHON": "1", "UV_OFFLINE": "0",
        "CONDA_PREFIX": str(root / "conda"), "VIRTUAL_ENV": str(root / "v"),
        "PYTHONPATH": str(root / "foreign"), "PIP_DRY_RUN": "1",
    }
    (root / "foreign" / "pip").mkdir(parents=True)
    (root / "foreign" / "pip" / "__init__.py").write_text(
        "1 / 0", encoding="utf-8")
    finish(root, environment)
    assert missing(root) == [] and not (root / "x").exists()
    assert finish(root, environment) == ""
    (site,) = (root / ".venv" / "lib").glob("python3*/site-packages")
    (site / "small1" / "m9.py").unlink()
    shutil.rmtree(site / "small2-1.0.dist-info")
    assert "setting up" in finish(root, environment)
    assert missing(root) == [] and finish(root, environment) == ""
    for name in ("python", "python3"):
        (root / ".venv" / "bin" / name).unlink()
    assert "setting up" in finish(root, environment)
    python = root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(root / "gone")
    assert "setting up" in finish(root, environment)
    shutil.rmtree(site / "pip")
    assert "setting up" in finish(root, environment)
    assert missing(root) == [] and finish(root, environment) == ""
