# Tangled from book/10-nn.qmd. Checksum 563dbea3.
import torch

from scratch.nn.module import Module, Parameter
from scratch.shapes import shapes


class BatchNorm1d(Module):
    """Each feature less its mean, over its standard deviation.

    Ioffe and Szegedy (2015), as torch.nn.BatchNorm1d: of the batch
    while training, of the running statistics otherwise. A batch
    enters these with the share momentum, or, where that is None,
    with the same share as every batch before it.
    """

    def __init__(self, num_features, eps=1e-5, momentum=0.1, *,
                 device=None, dtype=None):
        kind = {"device": device, "dtype": dtype}
        if not eps > 0:
            raise ValueError(f"eps is {eps}, not above 0")
        if not isinstance(momentum, float | int | None):
            raise TypeError(f"momentum is no number: {momentum!r}")
        self.eps, self.momentum = eps, momentum
        self.weight = Parameter(torch.ones(num_features, **kind))
        self.bias = Parameter(torch.zeros(num_features, **kind))
        zeros = torch.zeros(num_features, **kind)
        self.register_buffer("running_mean", zeros)
        self.register_buffer("running_var", torch.ones_like(zeros))
        count = torch.zeros((), dtype=torch.int64, device=zeros.device)
        self.register_buffer("num_batches_tracked", count)

    @torch.no_grad()
    def track(self, mean, var, n):
        """Take in a batch of n rows: mean and biased var [features].

        Raises ValueError for a single row.
        """
        if n < 2:
            raise ValueError("a single value has no variance")
        self.num_batches_tracked += 1
        share = self.momentum
        if share is None:
            share = 1 / self.num_batches_tracked.item()
        for running, new in ((self.running_mean, mean),
                             (self.running_var, var * (n / (n - 1)))):
            running.mul_(1 - share).add_(new, alpha=share)

    @shapes
    def forward(self, x):
        """x [...] -> [...], (N, features) or (N, features, L).

        Raises ValueError for another shape or dtype.
        """
        features, dtype = self.weight.shape[0], self.weight.dtype
        if (x.dim() not in (2, 3) or x.shape[1] != features
                or x.dtype != dtype):
            raise ValueError(f"{list(x.shape)}, {x.dtype} is not [N, "
                             f"{features}] or [N, {features}, L], "
                             f"{dtype}")
        last = x.transpose(1, -1)                # features last
        rows = last.reshape(-1, features)        # [n, features]
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = rows.mean(0)                  # [features]
            var = ((rows - mean) ** 2).mean(0)   # [features]
            self.track(mean, var, len(rows))
        normal = (rows - mean) / (var + self.eps).sqrt()
        out = normal * self.weight + self.bias   # [n, features]
        return out.reshape(last.shape).transpose(1, -1)
