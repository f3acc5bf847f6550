"""Set the woven chapters as one PDF, through pandoc and Typst."""

import json
import re
from importlib.metadata import version
from pathlib import Path

from press.cache import own_files, remembered
from press.errors import BookError
from press.files import laid_out
from press.pools import workers
from press.read.book import Book
from press.read.pandoc import READER, pandoc
from press.weave.printed import WORDS_FILTER, check_said
from press.weave.typst.origin import find_origin, made_of
from press.weave.weave import Woven, WovenBook, filtered

STYLES = sorted(Path(__file__).parent.glob("*.typ"))
# What the end of a chapter holds for the end of the book, in this order.
HELD_BACK = ("answers", "solutions")
HEAD = '#import "book.typ": *\n#show: printed\n\n'
TO_TYPST = ("--from", READER, "--to", "typst-smart", "--wrap=none")
PAPERS = {"a4": "a4", "letter": "us-letter"}


def set_pdf(
    woven: WovenBook, out: Path, cache: Path, *, imprint: dict[str, str],
    paper: str = "a4",
) -> None:
    """Write the PDF to `out`; from the cache where nothing changed."""
    cache.mkdir(parents=True, exist_ok=True)
    files = {
        "main.typ": typst_source(woven, cache).encode(),
        "book.json": json.dumps(told_to_typst(woven, imprint)).encode(),
        **{file.name: file.read_bytes() for file in STYLES},
    }
    for one in woven.chapters:
        files |= one.pictures
    out.write_bytes(remembered(cache, paper, {
        **files, "typst": version("typst"),
        "press": own_files(__name__),
    }, lambda: typeset(woven.book, files, paper)))


def told_to_typst(woven: WovenBook, imprint: dict[str, str]) -> dict:
    """What data.typ reads."""
    book = woven.book
    return {
        "book": {
            "title": book.title, "subtitle": book.subtitle,
            "author": book.authors,
            "lang": str(book.config.get("lang", "en")),
        },
        "imprint": imprint, "shared": woven.shared,
    }


def typst_source(woven: WovenBook, cache: Path) -> str:
    """The whole book in Typst's markup, for any paper."""
    book, common = woven.book, woven.inputs(__name__)
    with workers() as pool:
        jobs = {
            w.chapter.path: pool.submit(
                fragment, woven, w, cache, common,
            ) for w in sorted(woven.chapters, key=lambda w: -len(w.markdown))
        }
        fragments = [jobs[w.chapter.path].result() for w in woven.chapters]
    citations, references = cited_works(book, fragments, cache, common)
    works = book.config.get("bibliography", "")
    if references:
        citations = made_of(works, citations)
        references = made_of(works, references)
    return HEAD + citations + body_of(woven.chapters, fragments, references)


def fragment(
    whole: WovenBook, woven: Woven, cache: Path, common: dict[str, str],
) -> str:
    """A chapter in Typst's markup; from the cache where nothing changed."""
    chapter, markdown = woven.chapter, woven.markdown
    data = whole.told(
        [woven], lambda label: f"#{label.id}", renamed=woven.renamed,
        first_number=whole.book.shown_number(chapter),
    )

    def make() -> bytes:
        data_file = cache / f"{chapter.name}.labels.json"
        data_file.write_text(data, encoding="utf-8")
        words = cache / f"{chapter.name}.said"
        source = pandoc(
            chapter.path, markdown, *TO_TYPST,
            "--syntax-highlighting=idiomatic", *filtered(data_file),
            "--lua-filter", str(WORDS_FILTER), "--metadata", f"said={words}",
        )
        check_said(words, woven)
        return source.encode()

    return remembered(cache, chapter.name, {
        **common, "text": markdown, "data": data,
    }, make).decode()


def cited_works(
    book: Book, fragments: list[str], cache: Path, common: dict[str, str],
) -> tuple[str, str]:
    """What the citations in the fragments read, as a Typst dictionary, and
    the list of the works cited: of the whole book, so that two works of
    one author and year are 2025a and 2025b everywhere."""
    found = re.findall(r'#cited\(("(?:[^"\\]|\\.)*")\)', "\n".join(fragments))
    quoted = list(dict.fromkeys(found))
    if not quoted:
        return "", ""
    marker = "\n\n```{=typst}\n// press: next\n```\n\n"
    text = marker.join([
        "", *(re.sub(r"\\(.)", r"\1", mark[1:-1]) for mark in quoted),
        "::: {#refs}\n:::\n",
    ])
    made = remembered(cache, "citations", {**common, "text": text}, lambda: (
        pandoc(book.config["bibliography"], text, *TO_TYPST, *book.resolving())
    ).encode()).decode()
    *texts, references = made.split("// press: next\n")[1:]
    pairs = "".join(
        f"  {mark}: [{text.strip()}],\n"
        for mark, text in zip(quoted, texts, strict=True)
    )
    return (
        f"#let citations = (\n{pairs})\n"
        "#let cited(mark) = citations.at(mark)\n\n", references,
    )


def body_of(
    woven: tuple[Woven, ...], fragments: list[str], references: str
) -> str:
    """The fragments in a row, with a page before each part, and what the
    chapters left for the appendices in its place."""
    held: dict[str, list[str]] = {name: [] for name in HELD_BACK}
    body = []
    part = None
    for one, text in zip(woven, fragments, strict=True):
        name = "Appendices" if one.chapter.appendix else one.chapter.part
        if name and name != part:
            body.append(made_of(
                "_quarto.yml", f"#part({as_string(name)})",
            ))
        part = name
        for name in reversed(HELD_BACK):
            text, line, rest = text.partition(f"// press: {name}\n")
            held[name] += [made_of(one.chapter, rest)] if line else []
            here = f"// press: {name} here\n"
            text = text.replace(here, here + made_of(one.chapter, ""))
        body.append(made_of(one.chapter, text))
    if references:
        body += [
            made_of("", "#heading(level: 1, numbering: none)[References]"),
            "<bibliography>", references,
        ]
    whole = "\n".join([*body, made_of("", "")])
    if held["solutions"]:
        held["solutions"].insert(0, "#heading(level: 2)[Solutions]\n")
    for name in ("answers", "solutions"):
        whole = whole.replace(
            f"// press: {name} here\n", "\n".join([*held[name], ""])
        )
    return whole


def as_string(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def typeset(book: Book, files: dict[str, bytes], paper: str) -> bytes:
    """The PDF's bytes: the same for the same files."""
    import typst

    try:
        with laid_out(files) as folder:
            return typst.compile(
                str(folder / "main.typ"), root=str(folder), format="pdf",
                ignore_system_fonts=True, timestamp=0,
                pdf_standards=["ua-1"], sys_inputs={"paper": PAPERS[paper]},
            )
    except typst.TypstError as error:
        path, line, excerpt = find_origin(
            book, files["main.typ"].decode(), error.diagnostic)
        advice = "".join(f"; {hint}" for hint in error.hints)
        raise BookError(
            path, line,
            f"Typst cannot set this: {error.message}{advice}\n{excerpt}"
            .rstrip(),
        ) from None
