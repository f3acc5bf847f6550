"""Training, evaluating, saving and loading."""

import os
import pickle
from pathlib import Path

import pytest
import torch

from models import clones, equal, few_digits, fresh
from scratch import train as module
from scratch.data import DataLoader
from scratch.functional import cross_entropy, forward
from scratch.init import make_params
from scratch.optim import SGD, Adam
from scratch.train import SHAPES, evaluate, load, make_optimizer, save, train


@pytest.fixture
def digits():
    return few_digits()


def some_batches(*sizes, dtype=None, seed=0):
    g = torch.Generator().manual_seed(seed)
    return [
        (torch.rand(n, 6, generator=g, dtype=dtype),
         torch.randint(3, (n,), generator=g))
        for n in sizes
    ]


# ----------------------------------------------------------------- training


def test_two_epochs_of_2000_digits_beat_80_percent(digits):
    X, y, X_test, y_test = digits
    params = fresh()
    loader = DataLoader(X, y, generator=torch.Generator().manual_seed(0))
    optimizer = Adam(params)
    losses = [train(params, loader, optimizer) for _ in range(2)]
    assert losses[1] < losses[0] < 2.4
    test = DataLoader(X_test, y_test, 64, shuffle=False)
    assert evaluate(params, test)[1] > 0.8


@pytest.mark.parametrize("make", [
    lambda p: SGD(p, 0.1), lambda p: SGD(p, 0.05, momentum=0.9), Adam,
])
def test_train_takes_the_steps_of_autograd(make):
    """In float64, where rounding cannot hide a difference."""
    batches = some_batches(8, 8, 8, 3, dtype=torch.float64)
    ours = fresh(dtype=torch.float64, sizes=(6, 5, 3))
    theirs = [p.clone().requires_grad_() for p in ours]
    train(ours, batches, make(ours))
    optimizer = make(theirs)
    for x, targets in batches:
        cross_entropy(forward(x, *theirs), targets).backward()
        optimizer.step()
        optimizer.zero_grad()
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q.detach(), rtol=0, atol=1e-12)


def test_the_first_steps_on_digits_are_close_to_autograd_s(digits):
    X, y, *_ = digits
    batches = [(X[i : i + 64], y[i : i + 64]) for i in range(0, 320, 64)]
    ours, theirs = fresh(), make_params(seed=0)
    train(ours, batches, SGD(ours, 0.1))
    optimizer = SGD(theirs, 0.1)
    for x, targets in batches:
        cross_entropy(forward(x, *theirs), targets).backward()
        optimizer.step()
        optimizer.zero_grad()
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q.detach(), rtol=0, atol=1e-6)


def test_same_seed_same_bits(digits):
    X, y, *_ = digits

    def run(seed):
        params = fresh(seed)
        g = torch.Generator().manual_seed(seed)
        loader = DataLoader(X[:500], y[:500], generator=g)
        train(params, loader, Adam(params))
        return params

    assert equal(run(3), run(3))
    assert not equal(run(3), run(4))


class Counter:
    """An optimizer that only counts."""

    def __init__(self):
        self.steps = 0

    def step(self):
        self.steps += 1


def test_train_steps_once_a_batch_the_short_one_too():
    optimizer = Counter()
    train(fresh(sizes=(6, 5, 3)), some_batches(8, 8, 1), optimizer)
    assert optimizer.steps == 3


def test_the_loss_of_an_epoch_is_that_of_images_not_of_batches():
    params = fresh(sizes=(6, 5, 3))
    batches = some_batches(50, 1)
    standing = train(params, batches, SGD(params, 0.0))
    x = torch.cat([x for x, _ in batches])
    t = torch.cat([t for _, t in batches])
    whole = cross_entropy(forward(x, *params), t).item()
    of_batches = sum(
        cross_entropy(forward(x, *params), t).item() for x, t in batches
    ) / 2
    assert standing == pytest.approx(whole, abs=1e-6)
    assert abs(of_batches - whole) > 1e-3       # it would have shown


def test_each_loss_is_taken_before_its_own_step():
    params = fresh(sizes=(6, 5, 3))
    (batch,) = some_batches(20)
    before = cross_entropy(forward(batch[0], *params), batch[1]).item()
    assert train(params, [batch], SGD(params, 1.0)) == before


def test_gradients_from_before_are_forgotten():
    clean, dirty = fresh(sizes=(6, 5, 3)), fresh(sizes=(6, 5, 3))
    for p in dirty:
        p.grad = torch.full_like(p, 1e3)
    for params in (clean, dirty):
        train(params, some_batches(8, 8), SGD(params, 0.1))
    assert equal(clean, dirty)


def test_leaves_that_require_gradients_stay_leaves():
    params = make_params((6, 5, 3))
    train(params, some_batches(8, 8), Adam(params))
    assert all(p.is_leaf and p.requires_grad for p in params)
    assert not any(p.grad.requires_grad for p in params)


def test_a_gradient_for_each_tensor_is_needed(monkeypatch):
    params = [p.detach() for p in make_params((3, 4, 2), seed=0)]
    monkeypatch.setattr("scratch.train.backward", lambda x, t, *params: (
        torch.tensor(0.0), [torch.zeros_like(p) for p in params[:3]]))
    with pytest.raises(ValueError):
        train(params, [(torch.zeros(1, 3), torch.tensor([0]))],
              make_optimizer("sgd", params))


# --------------------------------------------------------------- evaluating


@pytest.mark.parametrize("sizes", [(10, 10), (10, 1), (1,), (7, 3, 5)])
def test_evaluate_counts_images_whatever_the_batches(sizes):
    params = fresh(sizes=(6, 5, 3))
    batches = some_batches(*sizes, seed=sum(sizes))
    x = torch.cat([x for x, _ in batches])
    targets = torch.cat([t for _, t in batches])
    logits = forward(x, *params)
    right = sum(
        row.argmax().item() == t.item()
        for row, t in zip(logits, targets, strict=True)
    )
    loss, accuracy = evaluate(params, batches)
    assert accuracy == right / sum(sizes)
    assert loss == pytest.approx(cross_entropy(logits, targets).item())


def test_evaluate_sees_the_last_short_batch_of_a_loader(digits):
    X = digits[0]
    params = fresh()
    answers = forward(X[:65], *params).argmax(1)
    targets = answers.clone()
    targets[64] = (targets[64] + 1) % 10        # the only wrong answer
    loader = DataLoader(X[:65], targets, 64, shuffle=False)
    assert evaluate(params, loader)[1] == 64 / 65


def test_evaluate_changes_and_records_nothing(monkeypatch):
    def watched(*arguments):
        assert not torch.is_grad_enabled()
        return forward(*arguments)

    monkeypatch.setattr(module, "forward", watched)
    params = make_params((6, 5, 3))
    before = clones(params)
    loss, accuracy = evaluate(params, some_batches(4))
    assert isinstance(loss, float) and isinstance(accuracy, float)
    assert equal(before, params)
    assert all(p.grad is None for p in params)


# --------------------------------------------------------- saving, loading


def test_saved_tensors_come_back_bit_for_bit(tmp_path):
    params = make_params(seed=5)
    params[1].data.normal_()
    save(params, tmp_path / "m.pt")
    assert equal(clones(params), load(tmp_path / "m.pt"))
    assert [f.name for f in tmp_path.iterdir()] == ["m.pt"]


def test_the_file_is_a_dict_of_plain_tensors(tmp_path):
    save(make_params(), str(tmp_path / "m.pt"))
    state = torch.load(tmp_path / "m.pt", weights_only=True)
    assert type(state) is dict
    assert {n: list(p.shape) for n, p in state.items()} == SHAPES
    assert not any(p.requires_grad for p in state.values())


@pytest.mark.parametrize("where", ["save", "replace"])
def test_an_interrupted_save_leaves_the_old_file(
    tmp_path, monkeypatch, where
):
    path = tmp_path / "m.pt"
    save(fresh(1), path)

    def half(state, file):
        Path(file).write_bytes(b"half a model")
        raise KeyboardInterrupt

    def refuse(a, b):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if where == "save":
            patch.setattr(torch, "save", half)
        else:
            patch.setattr(os, "replace", refuse)
        with pytest.raises(KeyboardInterrupt):
            save(fresh(2), path)
    assert equal(load(path), fresh(1))
    assert [f.name for f in tmp_path.iterdir()] == ["m.pt"]


def state_of(**changes):
    state = dict(zip(SHAPES, fresh(), strict=True)) | changes
    return {n: p for n, p in state.items() if p is not None}


@pytest.mark.parametrize("state", [
    state_of(W1=torch.zeros(128, 784)),
    state_of(b2=torch.zeros(1)),                # broadcasting would take it
    state_of(b1=None),
    state_of(W3=torch.zeros(2)),
    fresh(),
    {"W1": 1},
], ids=["turned", "broadcastable", "missing", "extra", "list", "number"])
def test_load_refuses_other_tensors(tmp_path, state):
    torch.save(state, tmp_path / "m.pt")
    with pytest.raises(ValueError, match="m.pt"):
        load(tmp_path / "m.pt")


class Bomb:
    """A pickle that makes a folder when it is read."""

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("content", ["text", "empty", "cut", "bomb"])
def test_load_refuses_what_is_no_model(tmp_path, content):
    path, trap = tmp_path / "m.pt", tmp_path / "trap"
    save(fresh(), path)
    whole = path.read_bytes()
    bomb = Bomb()
    bomb.path = str(trap)
    path.write_bytes({
        "text": b"hello", "empty": b"", "cut": whole[: len(whole) // 2],
        "bomb": pickle.dumps(bomb, protocol=2),
    }[content])
    with pytest.raises(ValueError, match="m.pt"):
        load(path)
    assert not trap.exists()


def test_load_says_that_a_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "m.pt")
