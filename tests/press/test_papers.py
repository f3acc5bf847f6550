"""The papers beside the book agree with it and with each other."""

import io
import json
import re
import subprocess
import sys
import tomllib
import zipfile

import pytest
import yaml

from figures import stages
from press import build
from press.errors import BookError
from press.read import edition
from press.read.book import read_book
from press.run import run
from press.weave import weave
from press.weave.epub import epub
from press.weave.html import pages
from press.weave.notebook import takeaways
from press.weave.typst import pdf
from tiny import REPO

PAPERS = ("README.md", "CONTRIBUTING.md", "LICENSE.md", "CHANGELOG.md")
PROJECT = tomllib.loads(
    (REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LICENSES = set(PROJECT["license"].split(" AND "))
PLAIN = "# One\n\nWords.\n"


def read(name):
    return (REPO / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def verbs():
    """The verbs that the press says it has."""
    said = subprocess.run(
        [sys.executable, "-m", "press", "help"], cwd=REPO,
        capture_output=True, encoding="utf-8", check=True,
    ).stdout
    return set(re.findall(r"^  (\w+)  ", said, re.MULTILINE))


# -------------------------------------------------------------- the version


def test_the_version_and_its_day_are_the_same_in_every_paper():
    cited = yaml.safe_load(read("CITATION.cff"))
    changes = re.findall(
        r"^## ([\d.]+), (\d{4}-\d\d-\d\d)$", read("CHANGELOG.md"),
        re.MULTILINE,
    )
    assert changes[0] == (cited["version"], cited["date-released"])
    assert changes == sorted(changes, reverse=True)
    assert PROJECT["version"] == cited["version"]
    assert PROJECT["version"] == cited["preferred-citation"]["version"]
    assert read_book(REPO).version == PROJECT["version"]


@pytest.fixture
def versioned(book_of, tmp_path, quick_kernels):
    """A tiny book with these lines in its pyproject.toml, if any."""
    def make(project, chapter=PLAIN):
        if project is not None:
            (tmp_path / "pyproject.toml").write_text(
                project, encoding="utf-8")
        return book_of(chapter)
    return make


def forms(book):
    """A tiny book as page, as Typst's markup and as the EPUB's title."""
    woven = weave.weave_book(book, run.run_all(book))
    cache = book.root / "cache"
    pages.set_pages(woven, book.root, cache / "html")
    epub.set_epub(
        woven, book.root / "b.epub", cache / "epub")
    paper = pdf.told_to_typst(woven, build.imprint(book))["imprint"]
    with zipfile.ZipFile(book.root / "b.epub") as archive:
        title = archive.read("EPUB/text/title_page.xhtml").decode()
    page = (book.root / "book/01-one.html").read_text(encoding="utf-8")
    return page, paper, title


def test_pages_pdf_and_epub_show_the_version(versioned):
    page, paper, title = forms(versioned('[project]\nversion = "7.8.9"'))
    foot = page[page.index('<footer class="foot">'):]
    assert foot.startswith(
        f'<footer class="foot">Version 7.8.9. {edition.LICENSES}</footer>')
    assert paper["version"] == "7.8.9"
    assert f"Version 7.8.9. {edition.COPYRIGHT}. {edition.LICENSES}" in title


def test_a_book_without_a_version_shows_none(versioned):
    page, paper, title = forms(versioned(None))
    assert "<footer" not in page
    assert paper["version"] == ""
    assert "Version" not in title


def test_another_version_is_shown_in_place_of_what_the_cache_holds(versioned):
    for version in ("1", "2"):
        page, paper, title = forms(
            versioned(f'[project]\nversion = "{version}"'))
        assert f"Version {version}." in page
        assert paper["version"] == version
        assert f"Version {version}." in title


def test_the_foot_leads_to_what_the_licenses_say(versioned):
    book = versioned(
        '[project]\nversion = "1"',
        f"# One\n\n## Licenses {{#{edition.SECTION}}}\n\nWords.\n",
    )
    woven = weave.weave_book(book, run.run_all(book))
    pages.set_pages(woven, book.root, book.root / "c")
    for name, target in (("index.html", "book/01-one.html"),
                         ("book/01-one.html", "01-one.html")):
        page = (book.root / name).read_text(encoding="utf-8")
        foot = page[page.index('<footer class="foot">'):]
        assert f'<a href="{target}#{edition.SECTION}">' in foot


@pytest.mark.parametrize("project, words", [
    ("version = 1.", "not TOML"), ("[project]\nname = 'a'", "no version"),
    ("", "no version"),
])
def test_a_version_that_cannot_be_read_is_named(versioned, project, words):
    with pytest.raises(BookError, match=f"pyproject.toml: {words}"):
        versioned(project)


# ------------------------------------------------------------- the licenses


def test_every_place_names_the_same_licenses():
    assert LICENSES == {"MIT", "CC-BY-4.0"}
    made = read("book/made.qmd").partition(f"{{#{edition.SECTION}")[2]
    for text in (read("LICENSE.md"), made):
        named = set(re.findall(r"`(MIT|[A-Z][\w.]*-[\w.-]+)`", text))
        assert named == LICENSES
    cited = yaml.safe_load(read("CITATION.cff"))
    assert {cited["license"], cited["preferred-citation"]["license"]} == (
        LICENSES)
    for name in LICENSES:
        short = name.replace("-", " ", 1).replace("-", " ")
        for text in (edition.LICENSES, read("README.md"),
                     read("CONTRIBUTING.md")):
            assert re.search(rf"\b{re.escape(short)}\b", text), name
    assert edition.COPYRIGHT in read("LICENSE.md")


def test_the_license_goes_along_with_the_program():
    with zipfile.ZipFile(io.BytesIO(takeaways.program(REPO))) as archive:
        assert archive.read("LICENSE.md") == (
            (REPO / "LICENSE.md").read_bytes())


def test_the_wheel_bears_the_licenses():
    said = subprocess.run(
        [sys.executable, "-m", "hatchling", "metadata"], cwd=REPO,
        capture_output=True, encoding="utf-8", check=True,
    ).stdout
    assert json.loads(said)["license"] == PROJECT["license"]
    assert PROJECT["license-files"] == ["LICENSE.md"]


def test_the_citation_has_the_keys_that_its_format_requires():
    cited = yaml.safe_load(read("CITATION.cff"))
    assert cited["cff-version"] == "1.2.0"
    assert cited["type"] in ("software", "dataset")
    assert cited["message"] and cited["title"] == read_book(REPO).title
    book = cited["preferred-citation"]
    assert book["type"] == "book" and book["title"].startswith(cited["title"])
    for authors in (cited["authors"], book["authors"], PROJECT["authors"]):
        assert authors == PROJECT["authors"]
        assert authors[0]["name"].lower() in edition.COPYRIGHT.lower()


# --------------------------------------------------- what the papers lead to


@pytest.mark.parametrize("paper", PAPERS)
def test_a_paper_names_only_what_is_there(paper, verbs):
    text = read(paper)
    ignored = tuple(read(".gitignore").split())
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (REPO / target).exists(), target
    for name in re.findall(r"`([\w.*-]+(?:/[\w.*-]*)+)`", text):
        if name.startswith(ignored) or re.search(r"NAME|NN|/name\.", name):
            continue
        assert any(REPO.glob(name.rstrip("/"))), name
    for verb in re.findall(r"`make\s+([a-z]+)", text):
        assert verb in verbs, f"make {verb}"


def test_the_picture_of_the_stages_is_the_one_that_is_drawn():
    assert stages.PICTURE.read_text(encoding="utf-8") == stages.drawn()
    text = read("CONTRIBUTING.md")
    section = text[text.index("\n## How the press works"):]
    section = section[:section.index("\n## ", 5)]
    assert "](figures/stages.svg)" in section
    rows = re.findall(r"^\| (\w+) \|", section, re.MULTILINE)
    assert rows == ["stage", *stages.STAGES]


# ------------------------------------------------------ forge and pre-commit


@pytest.fixture(scope="module")
def jobs():
    return yaml.safe_load(read(".github/workflows/book.yml"))["jobs"]


def commands(job):
    return [step["run"] for step in job["steps"] if "run" in step]


def test_the_forge_runs_what_we_run(jobs, verbs):
    assert "bash .ci/run" in commands(jobs["linux"])
    assert (REPO / ".ci" / "run").exists()
    called = [command.split()[3] for command in commands(jobs["elsewhere"])
              if command.startswith("python -m press ")]
    assert called == ["tangle", "html", "quick"]
    for command in commands(jobs["linux"]):
        if command.startswith("make "):
            called.append(command.split()[1])
    assert set(called) <= verbs


def test_the_forge_knows_the_systems_and_pythons_we_serve(jobs):
    systems = jobs["elsewhere"]["strategy"]["matrix"]["system"]
    assert systems == ["macos-latest", "windows-latest"]
    low, high = re.fullmatch(
        r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    served = [f"3.{low}", f"3.{int(high) - 1}"]
    for name in ("linux", "elsewhere"):
        assert jobs[name]["strategy"]["matrix"]["python"] == served


def test_the_forge_publishes_only_what_passed_on_its_main_branch(jobs):
    publish = jobs["publish"]
    assert set(publish["needs"]) == {"linux", "elsewhere"}
    assert "github.ref == 'refs/heads/main'" in publish["if"]
    assert publish["permissions"] == {
        "pages": "write", "id-token": "write"}
    handed = [step for step in jobs["linux"]["steps"]
              if "upload-pages" in step.get("uses", "")]
    assert [step["with"]["path"] for step in handed] == ["_book"]
    for job in jobs.values():
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"])


def test_hooks_call_our_own_verbs_and_fetch_nothing(verbs):
    config = yaml.safe_load(read(".pre-commit-config.yaml"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    hooks = {hook["id"]: hook for hook in config["repos"][0]["hooks"]}
    for name, hook in hooks.items():
        make, verb, *_ = hook["entry"].split()
        assert (make, verb) == ("make", name) and verb in verbs
        assert hook["language"] == "system"
        assert hook["pass_filenames"] is False
        re.compile(hook.get("files", ""))
    assert re.match(hooks["tangle"]["files"], "book/02-forward.qmd")
    assert re.match(hooks["proof"]["files"], "index.qmd")
    assert re.search(hooks["lint"]["files"], "press/build.py")
