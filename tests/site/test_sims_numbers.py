"""The simulations compute what `scratch` computes."""

import json
from base64 import b64encode

import pytest
import torch

from built import ROOT
from figures import rates, recognizer
from figures.anatomy import describe
from scratch import nn
from scratch.data import DataLoader, load_mnist
from scratch.functional import (
    cross_entropy,
    forward,
    linear,
    relu,
    softmax,
)
from scratch.init import make_params
from scratch.optim import Adam
from scratch.train import train
from stage import FOLDER, settled
from strokes import traced

LOGITS = [-0.5, 0.2, 0.4, 3.0, -1.0, 0.6, -0.8, 2.0, 0.3, 0.8]


# ------------------------------------------------------------ cross-entropy


def explored(numbers, logits, target, *, shift=True, double=False):
    """What the simulation finds, in float32 or in float64."""
    if not double:
        return numbers("cross-entropy", "crossEntropy", logits, target,
                       {"shift": shift})
    return numbers("cross-entropy", "inFloat64", logits, target)


def by_scratch(logits, target, dtype):
    z = torch.tensor([logits], dtype=dtype, requires_grad=True)
    t = torch.tensor([target])
    loss = cross_entropy(z, t)
    [d_z] = torch.autograd.grad(loss, z)
    squared = (1 - softmax(z)[0, target]) ** 2
    [d_squared] = torch.autograd.grad(squared, z)
    return {
        "probs": softmax(z)[0].tolist(), "loss": loss.item(),
        "gradient": d_z[0].tolist(), "squared": squared.item(),
        "squaredGradient": d_squared[0].tolist(),
    }


@pytest.mark.parametrize("seed", range(5))
def test_cross_entropy_equals_scratch(numbers, seed):
    g = torch.Generator().manual_seed(seed)
    logits = (5 * torch.randn(10, generator=g)).tolist()
    for dtype, rel in ((torch.float64, 1e-9), (torch.float32, 2e-5)):
        ours = explored(numbers, logits, seed,
                        double=dtype is torch.float64)
        for name, value in by_scratch(logits, seed, dtype).items():
            assert ours[name] == pytest.approx(value, rel=rel, abs=1e-7), name


def naive(logits):
    e = torch.tensor([logits]).exp()
    return e[0], (e / e.sum(1, keepdim=True))[0]


def test_exponentials_overflow_at_the_logit_where_float32_does(numbers):
    low, high = torch.tensor(80.0), torch.tensor(100.0)
    while torch.nextafter(low, high) < high:
        middle = (low + high) / 2
        low, high = (low, middle) if middle.exp().isinf() else (middle, high)
    for edge, finite in ((low, True), (high, False)):
        found = explored(numbers, [edge.item()] + [0.0] * 9, 0, shift=False)
        assert (found["exps"][0] != float("inf")) == finite


@pytest.mark.parametrize("added", [0, 60, 85.6, 86, 87, 88, 90, 120])
def test_without_the_shift_the_same_places_are_lost(numbers, added):
    logits = [z + added for z in LOGITS]
    e, p = naive(logits)
    found = explored(numbers, logits, 7, shift=False)
    assert found["exps"] == pytest.approx(e.tolist(), rel=1e-6)
    assert found["probs"] == pytest.approx(p.tolist(), rel=1e-5, nan_ok=True)
    assert found["loss"] == pytest.approx(
        -p[7].log().item(), rel=1e-4, nan_ok=True)


def test_with_the_shift_nothing_is_lost(numbers):
    plain = explored(numbers, LOGITS, 7)
    for added in (60, 88, 120):
        found = explored(numbers, [z + added for z in LOGITS], 7)
        assert found["loss"] == pytest.approx(plain["loss"], abs=2e-5)


def test_the_bars_begin_as_in_the_still(numbers, on_stage):
    tab = on_stage("cross-entropy")
    assert tab.evaluate(
        "scratchSims['cross-entropy'].math.START") == LOGITS
    loss = by_scratch(LOGITS, 7, torch.float32)["loss"]
    assert f"= {loss:.2f}" in tab.locator(".stage svg").text_content()


def test_raising_all_logits_loses_them_without_the_shift(on_stage):
    tab = on_stage("cross-entropy")
    slider = tab.get_by_label("add to every logit")
    slider.fill("90")
    settled(tab)
    assert "nan" not in tab.locator(".stage svg").text_content()
    tab.get_by_label("subtract the largest logit first").uncheck()
    settled(tab)
    assert "nan" in tab.locator(".stage svg").text_content()
    assert "beyond float32" in tab.locator(".stage-readout").text_content()


# ------------------------------------------------------------- draw a digit


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


# ------------------------------------------------------------ tensor memory


def test_the_page_draws_the_numbers_of_make_params(numbers):
    plain = make_params(scheme="normal")
    for name, p in zip(("W1", "b1", "W2", "b2"), plain, strict=True):
        flat, n = p.detach().flatten(), p.numel()
        for start in (0, max(0, n // 2 - 8), max(0, n - 40)):
            found = numbers("tensor-memory", "values", name, start,
                            start + 40)
            assert found == pytest.approx(
                flat[start : start + 40].tolist(), rel=2e-6, abs=2e-6)


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
@pytest.mark.parametrize("transposed", [False, True])
def test_a_view_has_torchs_strides_and_places(numbers, name, transposed):
    at = ("W1", "b1", "W2", "b2").index(name)
    p = make_params()[at].detach()
    storage = torch.arange(p.numel()).view_as(p)
    if transposed and p.ndim == 2:
        p, storage = p.T, storage.T
    view = numbers("tensor-memory", "viewOf", name, transposed)
    assert tuple(view["shape"]) == p.shape
    assert tuple(view["strides"]) == p.stride()
    assert view["offset"] == p.storage_offset()
    g = torch.Generator().manual_seed(0)
    for _ in range(5):
        index = [torch.randint(n, (), generator=g).item() for n in p.shape]
        place = numbers("tensor-memory", "placeOf", view, index)
        assert place == storage[tuple(index)]


def test_transposing_swaps_the_strides_and_leaves_the_place(on_stage):
    tab = on_stage("tensor-memory")
    facts, line = (tab.locator(".stage-readout").nth(n) for n in (0, 1))
    assert "strides (128, 1)" in facts.text_content()
    assert line.text_content().startswith("W1[1, 3]")
    assert "= 131: bytes 524 to 527" in line.text_content()
    tab.get_by_label("transposed").check()
    settled(tab)
    assert "strides (1, 128)" in facts.text_content()
    assert line.text_content().startswith("W1.T[3, 1]")
    assert "= 131: bytes 524 to 527" in line.text_content()
    tab.locator(".drag").nth(1).focus()
    tab.keyboard.press("ArrowRight")
    settled(tab)
    assert "= 259:" in line.text_content()


# -------------------------------------------------------- shape propagation


def refusal(batch, fault):
    """What torch says of a forward pass with something in a wrong place."""
    W1, b1, W2, b2 = (p.detach() for p in make_params())
    x = torch.zeros(batch, 784)
    if fault == "images":
        x = x.reshape(batch, 28, 28)
    if fault == "weights":
        W1 = W2
    if fault == "bias":
        b1 = b2
    try:
        forward(x, W1, b1, W2, b2)
    except RuntimeError as error:
        return str(error)


@pytest.mark.parametrize("fault", ["none", "images", "weights", "bias"])
@pytest.mark.parametrize("batch", [1, 64, 200])
def test_shapes_that_do_not_fit_get_torchs_own_error(numbers, fault, batch):
    found = numbers("shape-propagation", "forward", batch, fault)
    assert found["error"] == refusal(batch, fault)
    assert (len(found["steps"]) == 4) == (fault == "none")


@pytest.mark.parametrize("batch", [1, 7, 256])
def test_shapes_and_costs_are_those_of_the_forward_pass(numbers, batch):
    W1, b1, W2, b2 = (p.detach() for p in make_params())
    x = torch.zeros(batch, 784)
    h_pre = linear(x, W1, b1)
    h = relu(h_pre)
    made = [x, h_pre, h, linear(h, W2, b2)]
    found = numbers("shape-propagation", "forward", batch)["steps"]
    for step, tensor in zip(found, made, strict=True):
        assert tuple(step["shape"]) == tensor.shape
        assert step["elements"] == tensor.numel()
        assert step["bytes"] == tensor.nbytes
    work = [step["work"] for step in found]
    assert work == [0, batch * W1.numel(), 0, batch * W2.numel()]


def test_the_batch_slider_and_a_fault(on_stage):
    tab = on_stage("shape-propagation")
    tab.get_by_label("batch size").fill("2")
    settled(tab)
    assert "203,264 multiply-adds" in tab.locator(
        ".stage-readout").text_content()
    tab.get_by_label("W2 in place of W1").check(force=True)
    settled(tab)
    assert "(2x784 and 128x10)" in tab.locator(
        ".stage-readout").text_content()


# ---------------------------------------------------------- CPU against GPU

RECORDS = ROOT / "book" / "recorded"
WITH_GPU = """() => {
  const [record] = RATES, {cpu} = record.devices;
  const cuda = {
    products: [[16, 8e-6], [256, 8e-6], [2048, 2e-4], [8192, 1e-2]],
    batches: {eager: 1000, graph: 20000},
  };
  RATES.push({...record, names: {...record.names, cuda: "A card"},
    devices: {cpu, cuda}});
}"""


def test_the_rates_are_those_of_the_records(math_pages):
    """The newest first, as scratch.timing reads them."""
    records = sorted(
        (json.loads(file.read_text(encoding="utf-8"))
         for name in ("timing", "gpu")
         for file in sorted((RECORDS / name).glob("*.json"))),
        key=lambda record: record["date"], reverse=True,
    )
    assert records
    assert math_pages("devices").evaluate("RATES") == rates.rates(records)


def test_a_lane_takes_the_time_that_was_measured(numbers, math_pages):
    [record, *_] = math_pages("devices").evaluate("RATES")
    for device, found in record["devices"].items():
        for n, seconds in found["products"]:
            lanes = numbers("devices", "lanes", record, "products", n)
            assert seconds in [
                lane["seconds"] for lane in lanes if lane["device"] == device
            ]
        lanes = numbers("devices", "lanes", record, "batches", 0)
        assert [lane["seconds"] for lane in lanes][:1] == pytest.approx(
            [1 / rate for rate in found["batches"].values()][:1])


def test_what_is_finished_is_whole(numbers):
    assert numbers("devices", "finished", 1.0, 0.3) == 3
    assert numbers("devices", "finished", 0.9, 0.3) == 3
    lanes = [{"seconds": 0.5}, {"seconds": 0.02}]
    assert numbers("devices", "span", lanes) == pytest.approx(4.0)


def test_two_curves_meet_where_their_logarithms_do(numbers):
    slow = [[2**k, 2.0 ** (3 * k)] for k in range(4, 12)]
    flat = [[2**k, 2.0**18] for k in range(4, 13)]
    assert numbers("devices", "crossover", slow, flat) == pytest.approx(64)
    assert numbers("devices", "crossover", flat, slow) is None
    between = [[n, t * 2.0**-1.5] for n, t in slow]
    assert numbers("devices", "crossover", between, flat) == pytest.approx(
        2**6.5)


def test_a_book_without_a_gpu_says_so(on_stage):
    tab = on_stage("devices")
    tab.evaluate("RATES.splice(0, RATES.length, {...RATES[0], devices: "
                 "{cpu: RATES[0].devices.cpu}})")
    tab.locator("text=Reset").click()
    settled(tab)
    text = tab.locator(".stage-body").text_content()
    assert "No GPU has been measured" in text and "GPU:" not in text


def test_with_a_gpu_both_run_and_meet(on_stage):
    tab = on_stage("devices")
    tab.evaluate("RATES.splice(0, RATES.length, {...RATES[0], devices: "
                 "{cpu: RATES[0].devices.cpu}})")
    tab.evaluate(WITH_GPU)
    tab.locator("text=Reset").click()
    settled(tab)
    assert "GPU, graph finishes" in tab.locator(
        ".stage-readout").first.text_content()
    tab.get_by_label("products of matrices").check(force=True)
    settled(tab)
    text = tab.locator(".stage-body").text_content()
    assert "The two meet near n" in text and "A card" in text
    before = tab.locator("text=/finished, /").first.text_content()
    tab.get_by_label("matrix size n").fill("0")
    settled(tab)
    assert tab.locator("text=/finished, /").first.text_content() != before


def test_a_replay_begins_anew_and_ends(on_stage):
    tab = on_stage("devices")
    finished = tab.locator("svg text.end").first
    whole = finished.text_content()
    tab.locator("text=Play again").click()
    settled(tab)
    assert finished.text_content() != whole
    tab.wait_for_selector("text=Play again", timeout=20_000)
    settled(tab)
    assert finished.text_content() == whole


# ------------------------------------------------------------------ anatomy


def test_every_operation_of_a_layer_is_explained(numbers, math_pages):
    explained = numbers("anatomy", "MEANING")
    for layer in math_pages("anatomy").evaluate("LAYERS"):
        for operation in layer["operations"]:
            assert operation["name"] in explained


def opened_layers():
    """The layers and inputs of Chapter 10."""
    torch.manual_seed(0)
    x, hidden = torch.rand(64, 784), torch.rand(64, 128)
    return {
        nn.Linear(784, 128): [x], nn.ReLU(): [hidden],
        nn.Dropout(): [hidden],
        nn.Conv2d(1, 8, 5, stride=2, padding=2):
            [x.reshape(64, 1, 28, 28)],
        nn.BatchNorm1d(128): [hidden],
        nn.MultiheadAttention(28, 4, batch_first=True):
            [x.reshape(64, 28, 28)] * 3,
    }


def test_the_layers_are_those_of_scratch_nn(math_pages, numbers):
    shown = opened_layers()
    listed = math_pages("anatomy").evaluate("LAYERS")
    assert listed == [describe(*pair) for pair in shown.items()]
    for layer, entry in zip(shown, listed, strict=True):
        count = sum(p.numel() for p in layer.parameters())
        assert numbers("anatomy", "kept", entry["parameters"]) == count
        last = [op["output"] for op in entry["operations"]]
        assert entry["output"] in last or any(
            torch.Size(o).numel() == torch.Size(entry["output"]).numel()
            for o in last)


def test_a_walk_through_the_operations(on_stage):
    tab = on_stage("anatomy")
    tab.get_by_label("Conv2d").check(force=True)
    settled(tab)
    assert "208 parameters" in tab.locator(
        ".stage-readout").first.text_content()
    tab.locator(".drag").focus()
    for _ in range(4):
        tab.keyboard.press("ArrowDown")
    settled(tab)
    assert tab.locator(".told").text_content().startswith("5. index_select")
    assert "def conv2d" in tab.locator(".stage-code").text_content()
