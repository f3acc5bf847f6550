"""A class that grows in a notebook is the one that the program has."""

import asyncio
import pickle
import sys
import types
from functools import cached_property, partialmethod
from pathlib import Path, PurePosixPath

from hypothesis import given, settings
from hypothesis import strategies as st

from press.read.cells import Cell, parse
from press.tangle.tangle import Module
from scratch.extends import extends

# What a class has beside the members of its bodies.
MADE = {"__module__", "__dict__", "__weakref__", "__firstlineno__",
        "__static_attributes__", "__annotations__", "__annotate_func__",
        "__annotations_cache__", "__slotnames__"}
HEAD = """\
from functools import cached_property, partialmethod, wraps


def loud(f):
    @wraps(f)
    def louder(*args):
        return ["loud", f(*args)]
    return louder


class Base:
    def base(self, n=0):
        return ["base", n]

    @classmethod
    def kind(cls):
        return [cls.__name__]

    def __init_subclass__(cls):
        cls.subclasses = 1
"""
# Members of a class: NAME is a name of its own. What `probe` calls.
MEMBERS = [
    "def NAME(self, a=2, *b, c=[1], **d):\n    return [a, b, c, d]",
    "def NAME(self):\n    return [super().base(1), __class__.__name__]",
    "@loud\ndef NAME(self):\n    return super().base(2)",
    "@loud\n@loud\ndef NAME(self):\n    return super().base(3)",
    "@staticmethod\ndef NAME(a=1):\n    return [a, __class__.__name__]",
    "@classmethod\ndef NAME(cls):\n    return [super().kind(), 1]",
    "@property\ndef NAME(self):\n    '''What.'''\n    return super().base(4)\n"
    "\n@NAME.setter\ndef NAME(self, value):\n"
    "    self.set = [value, super().base(5)]\n"
    "\n@NAME.deleter\ndef NAME(self):\n    super().base(6)",
    "NAME = property(lambda self: super(__class__, self).base(7))",
    "@cached_property\ndef NAME(self):\n    return super().base(8)",
    "@wraps(len)\ndef NAME(self):\n    return super().base(9)",
    "def NAME_made(self, n):\n    return super().base(n)\n\n"
    "NAME = NAME_made\nNAME_ten = partialmethod(NAME_made, 10)",
    "async def NAME(self):\n    return super().base(11)",
    "def NAME(self):\n    yield super().base(12)\n    # done",
    "def NAME(self):\n    def inner():\n        return super(__class__, self)"
    ".base(13)\n    return inner()",
    "NAME = 3  # a number",
    "NAME: int",
    "NAME: list = [lambda: 4, 5][1:]",
    "class NAME:\n    inner = 6\n\n    def f(self):\n        return __class__",
    "# only a comment\nNAME, (NAME_b, *NAME_c) = 1, (2, 3, 4)",
    "for NAME in (1, 2):\n    pass",
    "NAME = '''\nnot indented\n    # no comment\n'''",
    "def __NAME(self):\n    return 7\n\n"
    "def NAME(self):\n    return [self.__NAME(), super().base(14)]",
]
SPECIAL = [
    "def __init__(self, size=3):\n    super().__init__()\n"
    "    self.size = size",
    "def __len__(self):\n    return self.size",
    "def __eq__(self, other):\n    return vars(self) == vars(other)\n\n"
    "__hash__ = object.__hash__",
    "def __getitem__(self, i):\n    return [i, super().base(15)]",
    "def __class_getitem__(cls, i):\n    return [cls.__name__, i]",
    "def __reduce__(self):\n    return super().__reduce__()",
    "def __new__(cls, *args):\n    return super().__new__(cls)",
    "def __setattr__(self, name, value):\n"
    "    super().__setattr__(name, value)",
]


@st.composite
def classes(draw):
    """The bodies of a class, each a list of members, and what is around."""
    members = draw(st.lists(st.sampled_from(MEMBERS), max_size=12))
    members = [m.replace("NAME", f"m{i}") for i, m in enumerate(members)]
    members += draw(st.lists(st.sampled_from(SPECIAL), unique=True))
    members = draw(st.permutations(members))
    cuts = sorted(draw(st.lists(
        st.integers(0, len(members)), max_size=4)))
    bodies = [members[a:b] for a, b in zip(
        [0, *cuts], [*cuts, len(members)], strict=True)]
    between = draw(st.lists(st.sampled_from(
        ["", "x = 1", "def f():\n    return 2\n\n\n# a comment"]),
        min_size=len(bodies), max_size=len(bodies)))
    together = draw(st.booleans())
    doc = draw(st.sampled_from(["", '"""What it is."""\n']))
    return bodies, between, together, doc


def cells_of(drawn):
    """The cells of a chapter in which the class grows."""
    bodies, between, together, doc = drawn
    sources, free = [HEAD], 0
    for number, body in enumerate(bodies):
        head = "@extends(Grown)\nclass Grown:" if number else (
            "class Grown(Base):")
        text = (doc if not number else "") + "\n\n".join(body)
        if not text.strip():
            if number:
                continue
            text = "pass"
        lines, quoted = [], False
        for line in text.split("\n"):
            lines.append(line if quoted or not line else f"    {line}")
            quoted ^= line.count("'''") % 2 == 1
        grown = "\n".join([head, *lines])
        other = between[number].replace("x", f"x{free}").replace(
            "f()", f"f{free}()")
        free += 1
        parts = [part for part in (other, grown) if part]
        sources += ["\n\n\n".join(parts)] if together else parts
    fence = "`" * 3
    text = "# One\n\n" + "\n\n".join(
        f"{fence}{{python}}\n#| filename: scratch/grown.py\n{s}\n{fence}"
        for s in sources)
    return [p for p in parse(text, Path("book/one.qmd"))
            if isinstance(p, Cell)]


def run_as(name, sources, **given):
    """A module of that name in which the sources ran, one by one."""
    module = sys.modules[name] = types.ModuleType(name)
    vars(module).update(given)
    for source in sources:
        exec(compile(source, name, "exec"), vars(module))
    return module


def code_in(member):
    """The code of all functions in a member, without lines and files."""
    if isinstance(member, types.CodeType):
        return [member.co_code, member.co_names, member.co_varnames,
                member.co_freevars, member.co_cellvars,
                [code_in(c) for c in member.co_consts]]
    if isinstance(member, types.FunctionType):
        cells = [c.cell_contents for c in member.__closure__ or ()]
        return [member.__qualname__, member.__doc__, member.__defaults__,
                member.__kwdefaults__, code_in(member.__code__),
                [code_in(c) for c in cells]]
    if isinstance(member, staticmethod | classmethod):
        return [type(member).__name__, code_in(member.__func__)]
    if isinstance(member, property):
        return [code_in(f) for f in (member.fget, member.fset, member.fdel)]
    if isinstance(member, cached_property | partialmethod):
        return [type(member).__name__, code_in(member.func)]
    if isinstance(member, type):
        return [member.__qualname__, [c.__name__ for c in member.__mro__]]
    if isinstance(member, list):
        return [code_in(m) for m in member]
    return [type(member).__name__, str(member)]


def answer(act, *args):
    """What a call gives, plain enough to be compared."""
    try:
        result = act(*args)
    except Exception as error:
        return [type(error).__name__, str(error)]
    if isinstance(result, types.CoroutineType):
        result = asyncio.run(result)
    if isinstance(result, types.GeneratorType):
        result = list(result)
    return code_in(result) if isinstance(result, type | list) else [
        type(result).__name__, getattr(result, "__name__", str(result)[:10])]


@settings(max_examples=150, deadline=None)
@given(drawn=classes())
def test_the_notebook_and_the_program_have_the_same_class(drawn):
    cells = cells_of(drawn)
    text = Module(PurePosixPath("scratch/grown.py"), tuple(cells)).text
    assert "extends" not in text
    kernel = run_as("grown", [c.source for c in cells], extends=extends)
    ours = kernel.Grown
    blobs = [pickle.dumps(ours())] if "__eq__" not in vars(ours) else []
    program = run_as("grown", [text])
    theirs = program.Grown
    members = [
        {n: m for n, m in vars(kind).items() if n not in MADE}
        for kind in (ours, theirs)
    ]
    order = [[n for n in found if n not in ("__doc__", "subclasses")]
             for found in members]  # these come after the first body
    assert order[0] == order[1]
    assert members[0].keys() == members[1].keys()
    for name, member in members[0].items():
        assert code_in(member) == code_in(members[1][name]), name
    assert ours.__annotations__ == theirs.__annotations__
    assert (ours.__name__, ours.__qualname__, ours.__module__) == (
        theirs.__name__, theirs.__qualname__, theirs.__module__)
    assert (ours.__mro__[0], theirs.__mro__[0]) == (ours, theirs)
    for name in members[0]:
        if name.startswith("__"):
            continue
        a, b = ours(), theirs()
        assert answer(getattr, a, name) == answer(getattr, b, name)
        if callable(getattr(a, name)):
            assert answer(getattr(a, name)) == answer(getattr(b, name))
        assert answer(setattr, a, name, 1) == answer(setattr, b, name, 1)
        assert answer(delattr, a, name) == answer(delattr, b, name)
        assert str(vars(a)) == str(vars(b))
    assert answer(lambda: len(ours())) == answer(lambda: len(theirs()))
    assert answer(lambda: ours()[1]) == answer(lambda: theirs()[1])
    assert answer(lambda: ours[2]) == answer(lambda: theirs[2])
    for blob in blobs:  # what a notebook saved, the program can load
        assert type(pickle.loads(blob)) is theirs
