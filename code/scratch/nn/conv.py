# Tangled from book/10-nn.qmd. Checksum c8aa1828.
import torch
import torch.nn.functional as F

from scratch.nn.layers import first_weights
from scratch.nn.module import Module
from scratch.shapes import shapes


def window_numbers(x, kernel, stride, padding):
    """Which pixel stands where in which window, for x [.., H, W].

    [kh, kw, H', W'], with H' = (H + 2 padding - kh) // stride + 1
    and W' alike. Pixels are numbered row by row; H W is the padding.
    Raises ValueError for a step below 1 and a padding below 0.
    """
    (kh, kw), (sh, sw), (ph, pw) = kernel, stride, padding
    if min(kh, kw, sh, sw) < 1 or min(ph, pw) < 0:
        raise ValueError(f"kernel {kernel} and stride {stride} must be "
                         f"1 or more, padding {padding} 0 or more")
    H, W = x.shape[-2:]
    numbers = torch.arange(H * W, device=x.device).reshape(H, W)
    numbers = F.pad(numbers, (pw, pw, ph, ph), value=H * W)
    windows = numbers.unfold(0, kh, sh).unfold(1, kw, sw)
    return windows.permute(2, 3, 0, 1)


@shapes
def conv2d(x, weight, bias=None, stride=1, padding=0):
    """Slide filters over images, as one matrix product.

    x [N, in, H, W], weight [out, in, kh, kw], bias [out]
    -> [N, out, H', W']; see window_numbers.
    """
    N, C, _, _ = x.shape
    shown = window_numbers(
        x, weight.shape[2:], pair(stride), pair(padding))
    kh, kw, H, W = shown.shape                   # H', W' from here on
    flat = x.permute(1, 2, 3, 0).flatten(1, 2)   # [in, pixels, N]
    flat = F.pad(flat, (0, 0, 0, 1))             # a zero at the end
    columns = flat.index_select(1, shown.flatten())
    columns = columns.reshape(C * kh * kw, H * W * N)
    rows = weight.flatten(1)                     # [out, in kh kw]
    if bias is None:
        out = rows @ columns                     # [out, H W N]
    else:
        out = torch.addmm(bias[:, None], rows, columns)
    return out.unflatten(1, (H, W, N)).permute(3, 0, 1, 2)


def pair(value):
    """(height, width), from a whole number or from a pair."""
    two = tuple(value) if isinstance(value, tuple | list) else (
        value, value)
    if len(two) != 2 or not all(isinstance(n, int) for n in two):
        raise TypeError(f"{value!r} is no whole number and no pair")
    return two


class Conv2d(Module):
    """Filters slid over images, as torch.nn.Conv2d.

    weight [out, in, kh, kw], bias [out]. kernel_size, stride and
    padding are a number or a pair (height, width).
    """

    def __init__(self, in_channels, out_channels, kernel_size,
                 stride=1, padding=0, *, bias=True, device=None,
                 dtype=None):
        self.stride, self.padding = pair(stride), pair(padding)
        shape = (out_channels, in_channels, *pair(kernel_size))
        self.weight, bias = first_weights(
            shape, bias, device=device, dtype=dtype)
        self.register_parameter("bias", bias)

    def forward(self, x):
        """x [N, in, H, W] -> [N, out, H', W']."""
        return conv2d(
            x, self.weight, self.bias, self.stride, self.padding
        )
