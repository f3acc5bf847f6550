# Tangled from book/09-gpu.qmd. Checksum 7888b999.
import torch

from scratch.backward import linear_backward, loss_and_push
from scratch.functional import linear, relu
from scratch.init import make_params
from scratch.optim import Adam

IMAGES, BATCH = 60_000, 64
STEPS = -(-IMAGES // BATCH)                      # 938, rounded up


def fresh(device):
    """The four tensors on a device, without autograd.

    Drawn on the CPU, so that every device starts from the same.
    """
    return [p.detach().to(device) for p in make_params(seed=0)]


@torch.no_grad()
def gradients(x, targets, W1, b1, W2, b2):
    """As scratch.backward.backward, and how many are right.

    x [N, in], targets [N] and the parameters of forward
    -> loss [], right [], [d_W1, d_b1, d_W2, d_b2]. Asks for no
    number of a tensor, so it does not check the targets.
    """
    h_pre = linear(x, W1, b1)                    # [N, hidden]
    h = relu(h_pre)                              # [N, hidden]
    logits = linear(h, W2, b2)                   # [N, classes]
    loss, d_logits = loss_and_push(logits, targets)
    right = (logits.argmax(1) == targets).sum()  # []
    d_h, d_W2, d_b2 = linear_backward(h, W2, d_logits)
    d_h.masked_fill_(h_pre <= 0, 0)              # [N, hidden]
    _, d_W1, d_b1 = linear_backward(x, W1, d_h, need_x=False)
    return loss, right, [d_W1, d_b1, d_W2, d_b2]


def pieces(images, steps, batch, device):
    """The indices [batch] of so many steps, in random order.

    Where the images run out they begin again, so that every step
    has the same shapes.
    """
    order = torch.randperm(images, device=device)            # [images]
    order = order.repeat(-(-steps * batch // images))
    return order[: steps * batch].split(batch)


def eager(X, y, device, batch=BATCH):
    """run(steps) as scratch.train trains, asking twice each step.

    X, y: where they lie, from there each batch goes to the device.
    """
    params = fresh(device)
    adam = Adam(params)

    def run(steps):
        total = hits = 0
        for idx in pieces(len(X), steps, batch, X.device):
            x = X.index_select(0, idx).to(device)
            targets = y.index_select(0, idx).to(device)
            loss, right, grads = gradients(x, targets, *params)
            for p, grad in zip(params, grads, strict=True):
                p.grad = grad
            adam.step()
            total += loss.item()
            hits += right.item()
        return total / steps, hits / steps / batch
    return run


class Learner:
    """What a step of training reads and changes, on one device.

    X [N, 784], y [N]; idx [batch] says which images come next. The
    sums of losses and of right answers stay on the device too.
    """

    def __init__(self, X, y, device, batch=BATCH):
        self.X, self.y = X.to(device), y.to(device)
        self.params = fresh(device)
        self.adam = TensorAdam(self.params)
        self.idx = torch.arange(batch, device=device)        # [batch]
        self.loss = torch.zeros((), device=device)           # []
        self.right = torch.zeros((), dtype=torch.int64, device=device)

    def state(self):
        """The tensors that a step changes."""
        adam = self.adam
        return [*self.params, adam.t, *adam.m, *adam.v,
                self.loss, self.right]

    @torch.no_grad()
    def step(self):
        """A step with the images idx; nothing is asked."""
        x = self.X.index_select(0, self.idx)     # [batch, 784]
        targets = self.y.index_select(0, self.idx)           # [batch]
        loss, right, grads = gradients(x, targets, *self.params)
        self.adam.step(grads)
        self.loss.add_(loss)
        self.right.add_(right)


class TensorAdam(Adam):
    """scratch.optim.Adam with its count in a tensor.

    A recording repeats what is done to tensors. A count in Python
    would stay what it was.
    """

    def __init__(self, params, **kind):
        super().__init__(params, **kind)
        self.t = torch.zeros(
            (), dtype=torch.float64, device=self.params[0].device)
        self.m = [torch.zeros_like(p) for p in self.params]
        self.v = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def step(self, grads):
        """Change the parameters in place, by grads of their shapes."""
        beta1, beta2 = self.betas
        self.t.add_(1)
        root_of = (1 - beta2**self.t).sqrt()     # []
        step_size = self.lr / (1 - beta1**self.t)            # []
        for p, g, m, v in zip(
            self.params, grads, self.m, self.v, strict=True
        ):
            m.lerp_(g, 1 - beta1)
            v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
            root = v.sqrt().div_(root_of).add_(self.eps)
            p.sub_(m.div(root).mul_(step_size))


def unasked(learner, step):
    """run(steps) that asks for its two sums at the end."""
    def run(steps):
        device, batch = learner.X.device, len(learner.idx)
        learner.loss.zero_()
        learner.right.zero_()
        for idx in pieces(len(learner.X), steps, batch, device):
            learner.idx.copy_(idx)
            step()
        return (learner.loss.item() / steps,
                learner.right.item() / steps / batch)
    return run
