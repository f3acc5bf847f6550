# Tangled from book/10-nn.qmd. Checksum 6a277f97.
import torch


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


class Module:
    """A function with parameters. A subclass defines forward.

    Parameters, buffers and modules among its attributes belong to
    it. The methods are those of torch.nn.Module.
    """

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
            if isinstance(value, Module):
                yield from value.named_modules(join(path, name))

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


class Handle:
    """A hook in its place, with a way to take it off again."""

    def __init__(self, module, hook):
        self.module, self.hook = module, hook

    def remove(self):
        """Take the hook off; a second time does nothing."""
        self.module._hooks = tuple(
            other for other in self.module._hooks if other is not self
        )
