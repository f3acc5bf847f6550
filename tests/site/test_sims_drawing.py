"""A digit drawn in a page is read as `scratch` reads it."""

from base64 import b64encode

import pytest
import torch

from figures import recognizer
from scratch.data import DataLoader, load_mnist
from scratch.functional import forward, softmax
from scratch.init import make_params
from scratch.optim import Adam
from scratch.train import train
from stage import FOLDER, settled
from strokes import traced


@pytest.fixture(scope="module")
def digits():
    return load_mnist(split="test")


@pytest.fixture(scope="module")
def trained():
    return recognizer.load(FOLDER / "weights.js")


def test_the_page_reads_1000_digits_as_scratch_does(
    numbers, digits, trained
):
    X, y = digits[0][:1000], digits[1][:1000]
    theirs = softmax(forward(X, *trained))
    sent = [{"box": [0, 0, 28, 28], "bytes": b64encode(image).decode()}
            for image in (X * 255).round().to(torch.uint8).numpy()]
    ours = torch.tensor(numbers("recognizer", "readAll", sent))
    assert (ours - theirs).abs().max() < 1e-5
    assert (ours.argmax(1) == theirs.argmax(1)).sum() >= 999
    assert (ours.argmax(1) == y).float().mean() > 0.96


def test_what_the_file_rounds_off_changes_no_probability(digits, tmp_path):
    X, y = load_mnist()
    params = [p.detach() for p in make_params(seed=3)]
    loader = DataLoader(X[:5_000], y[:5_000],
                        generator=torch.Generator().manual_seed(3))
    train(params, loader, Adam(params, lr=0.003))
    size = recognizer.export(params, *digits, tmp_path / "w.js", keep=None)
    assert size < 300_000
    back = recognizer.load(tmp_path / "w.js")
    full, short = (recognizer.read(p, digits[0]) for p in (params, back))
    assert (full - short).abs().max() < 1e-3
    assert (full.argmax(1) != short.argmax(1)).sum() <= 10
    assert not torch.equal(params[0], back[0])


def test_a_file_that_reads_as_well_is_kept(digits, tmp_path, trained):
    path, asked = tmp_path / "w.js", []
    other = [p * 1.001 for p in trained]
    recognizer.export(trained, *digits, path, keep=None)
    before = path.read_bytes()

    def keep(answer):
        def judge(params):
            asked.append(all(
                torch.equal(a, b)
                for a, b in zip(params, trained, strict=True)
            ))
            return answer
        return judge

    recognizer.export(other, *digits, path, keep(True))
    assert path.read_bytes() == before and asked == [True]
    recognizer.export(other, *digits, path, keep(False))
    assert path.read_bytes() != before


def test_the_samples_are_of_the_test_set_right_ones_first(
    numbers, digits, trained, math_pages
):
    X, y = digits
    listed = math_pages("recognizer").evaluate("DIGITS")
    chosen = [entry["index"] for entry in listed]
    assert chosen == recognizer.samples(trained, X, y)
    right = recognizer.read(trained, X[chosen]).argmax(1) == y[chosen]
    assert right.tolist() == [True] * 10 + [False] * 8
    for entry in listed:
        pixels = numbers("recognizer", "pixelsOf", entry)
        assert pixels == pytest.approx(X[entry["index"]].tolist(), abs=1e-6)
        assert entry["label"] == y[entry["index"]]


@pytest.mark.parametrize("size, x, y", [(30, 20, 150), (190, 5, 5)])
def test_a_drawing_is_centered_as_mnist_was(numbers, size, x, y):
    stroke = [[x, y], [x + size, y], [x, y + size * 0.8]]
    image = torch.tensor(numbers("recognizer", "centered", [stroke]))
    grid = image.reshape(28, 28)
    at = torch.arange(28.0)
    assert (grid.sum(0) @ at / grid.sum()).item() == pytest.approx(14, abs=.1)
    assert (grid.sum(1) @ at / grid.sum()).item() == pytest.approx(14, abs=.1)
    columns = (grid.amax(0) > 0).sum().item()
    assert 20 <= columns <= 21 and (grid.amax(1) > 0).sum() < columns
    assert 0 <= grid.min() and grid.max() == 1
    assert ((grid > 0) & (grid < 1)).sum() > 20      # gray edges


def test_mnist_has_its_center_of_mass_at_pixel_14(digits):
    grid = digits[0].reshape(-1, 28, 28)
    at = torch.arange(28.0)
    for d in (1, 2):
        center = grid.sum(3 - d) @ at / grid.sum((1, 2))
        assert (center - 14).abs().max() < 0.51


def test_an_empty_sheet_and_a_dot_are_drawings(numbers):
    assert sum(numbers("recognizer", "centered", [])) == 0
    dot = numbers("recognizer", "centered", [[[50, 50]]])
    assert 2 < sum(dot) < 10


def test_traced_handwriting_is_read(numbers, digits, capsys):
    chosen = torch.randperm(
        10_000, generator=torch.Generator().manual_seed(2))[:200]
    drawings = traced(digits[0][chosen])
    probs = torch.tensor(numbers("recognizer", "readDrawn", drawings))
    right = (probs.argmax(1) == digits[1][chosen]).float().mean().item()
    with capsys.disabled():
        print(f"\ntraced strokes of 200 test digits: {right:.1%} read right")
    assert right >= 0.9


def answer(tab):
    settled(tab)
    return tab.locator(".verdict").text_content()


@pytest.mark.parametrize("touch", [False, True])
def test_strokes_on_the_sheet_are_what_the_network_reads(
    on_stage, numbers, digits, touch
):
    tab = on_stage("recognizer", touch=touch, width=390 if touch else 1280)
    pad = tab.locator(".desk canvas")
    box = pad.bounding_box()
    for drawing in traced(digits[0][:2]):
        tab.locator("text=Clear").click()
        assert answer(tab) == "The paper is empty."
        for stroke in drawing:
            points = [(box["x"] + x / 112 * box["width"],
                       box["y"] + y / 112 * box["height"])
                      for x, y in stroke]
            tab.mouse.move(*points[0])
            tab.mouse.down()
            for point in points[1:]:
                tab.mouse.move(*point)
            tab.mouse.up()
        probs = numbers("recognizer", "readDrawn", [drawing])[0]
        best = max(range(10), key=probs.__getitem__)
        assert f"The network reads a {best}" in answer(tab)


def test_keys_can_draw(on_stage):
    tab = on_stage("recognizer")
    tab.locator("text=Clear").click()
    tab.locator(".desk canvas").focus()
    tab.keyboard.press("Space")
    for _ in range(3):
        tab.keyboard.press("PageDown")
    tab.keyboard.press("Space")
    assert "reads a 1" in answer(tab)
    tab.keyboard.press("ArrowLeft")              # the pen is up
    before = answer(tab)
    tab.locator("text=Undo stroke").click()
    assert answer(tab) == "The paper is empty." != before


def test_a_misread_sample_says_so(on_stage):
    tab = on_stage("recognizer")
    tab.locator(".thumbs button").nth(10).click()
    words = answer(tab)
    wrote, read = words.split("wrote a ")[1][0], words.split("reads a ")[1][0]
    assert wrote != read
