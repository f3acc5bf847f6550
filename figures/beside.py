"""Where ours and torch's differ: tried out, call by call.

Nothing here knows what ours can do. A keyword of torch's is given to both;
ours does the same, or refuses it. Anything else is an error.
"""

import inspect

import torch
from torch import nn

import scratch.nn
from scratch.autograd import Tensor

Found = dict[str, list[str]]
REFUSALS = TypeError, ValueError, RuntimeError
THEIRS = *REFUSALS, AssertionError               # torch has that one too

# A value for every argument of torch's layers that is not its default.
TRIALS = {
    "add_bias_kv": True, "add_zero_attn": True, "affine": False,
    "attn_mask": torch.ones(5, 5).triu(1).bool(),
    "average_attn_weights": False, "batch_first": True, "bias": False,
    "device": "cpu", "dilation": 2, "dropout": 0.5, "dtype": torch.float64,
    "eps": 1e-3, "groups": 2, "inplace": True, "is_causal": True, "kdim": 3,
    "key_padding_mask": torch.tensor([[False] * 4 + [True]] * 5),
    "momentum": 0.5, "need_weights": False, "p": 0.3, "padding": 1,
    "padding_mode": "circular", "stride": 2, "track_running_stats": False,
    "vdim": 3,
}
LAYERS: dict[str, tuple[tuple, list]] = {        # made with, called with
    "Linear": ((4, 6), [(5, 4)]), "ReLU": ((), [(5, 4)]),
    "Dropout": ((), [(5, 4)]), "Conv2d": ((4, 6, 3), [(2, 4, 7, 7)]),
    "BatchNorm1d": ((4,), [(5, 4)]),
    "MultiheadAttention": ((4, 2), [(5, 5, 4)] * 3),
}
METHODS = """add sub mul div pow exp log sqrt relu matmul addmm sum mean max
    softmax reshape flatten unflatten squeeze transpose permute index_select
    chunk clamp""".split()
BASE = {                                         # called with, after x
    **dict.fromkeys(("add", "sub", "mul", "div"), (torch.ones(3, 3) * 3,)),
    "pow": (2,), "matmul": (torch.ones(3, 3),),
    "addmm": (torch.ones(3, 3), torch.ones(3, 3)), "softmax": (1,),
    "reshape": (9,), "unflatten": (0, (3, 1)), "transpose": (0, 1),
    "permute": (1, 0), "index_select": (0, torch.tensor([2, 0])),
    "chunk": (2,), "clamp": (0.5,),
}
KEYWORDS = {
    "alpha": 2, "beta": 2, "dim": 0, "dtype": torch.float64,
    "end_dim": 0, "keepdim": True, "max": 1.0, "rounding_mode": "floor",
    "start_dim": 1,
}


def flat(out):
    """The tensors that came out, as torch's."""
    outs = out if isinstance(out, tuple | list) else (out,)
    return [t.data if isinstance(t, Tensor) else t
            for t in outs if t is not None]


def attempt(act, refusals=REFUSALS):
    """What act() returns, or None where it is refused."""
    try:
        return flat(act())
    except refusals:
        return None


def sort_out(ours, theirs):
    """"same", "refused", or None where torch refuses as well."""
    a, b = attempt(ours), attempt(theirs, THEIRS)
    if a is None:
        return None if b is None else "refused"
    if b is None:
        raise AssertionError("ours takes what torch refuses")
    for p, q in zip(a, b, strict=True):
        torch.testing.assert_close(p, q, equal_nan=True)
    return "same"


def run_layer(lib, name, made, asked):
    """A layer from one seed, made and called with those keywords."""
    torch.manual_seed(0)
    sizes, shapes = LAYERS[name]
    layer = getattr(lib, name)(*sizes, **made)
    inputs = [torch.randn(s, dtype=made.get("dtype")) for s in shapes]
    return layer(*inputs, **asked)


def try_layers():
    """{layer: {"same": arguments, "refused": arguments}} of torch's."""
    found = {}
    for name, (sizes, shapes) in LAYERS.items():
        twin = getattr(nn, name)
        sorted_out: Found = {"same": [], "refused": []}
        for given, part in ((sizes, twin), (shapes, twin.forward)):
            names = list(inspect.signature(part).parameters)
            skip = len(given) + (part is not twin)
            for word in names[skip:]:
                if word == "is_causal":          # needs its mask
                    more = {"attn_mask": TRIALS["attn_mask"]}
                else:
                    more = {}
                trial = {word: TRIALS[word], **more}
                both = (trial, {}) if part is twin else ({}, trial)
                what = sort_out(
                    lambda n=name, b=both: run_layer(scratch.nn, n, *b),
                    lambda n=name, b=both: run_layer(nn, n, *b))
                sorted_out[what or "refused"].append(word)
        found[name] = sorted_out
    return found


def try_methods():
    """{method: {"same": keywords, "refused": keywords}} of torch's."""
    found = {}
    x = torch.tensor([[1.0, 2, 3], [4, 6, 5], [9, 8, 7]])
    for name in METHODS:
        sorted_out: Found = {"same": [], "refused": []}
        for word, value in KEYWORDS.items():
            trial = {word: value}
            if word == "keepdim":                # of which dimension?
                trial["dim"] = 0
            what = sort_out(*(
                lambda t=t, n=name, given=trial: getattr(t, n)(
                    *BASE.get(n, ()), **given)
                for t in (Tensor(x, True), x)))
            if what:
                sorted_out[what].append(word)
        found[name] = sorted_out
    return found


def count_absent():
    """How many public methods torch's tensor has that ours has not."""
    theirs = {n for n in dir(torch.Tensor) if not n.startswith("_")
              and callable(getattr(torch.Tensor, n, None))}
    return len(theirs - set(dir(Tensor)))


def told(act):
    """What act() says, in words of a table."""
    try:
        out = act()
    except REFUSALS:
        return "refused"
    out = out.data if isinstance(out, Tensor) else out
    if torch.is_tensor(out):
        return f"{out.item():g}" if out.numel() == 1 else f"{out.tolist()}"
    return str(out)


def code(words):
    return ", ".join(f"`{word}`" for word in words)
