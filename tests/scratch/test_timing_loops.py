"""A step, its Adam, and the learner that takes it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scratch.backward import backward
from scratch.functional import forward
from scratch.init import make_params
from scratch.timing import (
    BATCH,
    IMAGES,
    STEPS,
    Learner,
    TensorAdam,
    fresh,
    gradients,
    pieces,
)
from timings import some_data

# --------------------------------------------------------------- the step


def test_the_sizes_are_those_of_mnist():
    assert (IMAGES, BATCH, STEPS) == (60_000, 64, 938)


def test_every_device_starts_from_the_same_four_tensors():
    params = fresh("cpu")
    for p, q in zip(params, make_params(seed=0), strict=True):
        assert torch.equal(p, q) and not p.requires_grad
    assert [(p.device.type, p.shape) for p in fresh("meta")] == [
        ("meta", p.shape) for p in params]


@settings(max_examples=20)
@given(st.integers(1, 9), st.integers(1, 8), st.integers(1, 7),
       st.integers(1, 10), st.integers(0, 2**32),
       st.sampled_from([torch.float32, torch.float64]))
def test_gradients_are_those_of_backward(
    N, inputs, hidden, classes, seed, dtype
):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(N, inputs, generator=g, dtype=dtype)
    targets = torch.randint(classes, (N,), generator=g)
    params = [p.detach() for p in make_params(
        (inputs, hidden, classes), seed=seed % 1000, dtype=dtype)]
    kept = [t.clone() for t in (x, targets, *params)]
    loss, right, grads = gradients(x, targets, *params)
    their_loss, their_grads = backward(x, targets, *params)
    assert torch.equal(loss, their_loss)
    for a, b in zip(grads, their_grads, strict=True):
        assert a.dtype == dtype and torch.equal(a, b)
    answers = forward(x, *params).argmax(1)
    assert right.item() == (answers == targets).sum().item()
    assert all(map(torch.equal, kept, (x, targets, *params)))


def test_gradients_record_nothing_for_autograd():
    X, y = some_data(8)
    loss, right, grads = gradients(X, y, *make_params())
    assert not any(t.requires_grad for t in (loss, right, *grads))


def test_a_blank_image_wakes_no_unit():
    """At 0 the slope of ReLU is 0, as for torch.relu."""
    params = [p.detach() for p in make_params((6, 5, 3))]
    x, targets = torch.zeros(1, 6), torch.tensor([1])
    *_, (d_W1, d_b1, _, d_b2) = gradients(x, targets, *params)
    assert not d_W1.any() and not d_b1.any() and d_b2.all()


def test_a_step_asks_for_no_number():
    X, y = some_data(64)
    nowhere, labels = X.to("meta"), y.to("meta")
    Learner(X, y, "meta").step()
    gradients(nowhere, labels, *fresh("meta"))
    with pytest.raises(RuntimeError, match="meta tensors"):
        backward(nowhere, labels, *fresh("meta"))


@settings(max_examples=20)
@given(st.integers(1, 50), st.integers(1, 12), st.integers(1, 9),
       st.integers(0, 99))
def test_pieces_go_through_all_images_before_any_again(
    images, steps, batch, seed
):
    torch.manual_seed(seed)
    parts = pieces(images, steps, batch, "cpu")
    assert [len(p) for p in parts] == [batch] * steps
    order = torch.cat(parts).tolist()
    for start in range(0, len(order), images):
        part = order[start : start + images]
        assert len(set(part)) == len(part)
        assert set(part) <= set(range(images))
    torch.manual_seed(seed)
    assert order[:images] == torch.randperm(images).tolist()[:len(order)]


def test_pieces_lie_on_their_device():
    assert {p.device.type for p in pieces(9, 2, 3, "meta")} == {"meta"}


# -------------------------------------------------------------- the Adam


@pytest.mark.parametrize("dtype, limit", [
    (torch.float64, 1e-12), (torch.float32, 1e-5),
])
@pytest.mark.parametrize("kind", [
    {}, {"lr": 0.03}, {"betas": (0.5, 0.9)}, {"eps": 0.1},
])
def test_tensor_adam_takes_torch_s_steps(dtype, limit, kind):
    g = torch.Generator().manual_seed(1)
    ours = [torch.randn(4, 3, generator=g, dtype=dtype),
            torch.randn(5, generator=g, dtype=dtype)]
    theirs = [p.clone() for p in ours]
    a, b = TensorAdam(ours, **kind), torch.optim.Adam(theirs, **kind)
    for _ in range(50):
        grads = [torch.randn(p.shape, generator=g, dtype=dtype)
                 for p in ours]
        kept = [grad.clone() for grad in grads]
        a.step(grads)
        for p, grad in zip(theirs, grads, strict=True):
            p.grad = grad
        b.step()
        assert all(map(torch.equal, grads, kept))
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=limit)
    assert a.t.item() == 50 and a.t.dtype == torch.float64


def test_tensor_adam_refuses_what_adam_refuses():
    for kind in ({"lr": -1.0}, {"betas": (0.9, 1.0)}, {"eps": -1e-8}):
        with pytest.raises(ValueError):
            TensorAdam(fresh("cpu"), **kind)
    with pytest.raises(TypeError, match="put it in a list"):
        TensorAdam(torch.zeros(3))


def test_tensor_adam_changes_leaves_in_place():
    leaves = make_params((4, 3, 2))
    addresses = [p.data_ptr() for p in leaves]
    TensorAdam(leaves).step([torch.ones_like(p) for p in leaves])
    assert [p.data_ptr() for p in leaves] == addresses
    assert all(p.is_leaf for p in leaves)


def test_tensor_adam_refuses_too_few_gradients():
    params = fresh("cpu")
    with pytest.raises(ValueError):
        TensorAdam(params).step([torch.zeros_like(params[0])])


# ------------------------------------------------------------ the learner


def test_a_learner_steps_with_the_images_it_is_given():
    X, y = some_data()
    learner = Learner(X, y, "cpu", batch=7)
    params, total, hits = fresh("cpu"), 0.0, 0
    adam = TensorAdam(params)
    for start in (0, 50, 100):
        idx = torch.arange(start, start + 7)
        learner.idx.copy_(idx)
        learner.step()
        loss, right, grads = gradients(X[idx], y[idx], *params)
        adam.step(grads)
        total, hits = total + loss, hits + right
    assert all(map(torch.equal, params, learner.params))
    assert torch.equal(learner.loss, total)
    assert learner.right.item() == hits.item()


def test_the_state_is_all_that_a_step_changes():
    learner = Learner(*some_data(), "cpu")
    everything = {"X": learner.X, "y": learner.y, "idx": learner.idx}
    kept = {name: t.clone() for name, t in everything.items()}
    before = [t.clone() for t in learner.state()]
    learner.step()
    for name, t in everything.items():
        assert torch.equal(t, kept[name]), name
    changed = [not torch.equal(a, b)
               for a, b in zip(before, learner.state(), strict=True)]
    # of 4 parameters, t, 4 m, 4 v and two sums; right may stay 0
    assert len(changed) == 15 and all(changed[:14])
    adam = learner.adam
    wanted = [*learner.params, adam.t, *adam.m, *adam.v, learner.loss,
              learner.right]
    assert {t.data_ptr() for t in learner.state()} == {
        t.data_ptr() for t in wanted}
