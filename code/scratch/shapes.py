# Tangled from book/shapes.qmd. Checksum aaef13ff.
import re
from functools import wraps
from inspect import signature
from operator import attrgetter

import torch

NAMED = re.compile(r"(\w+(?:(?:, | and )\w+)*) \[(.*?)\](,? int64)?")


def named_sizes(function):
    """{argument: (its sizes, whether int64, whether it may be None)},
    from the docstring."""
    known, found = signature(function).parameters, {}
    for names, sizes, whole in NAMED.findall(function.__doc__):
        for name in re.split(", | and ", names):
            if name in known:
                words = tuple(filter(None, sizes.split(", ")))
                found.setdefault(name, (
                    words, bool(whole), known[name].default is None))
    return found


def fit(shape, words, sizes):
    """Whether a shape is as worded; notes the size of each word."""
    if words[:1] == ("...",):
        many, words = len(shape) - len(words) + 1, words[1:]
        if many < 0 or sizes.setdefault(
                "...", shape[:many]) != shape[:many]:
            return False
        shape = shape[many:]
    return len(shape) == len(words) and all(
        sizes.setdefault(word, size) == size and (size or word == "N")
        for word, size in zip(words, shape, strict=True))


def told(words, sizes):
    """What is known of the sizes, as words of an error."""
    known = [f"{w} = {list(sizes[w]) if w == '...' else sizes[w]}"
             for w in words if w in sizes]
    return f" with {', '.join(known)}" if known else ""


def check(name, kind, words, whole, free, sizes):
    """Raise unless an argument of that kind, (shape, dtype), fits."""
    if kind is None and free:
        return
    shape, dtype = kind or (None, None)
    known = sizes.get(torch.dtype)               # that of the others
    if not isinstance(dtype, torch.dtype):
        raise TypeError(f"{name} is no tensor of torch: {dtype}")
    if whole:
        if dtype != torch.int64:
            raise TypeError(f"{name} is {dtype}, not int64")
    elif not dtype.is_floating_point or known not in (None, dtype):
        raise TypeError(f"{name} is {dtype}, not {known or 'float'}")
    else:
        sizes[torch.dtype] = dtype
    before = dict(sizes)
    if not fit(shape, words, sizes):
        raise RuntimeError(f"{name} is {list(shape)}, not "
                           f"[{', '.join(words)}]{told(words, before)}")


KIND = attrgetter("shape", "dtype")


def shapes(function):
    """A decorator: refuse what does not fit the docstring.

    TypeError for an argument that is no tensor, or of another dtype,
    RuntimeError for one of another shape.
    """
    order = list(signature(function).parameters)
    named = named_sizes(function)
    places = [order.index(name) for name in named]
    part = slice(min(places), max(places) + 1)   # they stand together
    right = set()                                # what was found so

    def check_all(args, kwargs):
        given = dict(zip(order, args, strict=False)) | kwargs
        sizes = {}
        for name, asked in named.items():
            t = given.get(name)
            kind = None if t is None else (
                getattr(t, "shape", None),
                getattr(t, "dtype", type(t).__name__))
            check(f"{function.__name__}: {name}", kind, *asked, sizes)

    @wraps(function)
    def kept(*args, **kwargs):
        try:
            kinds = tuple(map(KIND, args[part]))
        except AttributeError:
            kinds = None                         # no tensor, or None
        if kinds not in right or not named.keys().isdisjoint(kwargs):
            check_all(args, kwargs)
            if kinds is not None and len(right) < 1000:
                right.add(kinds)
        return function(*args, **kwargs)

    return kept
