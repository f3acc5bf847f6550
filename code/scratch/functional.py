# Tangled from book/02-forward.qmd and book/03-loss.qmd and book/11-mastery.qmd. Checksum 5dbad178.
import torch

from scratch.shapes import shapes


@shapes
def linear(x, W, b):
    """One weighted sum for each row of x and each column of W.

    x [..., in], W [in, out], b [out] -> [..., out], all of one
    float dtype. Raises RuntimeError for other shapes.

    y = x W + b, as torch.nn.functional.linear, which takes W
    transposed, [out, in].
    """
    return x @ W + b                             # [N, out]


@shapes
def relu(x):
    """Zero where x is negative, x elsewhere.

    x [...] -> [...], the same shape and float dtype.

    max(x, 0), as torch.nn.functional.relu.
    """
    return torch.clamp(x, min=0)


def forward(x, W1, b1, W2, b2):
    """The scores of a network with one hidden layer.

    x [N, in], W1 [in, hidden], b1 [hidden], W2 [hidden, classes],
    b2 [classes] -> logits [N, classes], all of one float dtype.
    """
    h_pre = linear(x, W1, b1)                    # [N, hidden]
    h = relu(h_pre)                              # [N, hidden]
    logits = linear(h, W2, b2)                   # [N, classes]
    return logits


@shapes
def softmax(logits):
    """Probabilities: no entry below 0, each row with a sum of 1.

    logits [N, classes] -> [N, classes], the same float dtype.

    exp(z_i) / sum_j exp(z_j), with the row's largest logit taken
    from all of them first, which changes nothing but the range.
    """
    shifted = logits - logits.max(1, keepdim=True).values  # <= 0
    e = shifted.exp()                            # [N, classes]
    return e / e.sum(1, keepdim=True)            # [N, classes]


@shapes
def check_targets(logits, targets):
    """Raise unless targets, [N], name classes of logits [N, classes].

    TypeError for what is no tensor, ValueError for another shape
    or dtype than int64, IndexError for a target outside
    [0, classes).
    """
    N, classes = logits.shape
    if not torch.is_tensor(targets):
        raise TypeError(f"targets are {targets!r}, not a tensor")
    if targets.shape != (N,) or targets.dtype != torch.int64:
        raise ValueError(f"targets need int64 [{N}], not "
                         f"{targets.dtype} {list(targets.shape)}")
    if N == 0:
        return
    low, high = targets.aminmax()                # [], []
    for target in (low.item(), high.item()):
        if not 0 <= target < classes:
            raise IndexError(f"target {target} is not among the "
                             f"{classes} classes, 0 to {classes - 1}")


@shapes
def log_softmax(logits):
    """Logarithms of the softmax, without taking one of zero.

    logits [N, classes] -> [N, classes], the same float dtype.

    z_i - m - log(sum_j exp(z_j - m)), where m is the row's largest.
    """
    shifted = logits - logits.max(1, keepdim=True).values  # <= 0
    total = shifted.exp().sum(1, keepdim=True)   # [N, 1], >= 1
    return shifted - total.log()                 # [N, classes]


def cross_entropy(logits, targets):
    """The mean of -log(probability of the right class).

    logits [N, classes], float; targets [N], int64 -> [], float.
    Raises as check_targets.

    As torch.nn.functional.cross_entropy, without its options.
    """
    check_targets(logits, targets)
    rows = torch.arange(len(logits), device=logits.device)  # [N]
    picked = log_softmax(logits)[rows, targets]  # [N]
    return -picked.mean()                        # []


@shapes
def dropout(x, p=0.5, training=True, *, generator=None):
    """Zero with probability p, else x / (1 - p), while training.

    x [...] -> [...], the same shape and float dtype; x itself if
    not training or p is 0. Raises ValueError for p outside [0, 1].
    On a CPU it draws as torch.nn.functional.dropout, from the
    generator, or from torch's global one.

    Srivastava et al. (2014), scaled while training.
    """
    if not 0 <= p <= 1 or not isinstance(training, bool):
        raise ValueError(f"p is {p}, not from 0 to 1, or training is "
                         f"{training}, not True or False")
    if not training or p == 0:
        return x
    if p == 1:
        return x * 0.0
    keep = torch.empty_like(x).bernoulli_(1 - p, generator=generator)
    return x * (keep / (1 - p))
