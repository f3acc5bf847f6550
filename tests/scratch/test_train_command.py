"""The command that trains: what it prints, keeps and refuses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from models import equal, few_digits, fresh
from scratch import train as module
from scratch.data import DataLoader
from scratch.optim import SGD, Adam
from scratch.train import (
    evaluate,
    load,
    main,
    make_optimizer,
    make_parser,
    save,
    train,
)

REPO = Path(__file__).parents[2]


@pytest.fixture
def small(monkeypatch):
    """The command line sees the small sets and nothing else."""
    X, y, X_test, y_test = few_digits()
    sets = {"train": (X[:300], y[:300]), "test": (X_test, y_test)}
    monkeypatch.setattr(
        module, "load_mnist", lambda root="data", split="train": sets[split]
    )


def test_the_program_trains_prints_and_saves(small, tmp_path, capsys):
    out = tmp_path / "m.pt"
    main(["--epochs", "2", "--seed", "1", "--out", str(out)])
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("epoch  1  loss ")
    loss_1, loss_2 = (float(s.split()[3]) for s in (first, second))
    assert loss_2 < loss_1
    training, test = (
        evaluate(load(out), [module.load_mnist(split=split)])[1]
        for split in ("train", "test")
    )
    assert second.endswith(f"  train {training:.4f}  test {test:.4f}")
    main(["--evaluate", str(out)])
    said = capsys.readouterr().out
    assert said.endswith(f"accuracy {test:.4f}\n")


def test_a_progress_bar_follows_every_batch(
    small, tmp_path, monkeypatch, capsys
):
    seen = []

    def bar(loader, *_, **__):
        for batch in loader:
            seen.append(batch)
            yield batch

    monkeypatch.setattr(module, "tqdm", bar)
    main(["--epochs", "2", "--out", str(tmp_path / "m.pt")])
    assert len(seen) == 2 * 5                   # 300 in batches of 64


def expected(seed, size, make):
    """What the program should arrive at in one epoch."""
    params = fresh(seed)
    X, y = module.load_mnist()
    g = torch.Generator().manual_seed(seed)
    train(params, DataLoader(X, y, size, generator=g), make(params))
    return params


@pytest.mark.parametrize("seed", [0, 7])
def test_the_seed_sets_weights_and_order(small, tmp_path, seed):
    out = tmp_path / "m.pt"
    main(["--epochs", "1", "--seed", str(seed), "--out", str(out)])
    assert equal(load(out), expected(seed, 64, Adam))


@pytest.mark.parametrize("options, make, size", [
    ("", lambda p: Adam(p, 0.001), 64),
    ("--lr 0.01", lambda p: Adam(p, 0.01), 64),
    ("--optimizer sgd", lambda p: SGD(p, 0.1), 64),
    ("--optimizer sgd --lr 0.5 --batch-size 100", lambda p: SGD(p, 0.5),
     100),
    ("--optimizer momentum", lambda p: SGD(p, 0.03, momentum=0.9), 64),
])
def test_the_options_mean_what_they_say(
    small, tmp_path, options, make, size
):
    out = tmp_path / "m.pt"
    main(["--epochs", "1", "--out", str(out), *options.split()])
    assert equal(load(out), expected(0, size, make))


def test_an_unknown_optimizer_is_an_error():
    with pytest.raises(KeyError):
        make_optimizer("adagrad", fresh())


@pytest.mark.parametrize("options, says", [
    ("--optimizer adagrad", "invalid choice: 'adagrad'"),
    ("--epochs 0", "--epochs: 0 is below 1"),
    ("--epochs -3", "--epochs: -3 is below 1"),
    ("--epochs ten", "--epochs: invalid count value: 'ten'"),
    ("--batch-size 0", "--batch-size: 0 is below 1"),
    ("--lr 0", "--lr: 0 is no learning rate"),
    ("--lr nan", "--lr: nan is no learning rate"),
    ("--lr inf", "--lr: inf is no learning rate"),
    ("--out nowhere/m.pt", "nowhere/m.pt cannot be written"),
    ("--out .", ". cannot be written"),
    ("--evaluate missing.pt", "missing.pt"),
    ("--evaluate wrong.pt", "wrong.pt: {'W1': [128, 784]}"),
    ("--data wrong.pt", "wrong.pt"),
    ("--epoch 3", "unrecognized arguments: --epoch 3"),
])
def test_what_cannot_work_ends_before_training(
    tmp_path, monkeypatch, capsys, options, says
):
    def too_late(*_):
        raise AssertionError("training began")

    monkeypatch.setattr(module, "fit", too_late)
    monkeypatch.chdir(tmp_path)
    torch.save({"W1": torch.zeros(128, 784)}, "wrong.pt")
    with pytest.raises(SystemExit) as end:
        main(options.split())
    assert end.value.code == 2
    assert says in capsys.readouterr().err


def test_an_unwritable_path_is_found_before_the_data_is_read(
    tmp_path, monkeypatch
):
    def too_late(*_):
        raise AssertionError("the data was read")

    monkeypatch.setattr(module, "load_mnist", too_late)
    with pytest.raises(SystemExit) as end:
        main(["--out", str(tmp_path / "nowhere" / "m.pt")])
    assert end.value.code == 2


def test_training_that_is_interrupted_leaves_the_old_model(
    small, tmp_path, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt

    out = tmp_path / "m.pt"
    save(fresh(1), out)
    monkeypatch.setattr(module, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        main(["--epochs", "1", "--out", str(out)])
    assert equal(load(out), fresh(1))


def test_it_runs_as_a_module_and_shows_every_option():
    run = subprocess.run(
        [sys.executable, "-m", "scratch.train", "--help"],
        env=os.environ | {"PYTHONPATH": str(REPO / "code")},
        capture_output=True, encoding="utf-8", check=False,
    )
    assert run.returncode == 0, run.stderr
    for option in ("--epochs", "--optimizer", "--lr", "--batch-size",
                   "--seed", "--data", "--out", "--evaluate"):
        assert option in run.stdout


def test_the_command_has_defaults_of_its_own():
    assert vars(make_parser().parse_args([])) == {
        "epochs": 10, "optimizer": "adam", "lr": None, "batch_size": 64,
        "seed": 0, "data": "data", "out": Path("model.pt"),
        "evaluate": None, "device": "cpu",
    }
