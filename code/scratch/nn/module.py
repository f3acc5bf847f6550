# Tangled from book/10-nn.qmd. Checksum e0aa2218.
from types import MappingProxyType

import torch
from torch import nn


class Parameter(torch.Tensor):
    """A leaf tensor that a Module counts among its parameters.

    data: any float tensor, whose memory it shares. What is computed
    from a Parameter is a plain tensor again.
    """

    __torch_function__ = torch._C._disabled_torch_function_impl

    def __new__(cls, data, requires_grad=True):
        if not torch.is_tensor(data):
            raise TypeError(f"{data!r} is no tensor")
        plain = data.detach()
        return plain.as_subclass(cls).requires_grad_(requires_grad)

    def __deepcopy__(self, memo):
        return Parameter(self.detach().clone(), self.requires_grad)


def join(path, name):
    """The name of an attribute of the module at that path."""
    return f"{path}.{name}" if path else name


class Module:
    """A function with parameters. A subclass defines forward.

    Parameters, buffers and modules among its attributes belong to
    it. Its methods have names, and do what they do, as in
    torch.nn.Module, which has many more.
    """

    _kinds = MappingProxyType({})                # by name, see note

    def __setattr__(self, name, value):
        if isinstance(value, nn.Module | nn.Parameter):
            raise TypeError(f"{name} is torch's {type(value).__name__}:"
                            " take that of scratch.nn")
        known = kind = self._kinds.get(name)
        if isinstance(value, Parameter):
            kind = Parameter
        elif isinstance(value, Module) and known is not Parameter:
            kind = Module
        if kind is not known:
            self.note(name, kind)
        elif kind and not isinstance(value, kind | None):
            raise TypeError(f"{name} is a {kind.__name__.lower()}: "
                            f"assign a {kind.__name__}, not a "
                            f"{type(value).__name__}")
        super().__setattr__(name, value)

    def note(self, name, kind):
        """Remember what an attribute is. A new one comes last."""
        vars(self).pop(name, None)
        vars(self)["_kinds"] = {**self._kinds, name: kind}

    def register_parameter(self, name, parameter):
        """Keep a Parameter, or None where there could be one."""
        self.register(name, parameter, Parameter)

    def register_buffer(self, name, tensor):
        """Keep a tensor that is saved and moved, but not trained."""
        self.register(name, tensor, torch.Tensor)

    def register(self, name, value, kind):
        """An attribute of that kind. ValueError if the name is taken
        or no name, TypeError for a value of another kind."""
        if not name.isidentifier() or hasattr(self, name):
            raise ValueError(f"{name!r} is taken, or is no name")
        if not isinstance(value, kind | None):
            raise TypeError(f"{name}: a {type(value).__name__} is no "
                            f"{kind.__name__}")
        self.note(name, kind)
        vars(self)[name] = value

    def walk(self, path=""):
        """Pairs of path and module: this one, and all inside it."""
        yield path, self
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield from value.walk(join(path, name))

    def named_modules(self):
        """As walk, but each module once."""
        seen = set()
        for path, module in self.walk():
            if module not in seen:
                seen.add(module)
                yield path, module

    def named(self, kind):
        """Pairs of name and attribute of that kind, None left out."""
        for name, value in vars(self).items():
            if self._kinds.get(name) is kind and value is not None:
                yield name, value

    def named_tensors(self):
        """Pairs of name and tensor, parameters before buffers."""
        for path, module in self.walk():
            for kind in (Parameter, torch.Tensor):
                for name, value in module.named(kind):
                    yield join(path, name), value

    def named_parameters(self):
        """Pairs of name and Parameter, each Parameter once."""
        seen = set()
        for path, module in self.named_modules():
            for name, p in module.named(Parameter):
                if p not in seen:
                    seen.add(p)
                    yield join(path, name), p

    def parameters(self):
        """What an optimizer is given."""
        return (p for _, p in self.named_parameters())

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
            if n in state and not torch.is_tensor(state[n]):
                faults.append(f"{n}: no tensor")
            elif n in state and state[n].shape != t.shape:
                faults.append(f"{n}: {list(state[n].shape)} does not "
                              f"fit {list(t.shape)}")
        if faults:
            raise RuntimeError("\n  ".join(
                [f"cannot load into {type(self).__name__}", *faults]))
        for n, t in mine.items():
            t.copy_(state[n])

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
        if not isinstance(mode, bool):
            raise TypeError(f"mode is {mode!r}, not True or False")
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self):
        """The mode for judging and for use."""
        return self.train(False)

    def to(self, device=None, dtype=None):
        """Move all tensors, in place; a dtype concerns floats only.

        to(dtype) and to(device, dtype), as in torch. Raises
        TypeError for a dtype that is no float's.
        """
        if isinstance(device, torch.dtype) and dtype is None:
            device, dtype = None, device
        if isinstance(device, torch.dtype | torch.Tensor) or (
                dtype and not dtype.is_floating_point):
            raise TypeError("to a device, or to a float dtype, or to "
                            f"both, not ({device}, {dtype})")
        for _, t in self.named_tensors():
            kind = dtype if t.dtype.is_floating_point else None
            for part in (t, t.grad):
                if part is not None:
                    part.data = part.data.to(device, kind)
        return self


class Handle:
    """A hook in its place, with a way to take it off again."""

    def __init__(self, module, hook):
        self.module, self.hook = module, hook

    def remove(self):
        """Take the hook off; a second time does nothing."""
        self.module._hooks = tuple(
            other for other in self.module._hooks if other is not self
        )
