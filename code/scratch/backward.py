# Tangled from book/04-backward.qmd. Checksum 1361d4da.
import torch

from scratch.functional import (
    check_targets,
    linear,
    log_softmax,
    relu,
    softmax,
)
from scratch.shapes import shapes


def cross_entropy_backward(logits, targets):
    """The gradient of cross_entropy(logits, targets).

    logits [N, classes], float; targets [N], int64
    -> d_logits [N, classes]. Raises as check_targets.

    (softmax(logits) - one_hot(targets)) / N.
    """
    check_targets(logits, targets)
    rows = torch.arange(len(logits), device=logits.device)  # [N]
    d_logits = softmax(logits)                   # [N, classes]
    d_logits[rows, targets] -= 1
    return d_logits / len(logits)


@shapes
def linear_backward(x, W, d_out, *, need_x=True):
    """The gradients of linear(x, W, b), from that of its result.

    x [N, in], W [in, out], d_out [N, out]
    -> d_x [N, in], d_W [in, out], d_b [out].
    With need_x=False, d_x is None and its product is not taken.
    """
    d_x = d_out @ W.T if need_x else None        # [N, in]
    d_W = x.T @ d_out                            # [in, out]
    d_b = d_out.sum(dim=0)                       # [out]
    return d_x, d_W, d_b


@shapes
def relu_backward(h_pre, d_h):
    """The gradient of relu(h_pre), from that of its result.

    h_pre and d_h [...] -> d_h_pre [...], all of one shape: zero
    where h_pre <= 0, so at 0 too, as for torch.relu, d_h elsewhere.
    """
    return torch.where(h_pre <= 0, 0, d_h)


@shapes
def loss_and_push(logits, targets):
    """cross_entropy and cross_entropy_backward in one pass.

    logits [N, classes], targets [N] int64
    -> loss [], d_logits [N, classes].
    Trusts the targets: check_targets comes before.
    """
    labels = targets[:, None]                    # [N, 1]
    log_probs = log_softmax(logits)              # [N, classes]
    picked = log_probs.gather(1, labels)         # [N, 1]
    d_logits = log_probs.exp()                   # [N, classes]
    d_logits.scatter_add_(1, labels, torch.full_like(picked, -1))
    return -picked.mean(), d_logits / len(logits)


@torch.no_grad()
def backward(x, targets, W1, b1, W2, b2):
    """The loss of a batch, and its gradient in each parameter.

    x [N, in], targets [N] and the parameters of forward
    -> loss [], [d_W1, d_b1, d_W2, d_b2], each as its parameter.
    Raises as check_targets. Records nothing for autograd.
    """
    h_pre = linear(x, W1, b1)                    # [N, hidden]
    h = relu(h_pre)                              # [N, hidden]
    logits = linear(h, W2, b2)                   # [N, classes]
    check_targets(logits, targets)
    loss, d_logits = loss_and_push(logits, targets)

    d_h, d_W2, d_b2 = linear_backward(h, W2, d_logits)
    d_h_pre = relu_backward(h_pre, d_h)          # [N, hidden]
    _, d_W1, d_b1 = linear_backward(x, W1, d_h_pre, need_x=False)
    return loss, [d_W1, d_b1, d_W2, d_b2]
