"""A class may grow over several cells, and is one class in the program."""

import pytest

from press.errors import BookError, BookErrors
from press.tangle import tangle
from tiny import cell


def program(source, module="one"):
    return cell(source, filename=f"scratch/{module}.py")


def made(book, name="one"):
    """The text of a module without its header, tangled."""
    tangle.tangle(book)
    file = book.root / "code" / "scratch" / f"{name}.py"
    return file.read_text(encoding="utf-8").partition("\n")[2]


def complaint(book):
    said = set()
    for act in (tangle.tangle, tangle.check_tangled):
        with pytest.raises((BookError, BookErrors)) as caught:
            act(book)
        said.add(str(caught.value))
    assert not (book.root / "code").exists() and len(said) == 1
    return said.pop()


def place(book, text, name="01-one"):
    """Where the last line with a text stands: `book/01-one.qmd:7`."""
    lines = (book.root / "book" / f"{name}.qmd").read_text(
        encoding="utf-8").split("\n")
    return f"book/{name}.qmd:" + str(
        max(n for n, line in enumerate(lines, 1) if text in line))


FIRST = program('''
class Room:
    """A room."""

    doors = 1

    def enter(self):
        return self.doors
''')
SECOND = program('''
@extends(Room)
class Room:
    def leave(self):
        return -self.doors
''')


def test_bodies_stand_together_where_the_class_began(book_of):
    book = book_of("# One\n\n" + FIRST + program("a = 1") + SECOND + program(
        "b = 2\n\n@extends(Room)\nclass Room:\n\n"
        "    # what is above\n    ceiling = 3  # meters\n\n\n\nc = 3"))
    assert made(book) == (
        'class Room:\n    """A room."""\n\n    doors = 1\n\n'
        "    def enter(self):\n        return self.doors\n\n"
        "    def leave(self):\n        return -self.doors\n\n"
        "    # what is above\n    ceiling = 3  # meters\n"
        "\n\na = 1\n\n\nb = 2\n\n\nc = 3\n"
    )


def test_a_later_chapter_may_extend(book_of):
    book = book_of({"01-one": "# One\n\n" + FIRST,
                    "02-two": "# Two\n\n" + program("a = 1") + SECOND})
    text = made(book)
    assert text.endswith("return -self.doors\n\n\na = 1\n")
    (early,) = tangle.modules(tangle.through(book, 1)).values()
    assert early.text.endswith("return self.doors\n")
    (module,) = tangle.modules(book.chapters).values()
    assert module.text.startswith(
        "# Tangled from book/01-one.qmd and book/02-two.qmd.")


def test_each_line_of_a_merged_class_knows_where_it_came_from(book_of):
    book = book_of({
        "01-one": "# One\n\n" + FIRST + program("a = 1"),
        "02-two": "# Two\n\n" + program(
            "b = 2\n\n\n# above\n@extends(Room)\nclass Room:\n"
            "    # within\n    @property\n    def size(self):\n"
            '        return """\n5"""\n    # below\n\n\nc = 3') + SECOND,
    })
    (module,) = tangle.modules(book.chapters).values()
    sources = {
        c.path: (book.root / c.path).read_text(encoding="utf-8").split("\n")
        for c in book.chapters
    }
    seen = []
    for number, text in enumerate(module.text.split("\n")[1:], 2):
        path, line = module.locate(number)
        if text:
            assert sources[path][line - 1].strip() == text.strip()
            seen.append((path.name, line))
    assert len(set(seen)) == len(seen) == 17
    assert "\n    # above\n    # within\n    @property" in module.text
    assert '\n5"""\n    # below\n\n    def leave' in module.text


@pytest.mark.parametrize("line", ["return gone", "return 1 +"])
def test_a_fault_in_a_later_body_is_named_where_it_stands(book_of, line):
    book = book_of({"01-one": "# One\n\n" + FIRST, "02-two": "# Two\n\n"
                    + SECOND.replace("return -self.doors", line)})
    with pytest.raises((BookError, BookErrors)) as caught:
        tangle.tangle(book)
    assert str(caught.value).startswith(place(book, line, "02-two") + ": ")


def test_the_import_of_the_decorator_goes_where_nothing_else_uses_it(book_of):
    line = "from scratch.extends import extends"
    tool = program("def extends(old):\n    return id", "extends")
    book = book_of("# One\n\n" + tool + program(f"import math\n\n{line}\n\n"
                   "a = math.pi") + FIRST + program(line) + SECOND)
    assert made(book).startswith("import math\n\n\na = math.pi\n\n\nclass")
    book = book_of("# One\n\n" + tool + program(line) + FIRST + SECOND
                   + program("again = extends(Room)"))
    assert made(book).startswith(f"{line}\n\n\nclass Room")


@pytest.mark.parametrize("source, at, says", [
    ("    def enter(self):\n        pass", "def enter",
     "'Room' already has 'enter' at book/01-one.qmd:10; keep one"),
    ("    def leave(self):\n        pass\n\n    doors = 2", "doors = 2",
     "already has 'doors' at book/01-one.qmd:8"),
    ("    import os as doors", "import os", "already has 'doors'"),
    ("    doors: int", "doors: int", "already has 'doors'"),
    ("    doors += 1", "doors +=", "already has 'doors'"),
    ("    if True:\n        a, (doors, b) = 1, (2, 3)", "a, (doors",
     "already has 'doors'"),
    ("    for doors in ():\n        pass", "for doors", "already has 'doors'"),
    ("    class doors:\n        pass", "class doors", "already has 'doors'"),
    ('    """Another."""', "Another", "the docstring of 'Room' belongs"),
    ("    __slots__ = ()", "__slots__", "gets no '__slots__'"),
    ("    windows = doors + 1", "class Room:",
     "reads 'doors', which a notebook does not find here; write 'Room.doors'"),
    ("    def f(self, n=doors):\n        pass", "class Room:",
     "reads 'doors'"),
    ("    @doors\n    def f(self):\n        pass", "class Room:",
     "reads 'doors'"),
    ("  def f(self):\n    pass", "class Room:", "indented alike"),
])
def test_what_notebook_and_program_would_see_differently_is_refused(
    book_of, source, at, says
):
    body = program(f"@extends(Room)\nclass Room:\n{source}")
    book = book_of("# One\n\n" + FIRST + body)
    said = complaint(book)
    assert said.startswith(place(book, at) + ": ") and says in said


@pytest.mark.parametrize("head, says", [
    ("@extends(Room)\nclass Room(dict):", "without a base"),
    ("@extends(Room)\nclass Room(metaclass=type):", "without a base"),
    ("@extends(Room)\nclass Hall:", "write '@extends(Hall)' alone above"),
    ("@extends(Room, 1)\nclass Room:", "write '@extends(Room)' alone"),
    ("@extends(Hall)\nclass Hall:", "no cell above defines the class 'Hall'"),
    ("@extends(area)\nclass area:", "no cell above defines the class 'area'"),
    ("@final\n@extends(Room)\nclass Room:", "write '@extends(Room)' alone"),
])
def test_an_extension_names_a_class_above_and_stands_alone(
    book_of, head, says
):
    book = book_of(
        "# One\n\n" + FIRST + program("def area():\n    pass")
        + program(f"{head}\n    x = 1"))
    said = complaint(book)
    assert said.startswith(place(book, "class ") + ": ") and says in said


def test_a_class_is_extended_after_it_is_made_and_in_its_own_module(book_of):
    for text in (SECOND + FIRST, FIRST.replace("/one", "/two") + SECOND):
        assert "no cell above defines" in complaint(book_of("# O\n\n" + text))


def test_a_doubled_method_between_two_extensions_names_both(book_of):
    book = book_of({"01-one": "# One\n\n" + FIRST + SECOND,
                    "02-two": "# Two\n\n" + SECOND})
    assert complaint(book).startswith(
        f"{place(book, 'def leave', '02-two')}: 'Room' already has 'leave' "
        f"at {place(book, 'def leave')};")


@pytest.mark.parametrize("again", [
    "class Room:\n    pass", "@other(Room)\nclass Room:\n    pass",
    "@extends\nclass Room:\n    pass",
])
def test_without_the_decorator_a_second_class_is_still_an_error(
    book_of, again
):
    said = complaint(book_of("# One\n\n" + FIRST + program(again)))
    assert "already defines 'Room' at book/01-one.qmd:5" in said


def test_a_body_on_the_line_of_its_class_cannot_grow(book_of):
    for text in (program("class Room: doors = 1") + SECOND,
                 FIRST + program("@extends(Room)\nclass Room: x = 1")):
        assert "lines of their own" in complaint(book_of("# One\n\n" + text))


def test_names_inside_of_functions_are_nobodys(book_of):
    text = made(book_of("# One\n\n" + FIRST + program(
        "@extends(Room)\nclass Room:\n    def walls(self):\n"
        "        doors = enter = [doors for doors in ()]\n"
        "        return doors, enter\n\n"
        "    area = property(lambda self: (doors := self.doors) * doors)\n"
        "    twice = [enter for enter in ()]")))
    scope = {}
    exec(text, scope)
    assert scope["Room"]().area == 1 and scope["Room"]().walls() == ([], [])
