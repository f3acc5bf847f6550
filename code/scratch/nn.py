# Tangled from book/10-nn.qmd. Checksum cc2bc89b.
import math

import torch
import torch.nn.functional as F


class Parameter(torch.Tensor):
    """A leaf tensor that a Module counts among its parameters.

    data: any float tensor, whose memory it shares. What is computed
    from a Parameter is a plain tensor again.
    """

    __torch_function__ = torch._C._disabled_torch_function_impl

    def __new__(cls, data, requires_grad=True):
        plain = data.detach()
        return plain.as_subclass(cls).requires_grad_(requires_grad)

    def __deepcopy__(self, memo):
        return Parameter(self.detach().clone(), self.requires_grad)


def join(path, name):
    """The name of an attribute of the module at that path."""
    return f"{path}.{name}" if path else name


class Tree:
    """Knows which of its attributes are tensors and modules."""

    _buffers = ()                                # their names

    def __setattr__(self, name, value):
        was = isinstance(vars(self).get(name), Parameter)
        if was and not isinstance(value, Parameter | None):
            raise TypeError(f"{name} is a parameter: assign a Parameter"
                            f", not a {type(value).__name__}")
        super().__setattr__(name, value)

    def register_buffer(self, name, tensor):
        """Keep a tensor that is saved and moved, but not trained."""
        setattr(self, name, tensor)
        self._buffers = (*self._buffers, name)

    def named_modules(self, path=""):
        """Pairs of path and module: this one, and all inside it."""
        yield path, self
        for name, value in vars(self).items():
            if isinstance(value, Tree):
                yield from value.named_modules(join(path, name))


class Tracked(Tree):
    """Finds its tensors, however deep inside they are."""

    def named_tensors(self):
        """Pairs of name and tensor, parameters before buffers."""
        for path, module in self.named_modules():
            mine = vars(module)
            for name, value in mine.items():
                if isinstance(value, Parameter):
                    yield join(path, name), value
            for name in module._buffers:
                yield join(path, name), mine[name]

    def named_parameters(self):
        """Pairs of name and Parameter, each Parameter once."""
        seen = set()
        for name, t in self.named_tensors():
            if isinstance(t, Parameter) and t not in seen:
                seen.add(t)
                yield name, t

    def parameters(self):
        """What an optimizer is given."""
        return (p for _, p in self.named_parameters())


class Saved(Tracked):
    """Gives out its tensors by name, and takes them in again."""

    def state_dict(self):
        """All tensors by name. They share the module's memory."""
        return {name: t.detach() for name, t in self.named_tensors()}

    @torch.no_grad()
    def load_state_dict(self, state):
        """Copy the tensors of state into those of the same names.

        Raises RuntimeError, with nothing copied, where a name is
        missing or unexpected, or a shape is another.
        """
        mine = self.state_dict()
        faults = [f"missing: {n}" for n in mine if n not in state]
        faults += [f"unexpected: {n}" for n in state if n not in mine]
        for n, t in mine.items():
            if n in state and state[n].shape != t.shape:
                faults.append(f"{n}: {list(state[n].shape)} does not "
                              f"fit {list(t.shape)}")
        if faults:
            raise RuntimeError("\n  ".join(
                [f"cannot load into {type(self).__name__}", *faults]))
        for n, t in mine.items():
            t.copy_(state[n])


class Handle:
    """A hook in its place, with a way to take it off again."""

    def __init__(self, module, hook):
        self.module, self.hook = module, hook

    def remove(self):
        """Take the hook off; a second time does nothing."""
        self.module._hooks = tuple(
            other for other in self.module._hooks if other is not self
        )


class Module(Saved):
    """A function with parameters. A subclass defines forward.

    Parameters, buffers and modules among its attributes belong to
    it. The methods are those of torch.nn.Module.
    """

    training = True
    _hooks = ()                                  # their handles

    def __call__(self, *args, **kwargs):
        out = self.forward(*args, **kwargs)
        for handle in self._hooks:
            changed = handle.hook(self, args, out)
            out = out if changed is None else changed
        return out

    def register_forward_hook(self, hook):
        """Call hook(module, args, out) after each forward.

        What it returns, unless None, takes the place of out.
        """
        handle = Handle(self, hook)
        self._hooks = (*self._hooks, handle)
        return handle

    def train(self, mode=True):
        """Set the mode of this module and of all inside it."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        """The mode for judging and for use."""
        return self.train(False)

    def to(self, device=None, dtype=None):
        """Move all tensors, in place; a dtype concerns floats only.

        to(dtype) and to(device, dtype), as in torch.
        """
        if isinstance(device, torch.dtype):
            device, dtype = None, device
        for _, t in self.named_tensors():
            kind = dtype if t.is_floating_point() else None
            for part in (t, t.grad):
                if part is not None:
                    part.data = part.data.to(device, kind)
        return self


class Sequential(Module):
    """Modules, each applied to what the one before returned."""

    def __init__(self, *layers):
        for i, layer in enumerate(layers):
            setattr(self, str(i), layer)

    def layers(self):
        """All of them, in order."""
        return [m for m in vars(self).values() if isinstance(m, Module)]

    def __iter__(self):
        return iter(self.layers())

    def __len__(self):
        return len(self.layers())

    def __getitem__(self, i):
        return self.layers()[i]

    def forward(self, x):
        """x through all of them, in order."""
        for layer in self.layers():
            x = layer(x)
        return x


def uniform(shape, edge, **kind):
    """A Parameter with numbers drawn evenly from -edge to edge."""
    return Parameter(torch.empty(shape, **kind).uniform_(-edge, edge))


def first_weights(shape, bias, **kind):
    """weight of that shape and bias [shape[0]] or None, as torch's.

    Uniform within 1 / sqrt(fan_in), where fan_in is how many
    products one output adds up.
    """
    fan_in = math.prod(shape[1:])
    gain = math.sqrt(2 / (1 + math.sqrt(5) ** 2))
    edge = math.sqrt(3) * (gain / math.sqrt(fan_in))
    weight = uniform(shape, edge, **kind)
    if not bias:
        return weight, None
    return weight, uniform(shape[:1], 1 / math.sqrt(fan_in), **kind)


def linear(x, weight, bias=None):
    """x [..., in], weight [out, in], bias [out] -> [..., out]."""
    rows = x.reshape(-1, x.shape[-1])            # [n, in]
    if bias is None:
        out = rows @ weight.T                    # [n, out]
    else:
        out = torch.addmm(bias, rows, weight.T)  # [n, out]
    return out.reshape(*x.shape[:-1], weight.shape[0])


class Linear(Module):
    """Weighted sums, as torch.nn.Linear: weight [out, in]."""

    def __init__(self, in_features, out_features, bias=True, **kind):
        self.weight, self.bias = first_weights(
            (out_features, in_features), bias, **kind
        )

    def forward(self, x):
        """x [..., in] -> [..., out]."""
        return linear(x, self.weight, self.bias)


class ReLU(Module):
    """Zero where x is negative. Its slope at zero is zero too."""

    def forward(self, x):
        """Any shape, same shape."""
        return x.relu()


class Dropout(Module):
    """While training, zero with probability p, else x / (1 - p).

    Srivastava et al. (2014), as torch.nn.Dropout. Raises ValueError
    for p outside [0, 1].
    """

    def __init__(self, p=0.5):
        if not 0 <= p <= 1:
            raise ValueError(f"p is {p}, not from 0 to 1")
        self.p = p

    def forward(self, x):
        """Any shape, same shape."""
        if not self.training or self.p == 0:
            return x
        if self.p == 1:
            return x * 0.0
        keep = torch.empty_like(x).bernoulli_(1 - self.p)
        return x * (keep / (1 - self.p))


def window_numbers(x, kernel, stride, padding):
    """Which pixel stands where in which window, for x [.., H, W].

    [kh, kw, H', W'], with H' = (H + 2 padding - kh) // stride + 1
    and W' alike. Pixels are numbered row by row; H W is the padding.
    """
    (kh, kw), (sh, sw), (ph, pw) = kernel, stride, padding
    H, W = x.shape[-2:]
    numbers = torch.arange(H * W, device=x.device).reshape(H, W)
    numbers = F.pad(numbers, (pw, pw, ph, ph), value=H * W)
    windows = numbers.unfold(0, kh, sh).unfold(1, kw, sw)
    return windows.permute(2, 3, 0, 1)


def conv2d(x, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    """Slide filters over images, as one matrix product.

    x [N, in, H, W], weight [out, in, kh, kw], bias [out]
    -> [N, out, H', W']; see window_numbers.
    """
    N, C, _, _ = x.shape
    shown = window_numbers(x, weight.shape[2:], stride, padding)
    kh, kw, H, W = shown.shape                   # H', W' from here on
    flat = x.permute(1, 2, 3, 0).flatten(1, 2)   # [in, pixels, N]
    flat = F.pad(flat, (0, 0, 0, 1))             # a zero at the end
    columns = flat.index_select(1, shown.flatten())
    columns = columns.reshape(C * kh * kw, -1)   # [in kh kw, H W N]
    rows = weight.flatten(1)                     # [out, in kh kw]
    if bias is None:
        out = rows @ columns                     # [out, H W N]
    else:
        out = torch.addmm(bias[:, None], rows, columns)
    return out.unflatten(1, (H, W, N)).permute(3, 0, 1, 2)


def pair(value):
    """(height, width), from a number or from a pair."""
    return (value, value) if isinstance(value, int) else tuple(value)


class Conv2d(Module):
    """Filters slid over images, as torch.nn.Conv2d.

    weight [out, in, kh, kw], bias [out]. kernel_size, stride and
    padding are a number or a pair (height, width).
    """

    def __init__(self, in_channels, out_channels, kernel_size,
                 stride=1, padding=0, bias=True, **kind):
        self.stride, self.padding = pair(stride), pair(padding)
        shape = (out_channels, in_channels, *pair(kernel_size))
        self.weight, self.bias = first_weights(shape, bias, **kind)

    def forward(self, x):
        """x [N, in, H, W] -> [N, out, H', W']."""
        return conv2d(
            x, self.weight, self.bias, self.stride, self.padding
        )


class RunningStatistics(Module):
    """Mean and variance of each feature, averaged over batches.

    A batch enters with the share momentum, or, where that is None,
    with the same share as every batch before it.
    """

    def __init__(self, num_features, momentum, **kind):
        self.momentum = momentum
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


class BatchNorm1d(RunningStatistics):
    """Each feature less its mean, over its standard deviation.

    Ioffe and Szegedy (2015), as torch.nn.BatchNorm1d: of the batch
    while training, of the running statistics otherwise.
    """

    def __init__(self, num_features, eps=1e-5, momentum=0.1, **kind):
        super().__init__(num_features, momentum, **kind)
        self.eps = eps
        self.weight = Parameter(torch.ones(num_features, **kind))
        self.bias = Parameter(torch.zeros(num_features, **kind))

    def forward(self, x):
        """x [N, features] or [N, features, L], same shape.

        Raises ValueError for another shape.
        """
        features = self.weight.shape[0]
        if x.dim() not in (2, 3) or x.shape[1] != features:
            raise ValueError(f"{list(x.shape)} is not [N, {features}]"
                             f" or [N, {features}, L]")
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


def attention(q, k, v, mask=None, drop=None):
    """Means of the rows of v, weighted by how k answers q.

    q [..., L, d], k and v [..., S, d], mask [..., L, S], added to
    the scores -> [..., L, d] and the weights [..., L, S].
    drop: a function that is applied to the weights.

    softmax(q k^T / sqrt(d)) v, Vaswani et al. (2017).
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores + mask                   # [..., L, S]
    weights = scores.softmax(-1)                 # [..., L, S]
    if drop is not None:
        weights = drop(weights)
    return weights @ v, weights


def additive(mask, dtype):
    """A mask to add: where it is bool, True becomes -inf, else 0."""
    if mask.dtype != torch.bool:
        return mask
    zeros = torch.zeros_like(mask, dtype=dtype)
    return zeros.masked_fill(mask, -math.inf)


class Heads(Module):
    """The parameters of an attention layer, named as in torch.

    in_proj_weight [3 E, E] stacks those of query, key and value.
    Raises ValueError unless num_heads divides embed_dim, E.
    """

    def __init__(self, embed_dim, num_heads, dropout=0.0, bias=True,
                 batch_first=False, **kind):
        if embed_dim % num_heads:
            raise ValueError(f"{num_heads} heads cannot share "
                             f"{embed_dim} numbers evenly")
        self.num_heads, self.batch_first = num_heads, batch_first
        self.dropout = Dropout(dropout)
        self.out_proj = Linear(embed_dim, embed_dim, bias, **kind)
        edge = math.sqrt(3) * math.sqrt(2 / (4 * embed_dim))
        self.in_proj_weight = uniform(
            (3 * embed_dim, embed_dim), edge, **kind
        )
        self.in_proj_bias = None
        if bias:
            zeros = torch.zeros(3 * embed_dim, **kind)
            self.in_proj_bias = Parameter(zeros)
            self.out_proj.bias = Parameter(zeros[:embed_dim].clone())

    def project(self, inputs):
        """query, key, value, each [N, L, E] -> [N, heads, L, d]."""
        weights = self.in_proj_weight.chunk(3)   # [E, E], three
        biases = (None,) * 3
        if self.in_proj_bias is not None:
            biases = self.in_proj_bias.chunk(3)  # [E], three
        for t, *parts in zip(inputs, weights, biases, strict=True):
            t = linear(t, *parts)                # [N, L, E]
            t = t.unflatten(2, (self.num_heads, -1))
            yield t.transpose(1, 2)              # [N, heads, L, d]


class MultiheadAttention(Heads):
    """Attention in several heads, as torch.nn.MultiheadAttention."""

    def mask(self, attn_mask, key_padding_mask, dtype):
        """Both masks as one that broadcasts to [N, heads, L, S]."""
        total = None
        if attn_mask is not None:                # [L, S]
            total = additive(attn_mask, dtype)
            if total.dim() == 3:                 # [N heads, L, S]
                total = total.unflatten(0, (-1, self.num_heads))
        if key_padding_mask is not None:         # [N, S]
            padding = additive(key_padding_mask, dtype)[:, None, None]
            total = padding if total is None else total + padding
        return total

    def forward(self, query, key, value, key_padding_mask=None,
                need_weights=True, attn_mask=None,
                average_attn_weights=True):
        """query [N, L, E], key and value [N, S, E], if batch_first,
        else [L, N, E] and [S, N, E] -> out, shaped like query, and
        the weights [N, L, S], the mean over heads, [N, heads, L, S]
        if not averaged, None if not needed.

        attn_mask [L, S] or [N heads, L, S], key_padding_mask [N, S]:
        bool, True where no look is allowed, or float, to be added.
        """
        inputs = (query, key, value)
        if not self.batch_first:
            inputs = [t.transpose(0, 1) for t in inputs]
        out, weights = attention(
            *self.project(inputs),
            self.mask(attn_mask, key_padding_mask, query.dtype),
            self.dropout,
        )
        out = self.out_proj(out.transpose(1, 2).flatten(2))
        if not self.batch_first:
            out = out.transpose(0, 1)            # [L, N, E]
        if average_attn_weights:
            weights = weights.mean(1)            # [N, L, S]
        return out, weights if need_weights else None
