"""Every path of the two programs and of the loader, on another device.

No GPU is needed: tests/support/fake_device.py. What needs a driver is not
tested here: the numbers of a device, torch's own autograd on it, and the
timing; tests/support/fake_cuda.py stands in for that.
"""

import pytest
import torch

from fake_device import elsewhere
from models import few_digits
from scratch import compare, train
from scratch.data import DataLoader
from scratch.init import make_params


@pytest.fixture
def small(monkeypatch):
    X, y, X_test, y_test = few_digits()
    sets = {"train": (X[:300], y[:300]), "test": (X_test[:200], y_test[:200])}
    for module in (train, compare):
        monkeypatch.setattr(module, "load_mnist",
                            lambda root="data", split="train": sets[split])
    return sets


def test_a_tensor_on_the_wrong_device_is_noticed():
    with elsewhere():
        there, here = torch.ones(3, device="cuda"), torch.ones(3)
        assert there.sum().item() == 1 and there.device.type == "cuda"
        with pytest.raises(RuntimeError, match="cuda"):
            there + here
        with pytest.raises(RuntimeError, match="cuda"):
            there.index_select(0, torch.tensor([0, 1]))


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("where", [("cuda", "cuda"), ("cuda", "cpu"),
                                   ("cpu", "cuda")])
@pytest.mark.parametrize("own", [False, True])
def test_the_loader_hands_out_rows_where_they_are(shuffle, where, own):
    generator = torch.Generator().manual_seed(0) if own else None
    with elsewhere():
        X, y = (torch.ones(10, 2, device=where[0]),
                torch.ones(10, dtype=torch.int64, device=where[1]))
        loader = DataLoader(X, y, 4, shuffle, generator=generator)
        for x, targets in loader:
            assert (x.device.type, targets.device.type) == where


def test_the_loader_deals_one_order_on_every_device():
    X, y = torch.arange(10.0), torch.arange(10)
    orders = []
    for device in ("cpu", "meta"):
        with torch.device(device):
            g = torch.Generator("cpu").manual_seed(3)
            orders.append([t.tolist() for _, t in DataLoader(
                X, y, 4, generator=g)])
    assert orders[0] == orders[1]


@pytest.mark.parametrize("optimizer", train.RATES)
def test_the_program_trains_on_another_device(
        small, optimizer, tmp_path, monkeypatch, capsys):
    saved = []
    monkeypatch.setattr(train, "save", lambda params, path: saved.extend(
        p.device.type for p in params))
    with elsewhere() as mode:
        train.main(["--epochs", "1", "--optimizer", optimizer,
                    "--device", "cuda", "--out", str(tmp_path / "m.pt")])
    assert saved == ["cuda"] * 4
    assert mode.asked == {"cuda"}
    assert capsys.readouterr().out.startswith("epoch  1  loss 1.0000")


def test_the_program_judges_on_another_device(small, tmp_path, capsys):
    path = tmp_path / "m.pt"
    train.save(make_params(seed=0), path)
    file = train.load(path)
    with elsewhere() as mode, pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "load", lambda _: file)
        train.main(["--evaluate", str(path), "--device", "cuda"])
    assert mode.asked == {"cuda"}
    assert "test loss 1.0000" in capsys.readouterr().out


def test_what_is_saved_is_brought_to_the_cpu_first(tmp_path, monkeypatch):
    params, moved = make_params(), []
    monkeypatch.setattr(torch.Tensor, "cpu",
                        lambda t: moved.append(t.shape) or t.clone())
    train.save(params, tmp_path / "m.pt")
    assert moved == [p.shape for p in params]


@pytest.fixture
def faked_autograd(monkeypatch):
    """torch's engine asks the driver, which is not there: zeros for it."""
    nets, make = [], compare.torch_net
    monkeypatch.setattr(
        compare, "torch_net", lambda p: nets.append(make(p)) or nets[-1])
    monkeypatch.setattr(
        torch.autograd, "grad", lambda loss, z: (torch.zeros_like(z),))

    def backward(loss):
        assert loss.device.type == "cuda" and loss.requires_grad
        for p in nets[-1].parameters():
            p.grad = torch.zeros_like(p)
    monkeypatch.setattr(torch.Tensor, "backward", backward)
    return nets


@pytest.mark.parametrize("optimizer", train.RATES)
def test_both_sides_are_compared_on_another_device(
        small, faked_autograd, optimizer, capsys):
    with elsewhere():
        code = compare.main(["--epochs", "1", "--optimizer", optimizer,
                             "--device", "cuda"])
        assert {p.device.type for net in faked_autograd
                for p in net.parameters()} == {"cuda"}
    assert code == 0
    assert f"{optimizer} on cuda" in capsys.readouterr().out


@pytest.mark.parametrize("program", [train.main, compare.main])
def test_a_device_that_is_not_there_is_told(small, program, capsys):
    for device in ("nowhere", "cuda:99"):
        with pytest.raises(SystemExit) as end:
            program(["--device", device])
        assert end.value.code == 2
        assert capsys.readouterr().err.splitlines()[-1].count("error: ") == 1
