"""Tapes and graphs replay what was recorded on them."""

import pytest
import torch

from scratch.optim import Adam
from scratch.timing import Learner, Tape, record, record_graph
from timings import some_data

# -------------------------------------------------------------- the tape


def test_a_tape_replays_into_the_memory_it_was_recorded_in():
    x, W = torch.rand(5, 4), torch.rand(4, 3)
    kept = torch.zeros(3)
    with Tape() as tape:
        h = (x @ W).clamp(min=0.5)
        top, place = h.max(0)
        kept.add_(top)
        part = h.T[1:]
    x.copy_(torch.rand(5, 4))
    kept.zero_()
    tape.replay()
    expected = (x @ W).clamp(min=0.5)
    assert torch.equal(h, expected)
    assert torch.equal(part, expected.T[1:])
    assert torch.equal(kept, top)
    assert torch.equal(top, expected.max(0).values)
    assert torch.equal(place, expected.max(0).indices)
    tape.replay()
    assert torch.equal(kept, 2 * top)


def test_a_tape_does_not_replay_python():
    ran, x = [], torch.ones(2)
    with Tape() as tape:
        ran.append(1)
        x.mul_(len(ran) + 1)
    ran.append(1)
    tape.replay()
    assert ran == [1, 1] and x.tolist() == [4.0, 4.0]


def test_a_count_in_python_is_frozen_on_a_tape():
    w = torch.zeros(1)
    w.grad = torch.ones(1)
    adam = Adam([w], lr=1.0)
    adam.step()
    with Tape() as tape:
        adam.step()
    before = w.item()
    tape.replay()
    assert abs(before - w.item() - 1.0) > 0.1
    assert adam.state[w][0] == 2


@pytest.mark.parametrize("steps", [1, 5])
def test_a_recorded_step_is_the_step_bit_for_bit(steps):
    X, y = some_data()
    plain_one, taped = (Learner(X, y, "cpu", batch=16) for _ in range(2))
    before = [t.clone() for t in taped.state()]
    replay = record(taped.step, taped.state(), "cpu")
    assert all(map(torch.equal, before, taped.state()))  # no trace
    for n in range(steps):
        for learner, step in ((plain_one, plain_one.step), (taped, replay)):
            learner.idx.copy_(torch.arange(16) + n)
            step()
    assert all(map(torch.equal, plain_one.state(), taped.state()))


# --------------------------------------- CUDA's part, with a tape in it


def test_a_graph_is_warmed_up_on_a_stream_of_its_own(cuda):
    def step():
        cuda.log.append("step")

    replay = record_graph(step)
    assert cuda.log == [
        "side waits for main", "on side", "step", "step", "step",
        "off side", "main waits for side", "record", "step", "recorded"]
    replay()
    assert cuda.log[-1] == "replay"


def test_recording_a_graph_leaves_no_trace_and_replays_the_step(cuda):
    X, y = some_data()
    plain_one, graphed = (Learner(X, y, "cpu", batch=16) for _ in range(2))
    cuda.state[:] = graphed.state()
    before = [t.clone() for t in graphed.state()]
    replay = record(graphed.step, graphed.state(), "cuda")
    assert all(map(torch.equal, before, graphed.state()))
    assert "record" in cuda.log
    for n in range(4):
        for learner, step in ((plain_one, plain_one.step),
                              (graphed, replay)):
            learner.idx.copy_(torch.arange(16) + n)
            step()
    assert all(map(torch.equal, plain_one.state(), graphed.state()))
