"""A GPU that is not there: tensors that say where they are, and compute.

torch's FakeTensorMode knows for every operation whether its tensors are
on one device, but it has no numbers, so it stops where a program asks for
one. Here it answers: every number is 1, and equal tensors are equal.
"""

import contextlib
from unittest import mock

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

ASKED = {
    torch.ops.aten._local_scalar_dense.default,
    torch.ops.aten.equal.default,
    torch.ops.aten.is_nonzero.default,
}


class Elsewhere(FakeTensorMode):
    """Tensors without numbers, whose numbers may be asked for."""

    def __init__(self):
        super().__init__(allow_non_fake_inputs=True)
        self.asked = set()                       # where fractions were

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func in ASKED:
            device, = {t.device.type for t in args if torch.is_tensor(t)}
            if args[0].is_floating_point():
                self.asked.add(device)
            if func is not torch.ops.aten._local_scalar_dense.default:
                return True
            return torch.ones((), dtype=args[0].dtype).numpy().item()
        return super().__torch_dispatch__(func, types, args, kwargs)


@contextlib.contextmanager
def elsewhere():
    """Within, "cuda" is a device; tensors of the CPU stay what they are."""
    with Elsewhere() as mode, mock.patch.object(
            torch.cuda, "_lazy_init", lambda: None):
        yield mode
