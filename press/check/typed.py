"""Find references that are typed: "Chapter 5", which stays 5 when the
chapter moves, where `@sec-optimizers` would follow it.

A number in another work stands with its source: `[@he2015, Section 3.2]`.
"""

import re
from collections import Counter
from collections.abc import Iterator

from press.errors import BookError
from press.read.document import KINDS, Document, Prose
from press.read.labels import Label

WORDS = {
    "chapter": "Chapter", "chap.": "Chapter", "ch.": "Chapter",
    "appendix": "Appendix", "appendice": "Appendix", "app.": "Appendix",
    "section": "Section", "sect.": "Section", "sec.": "Section",
    "figure": "Figure", "fig.": "Figure",
    "table": "Table", "tab.": "Table",
    "equation": "Equation", "eq.": "Equation",
    "exercise": "Exercise", "ex.": "Exercise",
}
# A word written small is a reference after these alone, not in "this
# figure 8 times".
BEFORE = {
    "and", "as", "by", "from", "in", "of", "or", "see", "since", "than",
    "to", "until", "with",
}
SPACE = r"[\s\u00a0]"
ORDINAL = r"(?:[A-Z](?![\w.]\w)|(?:[A-Z]\.)?\d+(?:\.\d+)*(?!\w))"
ONE = rf"(?:\({ORDINAL}\)|{ORDINAL})"
AND = rf"(?:{SPACE}*(?:,|–|-|&|\b(?:and|or|to|through)\b){SPACE}*)+"
TYPED = re.compile(
    rf"(?<![\w@#.-])(?i:({'|'.join(map(re.escape, WORDS))})(s)?)"
    rf"{SPACE}+({ONE}(?(2)(?:{AND}{ONE})*))"
)


def typed_faults(
    document: Document, known: list[Label]
) -> Iterator[BookError]:
    """Each number in the prose and in the captions that is typed."""
    names: dict[tuple[str, str], str] = {}
    for label in known:
        names.setdefault(label.named, label.id)
    met = Counter[tuple[int, str]]()
    for prose in document.all(Prose):
        for match in find_typed(prose.text):
            words = in_line(match[0])
            line = document.find(prose, words, met[prose.lines[0], words])
            met[prose.lines[0], words] += 1
            message = advise(match, names) if prose.place in (
                "text", "caption") else (
                f"'{words}' is typed where no reference can "
                "stand; leave the number out"
            )
            yield BookError(document.chapter.path, line, message)


def in_line(text: str) -> str:
    return " ".join(text.split())


def find_typed(text: str) -> Iterator[re.Match[str]]:
    for match in TYPED.finditer(text):
        small = match[1][0].islower()
        before = text[:match.start()].split()[-1:]
        if small and not (before and before[0].lower() in BEFORE):
            continue
        if match[3].isalpha() and WORDS[match[1].lower()] != "Appendix":
            continue
        yield match


def advise(match: re.Match[str], names: dict[tuple[str, str], str]) -> str:
    """What to write instead of "Chapter 5", or of "Chapters 2 and 3"."""
    kind = WORDS[match[1].lower()]
    prefix = next((p for p, k in KINDS.items() if k == kind), "sec")
    several = "Appendices" if kind == "Appendix" else f"{kind}s"

    def refer(number: re.Match[str]) -> str:
        name = names.get((kind, number[0]), f"{prefix}-…")
        return f"[-@{name}]" if match[2] else f"@{name}"

    instead = re.sub(ORDINAL, refer, re.sub(r"[()]", "", in_line(match[3])))
    moves = f"follows the {kind.lower()} when it moves"
    if match[2]:
        instead = f"{several} {instead}"
        moves = f"follow the {several.lower()} when they move"
    typed = in_line(match[0])
    return (
        f"'{typed}' is typed; write {instead}, which {moves} (of another "
        f"work: [@key, {typed}])"
    )
