"""Batches: torch's very order, every sample once, nothing disturbed."""

import random
from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader as TorchLoader
from torch.utils.data import TensorDataset

from scratch.data import DataLoader, draw_seed, shuffled

few = settings(max_examples=60)
lengths = st.integers(1, 70)
batch_sizes = st.integers(1, 80)
seeds = st.integers(0, 2**32)
flags = st.booleans()
EPOCHS = 3


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def samples(N):
    """X [N, 3] whose rows can be told apart, and y [N] likewise."""
    return torch.arange(3.0 * N).reshape(N, 3), torch.arange(N) + 1000


def seen(loader):
    """The labels of one epoch, in the order in which they came."""
    return [label for _, targets in loader for label in targets.tolist()]


def pair(N, *, seed, own, **options):
    """Ours and torch's loader, each with a stream of the same seed.

    A stream is a function that makes it current, and one that reads its
    state: of a generator, or of the global one.
    """
    for kind, data in [
        (DataLoader, samples(N)),
        (TorchLoader, [TensorDataset(*samples(N))]),
    ]:
        torch.manual_seed(seed)
        g = seeded(seed) if own else None
        loader = kind(*data, generator=g, **options)
        yield loader, (g.get_state if own else torch.get_rng_state)


# ------------------------------------------------------- the order of torch


@few
@given(lengths, batch_sizes, seeds, flags, flags, flags)
def test_every_batch_and_state_equals_torch_s_epoch_after_epoch(
    N, batch_size, seed, own, shuffle, drop_last
):
    runs = []
    for loader, state in pair(
        N, seed=seed, own=own, batch_size=batch_size, shuffle=shuffle,
        drop_last=drop_last,
    ):
        runs.append([([*loader], state()) for _ in range(EPOCHS)])
    for (ours, our_state), (theirs, their_state) in zip(*runs, strict=True):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            for p, q in zip(a, b, strict=True):
                assert p.dtype == q.dtype and torch.equal(p, q)
        assert torch.equal(our_state, their_state)


@pytest.mark.parametrize("own", [True, False])
def test_an_epoch_of_mnist_s_size_comes_in_torch_s_order(own):
    y = torch.arange(60_000)
    orders = []
    for kind, data in [
        (DataLoader, (y, y)), (TorchLoader, [TensorDataset(y, y)])
    ]:
        torch.manual_seed(5)
        loader = kind(*data, batch_size=64, shuffle=True,
                      generator=seeded(6) if own else None)
        assert len(loader) == 938
        orders.append([seen(loader) for _ in range(2)])
    assert orders[0] == orders[1]
    assert orders[0][0] != orders[0][1]


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("taken", [0, 1, 3])
def test_an_epoch_that_is_broken_off_leaves_the_same_state_as_torch_s(
    own, taken
):
    results = []
    for loader, state in pair(
        20, seed=3, own=own, batch_size=4, shuffle=True
    ):
        first = [t.tolist() for _, t in islice(loader, taken)]
        results.append((first, state().tolist(), seen(loader)))
    assert results[0] == results[1]


@pytest.mark.parametrize("own", [True, False])
def test_two_epochs_side_by_side_draw_in_torch_s_order(own):
    results = []
    for loader, state in pair(
        12, seed=4, own=own, batch_size=4, shuffle=True
    ):
        both = [
            (a[1].tolist(), b[1].tolist())
            for a, b in zip(loader, loader, strict=True)
        ]
        results.append((both, state().tolist()))
    assert results[0] == results[1]


def test_the_base_seed_is_drawn_when_the_loop_begins():
    for shuffle in (True, False):
        states = []
        for loader, state in pair(
            6, seed=2, own=True, batch_size=4, shuffle=shuffle
        ):
            iter(loader)
            states.append(state())
        assert torch.equal(*states)
        assert not torch.equal(states[0], seeded(2).get_state())


def test_torch_s_workers_do_not_change_the_order():
    N, options = 10, {"batch_size": 3, "shuffle": True}
    ours = DataLoader(*samples(N), generator=seeded(1), **options)
    theirs = TorchLoader(
        TensorDataset(*samples(N)), generator=seeded(1), num_workers=1,
        **options,
    )
    assert [seen(ours) for _ in range(2)] == [
        seen(theirs) for _ in range(2)
    ]


def test_randperm_and_a_slice_give_another_order():
    loader = DataLoader(*samples(30), generator=seeded(0))
    bare = torch.randperm(30, generator=seeded(0)) + 1000
    assert seen(loader) != bare.tolist()


# ----------------------------------------------- generators, given or global


def test_a_generator_s_seed_gives_the_same_epochs_again():
    def epochs(seed):
        loader = DataLoader(*samples(40), generator=seeded(seed))
        return [seen(loader) for _ in range(EPOCHS)]

    first = epochs(7)
    torch.manual_seed(99)
    assert epochs(7) == first
    assert epochs(8) != first
    assert first[0] != first[1] != first[2] != first[0]


def test_a_generator_s_state_resumes_an_interrupted_run():
    g = seeded(0)
    loader = DataLoader(*samples(40), generator=g)
    seen(loader)
    state = g.get_state()
    second = seen(loader)
    resumed = torch.Generator()
    resumed.set_state(state)
    assert seen(DataLoader(*samples(40), generator=resumed)) == second


@pytest.mark.parametrize("shuffle", [True, False])
def test_with_a_generator_the_global_ones_stay_where_they_are(shuffle):
    torch.manual_seed(1)
    before, python = torch.get_rng_state(), random.getstate()
    seen(DataLoader(*samples(9), shuffle=shuffle, generator=seeded(0)))
    assert torch.equal(torch.get_rng_state(), before)
    assert random.getstate() == python


def test_making_a_loader_draws_nothing():
    g = seeded(0)
    len(DataLoader(*samples(9), generator=g))
    assert torch.equal(g.get_state(), seeded(0).get_state())


def test_a_seed_is_drawn_as_torch_draws_its_base_seed():
    theirs = TorchLoader(TensorDataset(torch.zeros(1)), generator=seeded(3))
    assert draw_seed(seeded(3)) == iter(theirs)._base_seed
    torch.manual_seed(3)
    assert draw_seed() == draw_seed(seeded(3))
    drawn = [draw_seed(seeded(n)) for n in range(50)]
    assert all(isinstance(seed, int) and seed >= 0 for seed in drawn)
    assert max(drawn) > 2**62


def test_shuffled_pieces_are_a_permutation_cut_to_size():
    pieces = [*shuffled(10, 4, seeded(0))]
    assert [len(p) for p in pieces] == [4, 4, 2]
    assert torch.cat(pieces).sort().values.tolist() == [*range(10)]
    assert all(p.dtype == torch.int64 for p in pieces)


# ------------------------------------------------------- what an epoch holds


@few
@given(lengths, batch_sizes, seeds)
def test_every_sample_comes_once_an_epoch_beside_its_own_label(
    N, batch_size, seed
):
    X, y = samples(N)
    loader = DataLoader(X, y, batch_size, generator=seeded(seed))
    for _ in range(2):
        batches = [*loader]
        x, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
        assert targets.sort().values.equal(y)
        assert x.equal(X[targets - 1000])


@few
@given(lengths, batch_sizes, flags)
def test_without_shuffle_samples_come_in_the_order_of_the_file(
    N, batch_size, drop_last
):
    loader = DataLoader(
        *samples(N), batch_size, shuffle=False, drop_last=drop_last
    )
    kept = N - N % batch_size if drop_last else N
    for _ in range(2):
        assert seen(loader) == [*range(1000, 1000 + kept)]


@few
@given(lengths, batch_sizes, flags, flags)
def test_the_length_is_the_number_of_batches_and_only_the_last_is_short(
    N, batch_size, shuffle, drop_last
):
    loader = DataLoader(
        *samples(N), batch_size, shuffle=shuffle, drop_last=drop_last
    )
    sizes = [len(targets) for _, targets in loader]
    full, rest = divmod(N, batch_size)
    short = [rest] if rest and not drop_last else []
    assert sizes == [batch_size] * full + short
    assert len(loader) == len(sizes)


def test_sixty_thousand_make_937_batches_of_64_and_one_of_32():
    y = torch.zeros(60_000)
    sizes = [len(targets) for _, targets in DataLoader(y, y)]
    assert sizes == [64] * 937 + [32]
    assert len(DataLoader(y, y)) == 938
    assert len(DataLoader(y, y, drop_last=True)) == 937


def test_the_defaults_are_64_shuffled_and_all_samples():
    torch.manual_seed(0)
    batches = [*DataLoader(*samples(100))]
    assert [len(targets) for _, targets in batches] == [64, 36]
    assert batches[0][1].tolist() != [*range(1000, 1064)]


def test_samples_keep_their_shape_and_dtype():
    X = torch.arange(24, dtype=torch.uint8).reshape(2, 3, 4)
    ((x, targets),) = DataLoader(X, torch.tensor([1.5, 2.5]), shuffle=False)
    assert torch.equal(x, X) and x.dtype == torch.uint8
    assert targets.tolist() == [1.5, 2.5]


# ------------------------------------------------------- memory


def test_the_data_is_held_without_a_copy_and_never_changed():
    X, y = samples(20)
    before = X.clone(), y.clone()
    loader = DataLoader(X, y, 8, generator=seeded(0))
    assert loader.X is X and loader.y is y
    seen(loader)
    assert X.equal(before[0]) and y.equal(before[1])


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("batch_size", [8, 20, 50])
def test_a_batch_may_be_overwritten_without_harm_to_the_data(
    shuffle, batch_size
):
    X, y = samples(20)
    before = X.clone(), y.clone()
    for x, targets in DataLoader(X, y, batch_size, shuffle=shuffle):
        x.fill_(-1)
        targets.fill_(-1)
    assert X.equal(before[0]) and y.equal(before[1])


def test_a_batch_is_made_when_it_is_asked_for():
    X, y = samples(20)
    batches = iter(DataLoader(X, y, 8, shuffle=False))
    next(batches)
    X[8:16] = 7
    assert next(batches)[0].eq(7).all()


# ------------------------------------------------------- errors


@pytest.mark.parametrize("N, M", [(3, 4), (4, 3), (0, 1), (1, 0), (0, 0)])
def test_data_without_a_label_each_are_refused(N, M):
    with pytest.raises(ValueError, match=f"{N} samples and {M} targets"):
        DataLoader(torch.zeros(N, 2), torch.zeros(M))


@pytest.mark.parametrize("batch_size", [0, -1, -64])
def test_a_batch_size_below_one_is_refused(batch_size):
    with pytest.raises(ValueError, match=f"batch_size {batch_size} "):
        DataLoader(*samples(3), batch_size)


def test_a_single_sample_is_enough():
    ((x, targets),) = DataLoader(torch.ones(1, 2), torch.tensor([7]))
    assert x.tolist() == [[1.0, 1.0]] and targets.tolist() == [7]
