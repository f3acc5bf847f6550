"""A layer taken apart is plain data, and true."""

import json

import pytest
import torch

from figures.anatomy import anatomy, describe
from scratch.nn import (
    BatchNorm1d,
    Conv2d,
    Dropout,
    Linear,
    MultiheadAttention,
    ReLU,
)


def names(described):
    return [op["name"] for op in described["operations"]]


def test_linear_is_one_fused_product():
    found = describe(Linear(3, 2), [torch.rand(5, 3)])
    assert found["name"] == "Linear"
    assert found["parameters"] == {"weight": [2, 3], "bias": [2]}
    assert found["buffers"] == {}
    assert found["inputs"] == [[5, 3]] and found["output"] == [5, 2]
    assert found["operations"] == [{
        "name": "addmm", "inputs": [[2], [5, 3], [3, 2]],
        "output": [5, 2]}]
    assert [s.split("(")[0] for s in found["source"]] == [
        "@shapes\ndef linear", "class Linear"]


@pytest.mark.parametrize("layer, inputs, some", [
    (ReLU(), [(5, 3)], ["relu"]),
    (Dropout(), [(5, 3)], ["bernoulli", "mul"]),
    (Conv2d(1, 2, 3), [(2, 1, 5, 5)], ["index_select", "addmm"]),
    (BatchNorm1d(3), [(5, 3)], ["mean", "sqrt", "div"]),
    (MultiheadAttention(4, 2), [(3, 2, 4)] * 3,
     ["addmm", "bmm", "softmax", "bmm", "addmm"]),
], ids=lambda v: type(v).__name__)
def test_operations_stand_in_the_order_of_execution(layer, inputs, some):
    found = describe(layer, [torch.rand(s) for s in inputs])
    rest = iter(names(found))
    assert all(any(wanted in name for name in rest) for wanted in some)
    assert json.loads(json.dumps(found)) == found


def test_a_description_changes_no_parameter_and_keeps_no_graph():
    layer = BatchNorm1d(3)
    before = [p.clone() for p in layer.parameters()]
    found = describe(layer, [torch.rand(4, 3)])
    assert all(torch.equal(p, q) for p, q in
               zip(before, layer.parameters(), strict=True))
    assert set(found["buffers"]) == {
        "running_mean", "running_var", "num_batches_tracked"}
    assert found["buffers"]["num_batches_tracked"] == []


def test_the_still_names_every_layer_and_operation():
    import matplotlib.pyplot as plt
    layers = [describe(Linear(3, 2), [torch.rand(5, 3)]),
              describe(BatchNorm1d(3), [torch.rand(5, 3)])]
    anatomy(layers)
    drawn = {t.get_text() for t in plt.gca().texts}
    plt.close()
    for layer in layers:
        assert layer["name"] in drawn and set(names(layer)) <= drawn
    assert "weight [2, 3]" in drawn and "running_var [3]" in drawn
