"""Every chapter has exercises and quizzes, and every solution is right.

What a solution printed when the book was built must say what the exercise
asks for, whatever the machine: numbers are compared with what theory or
torch gives, or with each other.
"""

import json
import math
import re

import pytest
import torch

from built import BOOK, SITE
from press.read.document import Div, Quiz, Shown

CHAPTERS = [c for c in BOOK.chapters
            if not c.appendix and c.name != "primer"]
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def solutions():
    """(chapter, exercise, the indices of its solution's cells)."""
    for document in BOOK.documents:
        exercise, pieces = None, document.chapter.pieces
        for div in document.all(Div):
            if div.id.startswith("exr-"):
                exercise = div.id
            elif "solution" in div.classes:
                yield document.chapter, exercise, [
                    pieces.index(shown.cell) for shown in document.all(Shown)
                    if div in shown.within
                ]


def printed(chapter, indices):
    """What cells printed when the book was built."""
    file = SITE / "notebooks" / f"{chapter.name}.ipynb"
    if not file.exists():
        pytest.fail("no _book/; run 'make book' first ('make test' does)")
    nodes = {
        node["id"]: node
        for node in json.loads(file.read_text(encoding="utf-8"))["cells"]
    }
    text = ""
    for index in indices:
        node = nodes[f"cell-{index}"]
        assert "".join(node["source"]) == chapter.pieces[index].source, (
            "the book is older than its sources; run 'make book'")
        for output in node["outputs"]:
            assert output["output_type"] != "error"
            text += "".join(output.get("text", ""))
    return text


SOLUTIONS = {name: (chapter, cells) for chapter, name, cells in solutions()}


# ---------------------------------------------------------------- claims


def numbers(text):
    return [float(number) for number in NUMBER.findall(text)]


def near(a, b, share):
    return abs(a - b) <= share * abs(b)


def four(text):
    """The numbers with four decimals, of a text with other numbers."""
    return [float(n) for n in re.findall(r"\d\.\d{4}\b", text)]


def last_column(text):
    return [float(line.split()[-1]) for line in text.splitlines()]


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def views():
    W = torch.zeros(784, 128)
    return "".join(
        f"{list(v.shape)} {v.stride()} {v.storage_offset()}\n"
        for v in (W[10:20, ::2], W.T[5])
    )


def rises(values):
    return all(a < b for a, b in zip(values, values[1:], strict=False))


def falls(values):
    return rises([-value for value in values])


def fan_in(text):
    on_W, wanted, on_WT, wanted_T = four(text)
    return (
        near(on_W, (2 / 128) ** 0.5, 0.01) and near(wanted, on_W, 0.01)
        and near(on_WT, (2 / 784) ** 0.5, 0.01)
        and near(wanted_T, on_WT, 0.01)
    )


def no_relu(text):
    once, twice, tanh, tanh_twice = last_column(text)
    return (  # 50 linear layers: the spread stays, or doubles 25 times
        0.2 < once < 5 and near(math.log2(twice / once), 25, 0.2)
        and tanh < tanh_twice < 1
    )


def outline(text):
    counts = [int(n) for n in re.findall(r" (\d+)$", text, re.MULTILINE)]
    attention = torch.nn.MultiheadAttention(28, 4)
    projection = parameters(attention.out_proj)
    return counts == [
        parameters(torch.nn.Conv2d(1, 8, 5)),
        parameters(attention) - projection, projection,
        parameters(torch.nn.Linear(28, 10)),
    ]


def per_image(text):
    *rows, enough = text.splitlines()
    unit = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
    seconds = {
        int(batch): float(value) * unit[name]
        for batch, value, name in (row.split() for row in rows)
    }
    least = min(seconds.values())
    chosen = int(enough.removeprefix("enough: "))
    return (
        seconds[1] > least and seconds[chosen] <= 1.26 * least
        and all(s > 1.24 * least for b, s in seconds.items() if b < chosen)
    )


def questions(text):
    asks = {line[:12].strip(): line[12:].strip()
            for line in text.splitlines()}
    return (
        {name for name, answer in asks.items() if answer == "True"}
        == {"tolist", "x[x > 0]", "nonzero"}
        and set(asks.values()) == {"True", "False"}
    )


def in_place(text):
    said = dict(line.split(": ", 1) for line in text.splitlines())
    return [name for name, what in said.items() if what == "no error"] == [
        "x @ W"] and "leaf Variable" in said["the leaf itself"]


def permutations(text):
    first, second = (numbers(line) for line in text.splitlines())
    seeded = torch.Generator().manual_seed(0)
    return (
        first == torch.randperm(10, generator=seeded).tolist() != second
        and sorted(second) == list(range(10))
    )


CLAIMS = {
    # Chapter 0
    "exr-deeper": lambda t: numbers(t)[-1] == sum(
        a * b + b for a, b in ((784, 128), (128, 64), (64, 10))),
    "exr-damaged": lambda t: t == (
        "copy: 10007 bytes, not 10008\ncopy: not IDX bytes (0x01000801)\n"),
    "exr-linear-means": lambda t: numbers(t)[0] <= 2,
    "exr-neighbor": lambda t: 90 < numbers(t)[0] < 95 and
    75 < numbers(t)[1] < 85,
    # Chapter 1
    "exr-strides": lambda t: t == views(),
    "exr-fan-in": fan_in,
    "exr-uniform": lambda t: all(
        near(n, (2 / 784) ** 0.5, 0.01) for n in four(t)) and t,
    "exr-no-relu": no_relu,
    # Chapter 2
    "exr-single-image": lambda t: t == "[10] True\n",
    "exr-absolute": lambda t: t == "True\n",
    "exr-blank": lambda t: numbers(t) == [0] * 11,
    "exr-depth": lambda t: t.startswith("True\n") and numbers(t) == [
        784 * 64 + 64 * 64 + 64 * 10, 784 * 128 + 128 * 10],
    # Chapter 3
    "exr-shift-by-the-least": lambda t: [
        "nan" in line for line in t.splitlines()] == [True, True, False]
        and numbers(t.splitlines()[-1]) == [0, 0, 1],
    "exr-first-loss": lambda t: near(*numbers(t), 5e-3)
        and math.log(10) < numbers(t)[0] < 3,
    "exr-brier": lambda t: falls(last_column(t))
        and last_column(t)[-1] < 1e-6 and len(t.splitlines()) == 4,
    "exr-smoothing": lambda t: t == "True\n",
    "exr-temperature": lambda t: falls(last_column(t))
        and near(last_column(t)[-1], math.log(10), 1e-3),
    # Chapter 4
    "exr-three-layers": lambda t: t == f"{[True] * 6}\n",
    "exr-pixels": lambda t: rises(numbers(t)[:2]) and numbers(t)[2] < 0.2,
    "exr-smoothing-backward": lambda t: t == "True\n",
    "exr-function": lambda t: t == "True\nFalse\n",
    # Chapter 5
    "exr-uneven": lambda t: t == "close: True\n",
    "exr-momentum-limit": lambda t: [
        [float(way) < 1e-6, float(way) > 1e6]
        for line in t.splitlines() for way in line.split()[1:]
    ] == [[True, False], [False, True]] * 2,
    "exr-adamw": lambda t: t == "exact: True\n",
    "exr-resume": lambda t: t == "True False\n",
    # Chapter 6
    "exr-mean-of-means": lambda t: numbers(t)[1] < 1e-4 < numbers(t)[0],
    "exr-rate": lambda t: last_column(t)[0]
        > last_column(t)[3] == max(last_column(t)[1:]) > 0.85,
    "exr-looking": permutations,
    "exr-replacement": lambda t: near(numbers(t)[0], 1 / math.e, 0.01)
        and numbers(t)[1] > 0.93,
    # Chapter 7
    "exr-accumulated": lambda t: t == "True\n",
    "exr-validation": lambda t: near(*numbers(t), 0.01)
        and 0.96 < min(numbers(t)) <= max(numbers(t)) <= 1,
    "exr-width": lambda t: rises(last_column(t)) and len(
        t.splitlines()) == 3 and last_column(t)[-1] > 0.9,
    "exr-wrong-labels": lambda t: numbers(t)[0] > 0.93
        and 0.6 < numbers(t)[1] < 0.8,
    # Chapter 8
    "exr-one-ulp": lambda t: len(last_column(t)) == 3 and all(
        1e-8 < distance < 0.1 for distance in last_column(t)),
    "exr-hidden-bug": lambda t: min(numbers(t)) > 0.8 and [
        line.split()[1] for line in t.splitlines()] == ["True", "False"],
    "exr-autograd-rung": lambda t: t == "(100, 100)\n",
    "exr-kernel": lambda t: numbers(t)[1] == 938 >= numbers(t)[0] > 0
        and 0 < numbers(t)[2] < 1,
    # Chapter 9
    "exr-questions": questions,
    "exr-per-image": per_image,
    "exr-fewer": lambda t: falls(numbers(t)[:2]) and falls(numbers(t)[2:])
        and near(numbers(t)[2] - numbers(t)[3],
                 5e-6 * 938 * (numbers(t)[0] - numbers(t)[1]), 0.2),
    "exr-rate-on-tape": lambda t: all(
        near(float(line.split()[-1]), float(line.split(":")[0]), 1e-3)
        for line in t.splitlines()) and last_column(t) == [0.01, 0.001],
    # Chapter 10
    "exr-outline": outline,
    "exr-silence": lambda t: t.endswith("True\n")
        and falls(numbers(t)) and len(numbers(t)) == 3,
    "exr-fold": lambda t: numbers(t)[0] < 1e-12,
    "exr-order": lambda t: numbers(t)[0] < 1e-6,
    # Chapter 11
    "exr-in-place": in_place,
    "exr-channels": lambda t: t == "exact [0, 49]\n",
    "exr-committee": lambda t: min(numbers(t)) > 0.97
        and max(numbers(t)) <= 1 and len(numbers(t)) == 4,
    "exr-moving": lambda t: (n := numbers(t))[1] < n[3] - 0.1
        and n[1] < n[0] and n[2] < n[0] + 0.01,
    # Chapter 12
    "exr-own-function": lambda t: t == "True\n",
    "exr-recursion": lambda t: t == "RecursionError\n10000\n",
    "exr-checkpoint": lambda t: t.startswith("True ")
        and numbers(t)[0] > 0,
    "exr-second": lambda t: near(float(t), 6 * 2, 1e-5),
    # Where the digits come from
    "exr-bit": lambda t: "same size: True" in t
        and re.search("intact: +False", t),
    "exr-scale": lambda t: "lose: 0 0" in t and "rounded: 0" in t
        and numbers(t)[-3] > 0,
}


@pytest.mark.parametrize("name", SOLUTIONS)
def test_what_a_solution_printed_is_what_the_exercise_asks(name):
    text = printed(*SOLUTIONS[name])
    assert CLAIMS[name](text), text


SWAPPED = str.maketrans("0123456789", "9876543210")


@pytest.mark.parametrize("name", SOLUTIONS)
def test_no_claim_would_let_another_output_through(name):
    text = printed(*SOLUTIONS[name])
    other = re.sub(
        "True|False", lambda m: str(m[0] == "False"), text
    ).translate(SWAPPED).replace("exact", "close").replace("no ", "an ")
    other = re.sub(r"\b0e-\d+", "1", other)     # 9e-16: 0 would be small
    other = re.sub(r"e-\d+", "", other)
    assert other != text
    try:
        assert not CLAIMS[name](other), other
    except (ValueError, IndexError, KeyError, TypeError, ZeroDivisionError):
        pass


def test_every_solution_is_claimed_and_every_claim_has_its_solution():
    assert list(SOLUTIONS) == list(CLAIMS)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.name)
def test_a_chapter_has_three_to_five_exercises_each_with_a_solution(chapter):
    exercises = [div.id for div in BOOK.document(chapter).all(Div)
                 if div.id.startswith("exr-")]
    solved = [name for name, (where, cells) in SOLUTIONS.items()
              if where is chapter and cells]
    assert solved == exercises
    assert 3 <= len(exercises) <= 5


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.name)
def test_a_chapter_has_four_to_six_quizzes_whose_options_say_why(chapter):
    quizzes = BOOK.document(chapter).all(Quiz)
    assert 4 <= len(quizzes) <= 6
    for quiz in quizzes:
        assert len(quiz.options) >= 3
        assert all(why for _, why in quiz.options)
        assert [right for right, _ in quiz.options].count(True) == 1
