"""What a profile counts."""

from types import SimpleNamespace

import pytest
import torch

from parts import put
from scratch import timing as module
from scratch.timing import a_step, profiled, tally


def event(name, kind="CPU", parent=None, us=0, note=False):
    return SimpleNamespace(
        name=name, device_type=f"DeviceType.{kind}", cpu_parent=parent,
        time_range=SimpleNamespace(elapsed_us=lambda: us),
        is_user_annotation=note)


def test_a_profile_is_counted_by_kind():
    outer = event("aten::linear")
    events = [
        outer, event("aten::addmm", parent=outer),
        event("aten::relu", parent=event("my range")),
        event("cudaLaunchKernel", parent=outer),
        event("cudaLaunchKernelExC"), event("cuLaunchKernel"),
        event("cudaMemcpyAsync"), event("cudaStreamSynchronize"),
        event("cudaDeviceSynchronize"), event("cudaGraphLaunch"),
        event("sgemm", "CUDA", us=30), event("relu_kernel", "CUDA", us=12),
        event("Memcpy HtoD", "CUDA", us=500),
        event("## Call Compiled", "CUDA", us=500),
        event("Torch-Compiled Region", "CUDA", us=500),
        event("a range", "CUDA", us=500, note=True),
    ]
    assert tally(events) == {
        "operations": 2, "launches": 3, "copies": 1, "waits": 1,
        "graphs": 1, "kernels": 2, "busy": pytest.approx(42e-6)}


def test_the_profiler_sees_each_operation_once():
    a = torch.rand(4, 4)
    ran = []

    def act():
        ran.append(1)
        return torch.nn.functional.linear(a, a).relu().sum()

    assert profiled(act, "cpu")["operations"] == 3
    assert len(ran) == 2


def test_a_step_is_the_difference_of_two_runs(monkeypatch):
    """Five operations once, seven in each step."""
    put(
        monkeypatch, module, "profiled",
        lambda fn, device: {"operations": 5 + 7 * fn(), "waits": 2})
    assert a_step(lambda steps: steps, "cpu") == {
        "operations": 7.0, "waits": 0.0}
