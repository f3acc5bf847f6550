"""What a docstring says of shapes and dtypes is held."""

import pytest
import torch

from scratch.shapes import shapes


@shapes
def share(x, W, targets=None, amount=1.0):
    """x [N, in] and W [in, out], targets [N], int64 -> [N, out]."""
    return x @ W


@shapes
def look(q, k):
    """q [..., L, d], k [..., S, d] -> [..., L, S]."""
    return q @ k.transpose(-2, -1)


def ones(*shape, dtype=torch.float32):
    return torch.ones(shape, dtype=dtype)


def labels(n):
    return torch.zeros(n, dtype=torch.int64)


@pytest.mark.parametrize("call", [
    lambda: share(ones(4, 3), ones(3, 2)),
    lambda: share(ones(0, 3), ones(3, 2)),
    lambda: share(ones(4, 3), ones(3, 2), labels(4)),
    lambda: share(ones(4, 3), ones(3, 2), None, 2.0),
    lambda: share(W=ones(3, 2), x=ones(4, 3), targets=labels(4)),
    lambda: share(ones(4, 3).double(), ones(3, 2).double()),
    lambda: look(ones(5, 3), ones(4, 3)),
    lambda: look(ones(2, 6, 5, 3), ones(2, 6, 4, 3)),
])
def test_what_fits_passes_and_passes_again(call):
    assert torch.equal(call(), call())


@pytest.mark.parametrize("error, message, call", [
    (RuntimeError, r"share: x is \[4\], not \[N, in\]$",
     lambda: share(ones(4), ones(3, 2))),
    (RuntimeError, r"share: W is \[4, 2\], not \[in, out\] with in = 3$",
     lambda: share(ones(4, 3), ones(4, 2))),
    (RuntimeError, r"share: x is \[4, 0\], not \[N, in\]$",
     lambda: share(ones(4, 0), ones(0, 2))),
    (RuntimeError, r"share: targets is \[1\], not \[N\] with N = 4$",
     lambda: share(ones(4, 3), ones(3, 2), labels(1))),
    (RuntimeError, r"share: targets is \[1\], not \[N\] with N = 4$",
     lambda: share(ones(4, 3), ones(3, 2), targets=labels(1))),
    (TypeError, r"share: targets is torch.float32, not int64$",
     lambda: share(ones(4, 3), ones(3, 2), ones(4))),
    (TypeError, r"share: x is torch.int64, not float$",
     lambda: share(ones(4, 3).long(), ones(3, 2).long())),
    (TypeError, r"share: W is torch.float64, not torch.float32$",
     lambda: share(ones(4, 3), ones(3, 2).double())),
    (TypeError, r"share: x is no tensor of torch: list$",
     lambda: share([[1.0]], ones(1, 2))),
    (TypeError, r"share: W is no tensor of torch: None$",
     lambda: share(ones(4, 3), None)),
    (RuntimeError, r"look: k is \[7, 4, 3\], not \[..., S, d\] "
                   r"with ... = \[2\], d = 3$",
     lambda: look(ones(2, 5, 3), ones(7, 4, 3))),
    (RuntimeError, r"look: q is \[3\], not \[..., L, d\]$",
     lambda: look(ones(3), ones(4, 3))),
])
def test_what_does_not_fit_is_named_with_what_was_known(
    error, message, call
):
    for _ in range(2):       # the second time nothing was remembered
        with pytest.raises(error, match=message):
            call()


def test_a_call_that_passed_does_not_vouch_for_another():
    share(ones(4, 3), ones(3, 2))
    with pytest.raises(RuntimeError, match="targets is"):
        share(ones(4, 3), ones(3, 2), targets=labels(5))
    with pytest.raises(RuntimeError, match="targets is"):
        share(ones(4, 3), ones(3, 2), labels(5))


def test_kinds_that_passed_are_looked_up_and_not_judged_again(monkeypatch):
    look(ones(9, 3), ones(8, 3))
    monkeypatch.setattr("scratch.shapes.check", None)
    look(ones(9, 3), ones(8, 3))
    with pytest.raises(TypeError, match="not callable"):
        look(ones(9, 4), ones(8, 4))


def test_the_function_keeps_its_name_and_its_docstring():
    assert share.__name__ == "share" and share.__doc__.startswith("x [N")
