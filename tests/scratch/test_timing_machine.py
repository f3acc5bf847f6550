"""What a machine is called."""

import os
import platform
import subprocess
from types import SimpleNamespace

import torch

from parts import put
from scratch import timing as module
from scratch.timing import about, cpu_name, driver_version, label


def test_the_driver_is_asked_of_nvidia_smi(monkeypatch):
    def asked(command, **kind):
        assert command[0] == "nvidia-smi" and "driver_version" in command[1]
        assert kind["check"] and kind["timeout"]
        return SimpleNamespace(stdout="580.159.04\n580.159.04\n")

    monkeypatch.setattr(subprocess, "run", asked)
    assert driver_version() == "580.159.04"


def test_the_processor_has_a_name(monkeypatch, tmp_path):
    assert cpu_name()
    info = tmp_path / "cpuinfo"
    info.write_text(
        "processor : 0\nmodel name\t: Some: CPU 9\nflags : a\n",
        encoding="utf-8",
    )
    put(monkeypatch, module, "Path", lambda _: info)
    assert cpu_name() == "Some: CPU 9"
    info.unlink()
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    assert cpu_name() == "arm"
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "riscv")
    assert cpu_name() == "riscv"


def test_a_record_begins_with_its_circumstances():
    facts = about()
    assert facts["format"] == 1 and facts["gpu"] is None or facts["gpu"]
    assert facts["torch"] == torch.__version__
    assert facts["cpu"] == {
        "name": cpu_name(), "cores": os.cpu_count(),
        "threads": torch.get_num_threads()}
    assert len(facts["date"].split("-")) == 3


def test_a_gpu_is_named_with_its_driver(cuda, monkeypatch):
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda i: SimpleNamespace(
            name="H100", total_memory=80, multi_processor_count=132))
    put(monkeypatch, module, "driver_version", lambda: "580")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    facts = about()
    assert facts["gpu"] == {
        "name": "H100", "bytes": 80, "processors": 132, "driver": "580",
        "cuda": "13.0",
        "precision": torch.get_float32_matmul_precision()}
    assert label(facts) == (
        f"H100, driver 580, torch {torch.__version__}, {facts['date']}")
