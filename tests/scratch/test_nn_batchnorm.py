"""BatchNorm1d beside torch's, its buffers included."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from draws import draw
from scratch.nn import BatchNorm1d
from twins import (
    assert_close,
    dtypes,
    passes,
    seeds,
    some,
    twin,
)


@some
@given(dtypes, seeds, st.integers(2, 9), st.integers(1, 5),
       st.sampled_from([None, 1, 3]),
       st.sampled_from([0.1, 0.5, 1.0, None]),
       st.sampled_from([1e-5, 0.1]))
def test_batch_norm_equals_torch_buffers_included(
    dtype, seed, n, features, length, momentum, eps
):
    ours, theirs = twin(*(
        kind(features, eps=eps, momentum=momentum, dtype=dtype)
        for kind in (BatchNorm1d, nn.BatchNorm1d)))
    shape = (n, features) if length is None else (n, features, length)
    for i, mode in enumerate((True, True, False, True)):
        x = draw(seed + i, shape, dtype=dtype) * (i + 1) + i
        ours.train(mode), theirs.train(mode)
        a, b = passes(ours, x), passes(theirs, x)
        by_feature = x.transpose(0, 1).flatten(1)
        steep = 10 / (by_feature.var(1, correction=0) + eps).min().sqrt()
        assert_close(a, b, size=max(10, steep.item()))
        assert_close(ours.state_dict().values(),
                     theirs.state_dict().values())


def test_batch_norm_starts_like_torch():
    for momentum in (0.1, None):
        assert_close(BatchNorm1d(3, momentum=momentum).state_dict().values(),
                     nn.BatchNorm1d(3).state_dict().values())
    assert BatchNorm1d(3).eps == nn.BatchNorm1d(3).eps
    assert BatchNorm1d(3).momentum == nn.BatchNorm1d(3).momentum


def test_judging_leaves_the_statistics_alone():
    layer = BatchNorm1d(2)
    layer(torch.randn(5, 2) + 3)
    before = copy.deepcopy(layer.state_dict())
    layer.eval()(torch.randn(1, 2))  # one row is enough
    for name, t in layer.state_dict().items():
        assert torch.equal(t, before[name])


def test_the_running_variance_is_unbiased_and_has_no_gradient():
    layer = BatchNorm1d(1, momentum=1.0, dtype=torch.float64)
    x = torch.tensor([[0.0], [1.0], [5.0]], dtype=torch.float64,
                     requires_grad=True)
    layer(x)
    assert layer.running_var.item() == pytest.approx(7.0)
    assert layer.running_mean.item() == pytest.approx(2.0)
    assert not layer.running_var.requires_grad


@pytest.mark.parametrize("shape", [(4, 2), (4,), (4, 3, 2, 2), (3, 1, 3)])
def test_batch_norm_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=r"is not \[N, 3\]"):
        BatchNorm1d(3)(torch.zeros(shape))


def test_a_feature_of_one_would_broadcast_and_is_refused():
    with pytest.raises(ValueError, match="is not"):
        BatchNorm1d(1)(torch.zeros(4, 3))


def test_a_single_row_has_no_variance_in_training():
    layer = BatchNorm1d(3)
    with pytest.raises(ValueError, match="no variance"):
        layer(torch.zeros(1, 3))
    assert layer.num_batches_tracked == 0
    layer(torch.zeros(1, 3, 2))  # two values a feature
