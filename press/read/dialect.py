"""What no chapter may hold, for it would not come out right in all formats.

Raw HTML and TeX, cells of other engines, notes that lead nowhere, and
Markdown that is none: pandoc lets it stand in the text as it is written. Here
stand the messages; reading.py finds the places.
"""

import re
from collections.abc import Iterator

INSTEAD = {   # of a tag
    "br": "end the line with a backslash",
    "img": "write ![what it shows](file)",
    "a": "write [words](target)", "p": "leave a blank line",
    "b": "write **words**", "strong": "write **words**",
    "i": "write *words*", "em": "write *words*",
    "u": "write [words]{.underline}", "s": "write ~~words~~",
    "del": "write ~~words~~", "sub": "write H~2~O",
    "sup": "write 2^10^", "code": "write `words`", "tt": "write `words`",
    "pre": "write a fence, ```", "hr": "write ---",
    "kbd": "write `words`", "mark": "write [words]{.mark}",
    "script": "write a simulation in figures/sims/",
    "style": "write a class, and its rule in press/weave/html/css",
    "table": "write a pipe table, | a | b |",
    "ul": "write '- item'", "ol": "write '1. item'", "li": "write '- item'",
    "blockquote": "write '> words'", "div": "write ::: {.name}",
    "figure": "write ![caption](file)", "svg": "put it into a file and "
    "write ![what it shows](file.svg)",
}
SHOWN_AS_CODE = "to show it, write it as code"
TAG = re.compile(r"</?\s*([A-Za-z][\w:-]*)")
COMMENT = re.compile(r"\s*(?:<!--.*?-->\s*)+", re.DOTALL)
ENGINES = {"r", "julia", "ojs"}  # that Quarto has, besides Python
FOREIGN = re.compile(r"\{\s*([A-Za-z][\w-]*)\b(?![\w-]*=)([^{}]*)\}")
RAW_FENCE = re.compile(r"\{\s*=\s*([\w-]+)")
NO_TABLE = (
    "a table has a row |---|---| below its head, as many columns in each "
    "row, and a blank line above")
# Markdown that stands in the words of a page, and what it lacks there.
STRAYS = (
    (r":{3,}", "a div begins and ends on a line of its own, with a blank "
     "line above, as in '::: {.note}'"),
    (r"!\[", "an image is written ![what it shows](file), a name with "
     "spaces in it as <a name.png>"),
    (r"\{\{[<%](?:.*?[>%]\}\})?|[>%]\}\}",
     "no shortcode of Quarto's is known here; write "
     "what it stands for"),
    (r"\[\^[^\]\s]*\]?", "no such note is defined; write '[^1]: words' in a "
     "paragraph of its own, and no note within a note"),
    (r"\[!\w+\]", "write ::: {.callout-note}"),
    (r"\]\s?\{|\{[#.=]", "attributes go with what stands right before them, "
     "[words]{.name}, or at the end of a heading; an equation's stand behind "
     "its $$"),
    (r"\]\(|\]\[", "a link is written [words](target), a target with spaces "
     "as <a target>"),
    (r"`", "a ` of code lacks its other one"),
    (r"\*\*", "what is strong begins and ends beside its words, **words**"),
    (r"\$\$", "a formula begins and ends with $$, without a blank line"),
    (r"~{3,}", "a fence begins and ends on a line of its own"),
    (r"</?[A-Za-z][\w-]*|<![\w-]",
     "no tag of HTML is known here; leave a space "
     "behind the <, or write what the tag stands for in Markdown"),
    (r"&#?\w+;", "this names no character; write the character itself"),
    (r"(?m)^\|.*\|$", NO_TABLE),
    (r"\x1b|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "no page can show this "
     "character; remove it"),
)
STRAY = re.compile("|".join(
    f"(?P<s{n}>{pattern.removeprefix('(?m)')})"
    for n, (pattern, _) in enumerate(STRAYS)
), re.MULTILINE)
# What Markdown that is printed may not hold, outside code and formulas.
UNPRINTED = (
    (r"<(?:!--|/?[A-Za-z][\w-]*)", "PDF and EPUB cannot show raw HTML; print "
     "Markdown alone"),
    (r"!\[", "let matplotlib draw the picture, or write the image in the "
     "text of the chapter"),
    (r"^(?:> ?)*#{1,6}[ \t]", "no heading is made by a cell; write it in the "
     "text of the chapter"),
    (r"\[\^[^\]\s]*\]", "notes stand in the text of the chapter"),
    (r"\{\{[<%]", "no shortcode of Quarto's is known here"),
    (r":::", "divs stand in the text of the chapter"),
    (r"\\[A-Za-z]+", "PDF and EPUB cannot show raw TeX; put a formula "
     "between $ and $"),
    (r"\{=\w+", "no format is written for by itself; print Markdown alone"),
)
NO_WORDS = re.compile(
    r"^(`{3,}|~{3,}).*?^\1|(?<!`)(`+)(?!`).+?(?<!`)\2(?!`)|\$\$.+?\$\$"
    r"|(?<!\\)\$(?=\S).+?(?<=\S)\$|<https?://[^>\s]*>|\\[^A-Za-z]",
    re.DOTALL | re.MULTILINE)
WARNED = (   # what pandoc warns of, and what we say
    (r"Duplicate note reference '(.*?)'",
     "the note [^{}] is defined twice; rename one, or remove it"),
    (r"Note with key '(.*?)' defined .* not used",
     "no text refers to the note [^{}]; write [^{}] where it belongs, or "
     "remove it"),
    (r"Duplicate identifier '(.*?)'",
     "the id '{}' is given twice; rename one"),
    (r"Duplicate link reference '(.*?)'",
     "the target of {} is given twice; keep one"),
)
WARNED_LINE = re.compile(r"\bat (?:chunk )?line (\d+)")
CALLOUTS = ("note", "tip", "warning", "important", "caution")
FORMATS = ("html", "typst", "pdf")   # that a div may be meant for
HANDLED = re.compile(r"on\w+|style|srcdoc", re.IGNORECASE)
NO_METADATA = (
    "no book reads what is said here of the chapter; remove it, and where a "
    "line is meant write *** between blank lines")
# What the scanner finds and pandoc does not, and the other way round.
UNSEEN = {
    "heading": "pandoc sees no heading here; write '## Title' between blank "
    "lines, outside quotes, lists and raw HTML",
    "div": "pandoc sees no div here; leave a blank line above it, and give "
    "it attributes such as '::: {.note}'",
    "end": "pandoc sees no end of a div here; leave a blank line above it",
    "cell": "pandoc sees no cell here; begin its fence at the start of the "
    "line, or in a list where the words of its item begin",
}
UNMEANT = {
    "heading": "pandoc sees a heading that is not written as one; write "
    "'## Title' between blank lines, outside quotes and lists",
    "div": "pandoc sees a div that is not written as one; write "
    "'::: {.name}' on a line of its own",
}


def stray_marks(words: str) -> Iterator[tuple[str, str]]:
    """Source that stands among words, each with what to write instead."""
    for match in STRAY.finditer(words):
        advice = STRAYS[int(str(match.lastgroup)[1:])][1]
        yield match[0], (
            f"'{shown_safely(match[0])}' would be printed as it stands; "
            f"{advice}; {SHOWN_AS_CODE}"
        )


def markdown_fault(words: str) -> str | None:
    """Why Markdown that a cell or an expression gives cannot be printed."""
    for pattern, advice in UNPRINTED:
        if found := re.search(pattern, NO_WORDS.sub("", words), re.MULTILINE):
            return f"'{shown_safely(found[0])}' in it: {advice}"
    return None


def shown_safely(words: str) -> str:
    """Words for a message: no control character, and not many."""
    safe = "".join(c if c.isprintable() else repr(c)[1:-1] for c in words)
    return safe if len(safe) <= 40 else f"{safe[:39]}…"


def raw_fault(kind: str, text: str) -> str | None:
    """Why raw HTML, TeX or Typst cannot stand in a chapter."""
    if kind == "html":
        if COMMENT.fullmatch(text):
            return None
        tag = TAG.search(text)
        name = tag[1].lower() if tag else ""
        return (
            f"raw HTML, {shown_safely(text)}, which PDF and EPUB cannot "
            f"show; {INSTEAD.get(name, 'write it in Markdown')}; "
            f"{SHOWN_AS_CODE}"
        )
    sort = {"tex": "TeX", "latex": "TeX"}.get(kind, kind)
    return (
        f"raw {sort}, {shown_safely(text.strip())}, which the other formats "
        "leave out; write it in Markdown, a formula between $ and $; "
        f"{SHOWN_AS_CODE}"
    )


def fence_fault(fence: str, info: str, before: str) -> str | None:
    """Why a fence is none: Quarto would run it, or pandoc not see it."""
    if raw := RAW_FENCE.match(info):
        return raw_fault(raw[1], f"{fence}{info}")
    if not (found := FOREIGN.match(info)):
        return None
    if found[1].lower() != "python":
        return (
            f"no engine runs {{{found[1]}}} here, only {{python}}; draw a "
            "picture into a file, or show the code with "
            f"{fence}{{.{found[1]}}}"
        )
    where = "in no quotation" if ">" in before else (
        "on a line of its own, below the words of a list's item")
    return (
        "Quarto runs this as a cell or shows it, as it sees fit; write "
        f"```{{python}}, {where}, and to show it ```{{{{python}}}}"
    )


def code_fault(text: str) -> str | None:
    """Why code in a sentence is an expression that nobody evaluates."""
    found = FOREIGN.match(text)
    if not found or found.start() or found[2].strip():
        return None
    rest = text[found.end():]
    if found[1] == "python" and rest[:1].isspace():
        return None
    if found[1].lower() == "python":
        return (
            f"`{shown_safely(text)}` is not evaluated; write "
            "`{python} expression` with a space, and to show it "
            "`{{python}} expression`"
        )
    if found[1] not in ENGINES or not rest[:1].isspace():
        return None   # a set, a format: `{x}`
    return (
        f"no engine evaluates `{shown_safely(text)}` here; write "
        "`{python} expression`"
    )


def div_fault(classes: list[str], named: dict[str, str]) -> str | None:
    """Why a div would not be what Quarto makes of it."""
    for name in classes:
        kind = name.removeprefix("callout-")
        if name.startswith("callout") and kind not in CALLOUTS:
            return (
                f"no callout is called '{name}'; write "
                + ", ".join(f".callout-{one}" for one in CALLOUTS)
            )
        if name.startswith(("panel-", "layout")) or name == "cell":
            return (
                f"'.{name}' is Quarto's alone; write sections, or a cell "
                "for each picture"
            )
    for name, value in named.items():
        if name == "collapse" and value != "true":
            return 'a callout is folded or is not; write collapse="true"'
        if name.startswith("layout"):
            return f"'{name}' is Quarto's alone; write a cell for each picture"
        if "content-visible" in classes or "content-hidden" in classes:
            if name not in ("when-format", "unless-format"):
                return f"'{name}' is read by Quarto alone; write when-format"
            if value not in FORMATS:
                return (
                    f"no format is called '{value}'; write "
                    + ", ".join(FORMATS)
                )
    return None


def formula_fault(tex: str) -> str:
    return (
        f"the formula {shown_safely(' '.join(tex.split()))} cannot be set; "
        "write TeX that pandoc knows, close each {, and define no commands"
    )


def attribute_fault(name: str) -> str | None:
    """Why an attribute cannot stand on a page under our policy."""
    if not HANDLED.fullmatch(name):
        return None
    return (
        f"the attribute '{name}' is not let through by the policy of the "
        "pages; write a class, and its rule in press/weave/html/css or its "
        "script in figures/sims/"
    )


def warning_fault(warning: str) -> tuple[int, str, str]:
    """The line that pandoc gives with a warning, the warning in our words,
    and what to look for where that line is not the place."""
    line = WARNED_LINE.search(warning)
    message, place = f"pandoc warns of this: {warning}", ""
    for pattern, says in WARNED:
        if found := re.search(pattern, warning):
            message = says.replace("{}", found[1])
            if "identifier" in warning:
                place = rf"#{re.escape(found[1])}(?![\w-])"
    return int(line[1]) if line else 1, message, place
