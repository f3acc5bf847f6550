"""Figures of Chapter 12: what a tape holds, and the walk back over it.

All are drawn from the records of `scratch.autograd`, before a backward
pass has freed them.
"""

import matplotlib.pyplot as plt
from matplotlib.patches import Circle, FancyArrowPatch, Rectangle

from figures.book import PALETTE, bare
from figures.broadcasting import cell
from scratch.autograd import Context
from scratch.autograd.tape import behind, run

RADIUS = 0.36


def sources(op):
    """Where the arguments of a record came from, constants left out."""
    return [source for source, *_ in op.inputs if source is not None]


def depths(ops):
    """How many links a record or a leaf is from the farthest leaf."""
    found: dict[object, int] = {}
    for op in sorted(ops, key=lambda op: op.number):
        for source in sources(op):
            found.setdefault(source, 0)
        found[op] = 1 + max(found[source] for source in sources(op))
    return found


def link(ax, start, end, role, bend=0.0, dash="-"):
    """An arrow from rim to rim, bent by a share of its length."""
    rims = [Circle(at, RADIUS, transform=ax.transData)
            for at in (start, end)]
    ax.annotate("", end, start, arrowprops={
        "arrowstyle": "-|>", "color": PALETTE[role], "linewidth": 1.2,
        "linestyle": dash, "shrinkA": 0, "shrinkB": 1,
        "connectionstyle": f"arc3,rad={bend}",
        "patchA": rims[0], "patchB": rims[1]})


def place(ax, at, text, leaf, role="ink"):
    """A record is a circle, a leaf a square, with a text inside."""
    x, y = at
    shape = (Rectangle((x - RADIUS, y - RADIUS), 2 * RADIUS, 2 * RADIUS)
             if leaf else Circle(at, RADIUS))
    shape.set(facecolor="none", edgecolor=PALETTE[role], linewidth=1.2)
    ax.add_patch(shape)
    ax.text(x, y, text, ha="center", va="center", color=PALETTE[role],
            fontsize=10)


def bends(names):
    """How each link of a small graph is bent: pairs apart, long ones
    over what lies between."""
    order = list(names)
    seen: dict[tuple, int] = {}
    for op in order:
        for source in sources(op) if isinstance(op, Context) else ():
            pair = op, source
            again = seen[pair] = seen.get(pair, 0) + 1
            far = order.index(op) - order.index(source) > 1
            yield op, source, (
                -0.42 if far else (-0.28, 0.28)[again - 1]
                if sources(op).count(source) > 1 else 0.0)


def links(tensors):
    """Draw what the last of some tensors holds.

    tensors: {text: Tensor} in the order in which they were made.
    """
    names = {t.grad_fn or t: (text, t) for text, t in tensors.items()}
    step = 2.2
    at = {part: (step * i, 0.0) for i, part in enumerate(names)}
    _, ax = plt.subplots(figsize=(6.2, 2.05))
    for op, source, bend in bends(names):
        link(ax, at[op], at[source], "ink", bend)
    for part, (text, t) in names.items():
        x, y = at[part]
        leaf = not isinstance(part, Context)
        place(ax, (x, y), f"{t.item():g}", leaf, "forward")
        ax.text(x, y + 0.52, text, ha="center", va="bottom",
                family="monospace")
        label = "a leaf" if leaf else f"{type(part).__name__}"
        kept = [] if leaf else [f"{float(v):g}" for v, _ in part.saved]
        ax.text(x, y - 0.56, label, ha="center", va="top", fontsize=9)
        if not leaf:
            ax.text(x, y - 1.12,
                    "saved " + ", ".join(kept) if kept else "saved nothing",
                    ha="center", va="top", fontsize=8.5,
                    color=PALETTE["weights"])
    ax.text(step * (len(names) - 1) + 0.62, 0, "held by\nthe program",
            ha="left", va="center", fontsize=8.5, color=PALETTE["muted"])
    ax.set(xlim=(-0.9, step * (len(names) - 1) + 2.1), ylim=(-1.5, 1.0),
           aspect="equal")
    bare(ax)


def pasts(lengths):
    """How many records some weights hang on after each step.

    lengths: {name: a number a step}; drawn as dots in a row.
    """
    _, axes = plt.subplots(1, len(lengths), figsize=(6.2, 1.9),
                           width_ratios=(2.2, 1))
    longest = max(map(max, lengths.values()))
    for ax, (name, numbers) in zip(axes, lengths.items(), strict=True):
        for y, n in enumerate(numbers):
            ax.plot(range(-n, 1), [y] * (n + 1), color=PALETTE["ink"],
                    linewidth=0.9)
            ax.plot(range(-n, 0), [y] * n, "o", color=PALETTE["ink"],
                    markersize=3.6)
            ax.plot(0, y, "s", color=PALETTE["weights"], markersize=6)
            ax.text(0.9, y, f"{n}", va="center", fontsize=8.5)
        reach = longest if max(numbers) else 4
        ax.set(xlim=(-reach - 0.8, 2.2), ylim=(len(numbers) - 0.4, -0.7))
        ax.set_title(name, loc="left", family="monospace")
        bare(ax)
    axes[0].set_yticks(range(len(lengths[name])), [
        f"step {i + 1}" for i in range(len(lengths[name]))])
    axes[0].tick_params(axis="y", length=0)


def walk(order, start):
    """Run records in an order: for each, what it took and what it handed
    on, and what is left at the end for anything but a leaf."""
    grads, turns = {order[0]: start}, []
    for op in order:
        taken = grads[op]
        handed = [(s, g.item()) for s, g in op.share(taken)]
        run([op], grads, retain_graph=True)
        turns.append((op, taken.item(), handed))
    return turns, grads


def orders(tensors, walks):
    """The walk back over the records of tensors, once for each order.

    tensors: {text: Tensor} in the order in which they were made, walks:
    {title: what `walk` returned}.
    """
    names = {t.grad_fn or t: (text, t) for text, t in tensors.items()}
    step = 2.3
    at = {part: (step * i, 0.0) for i, part in enumerate(names)}
    _, axes = plt.subplots(len(walks), 1, figsize=(6.0, 4.3))
    for ax, (title, (turns, left)) in zip(axes, walks.items(), strict=True):
        handed: dict[tuple, list[float]] = {}
        for op, _, parts in turns:
            for source, value in parts:
                handed.setdefault((op, source), []).append(value)
        for op, source, bend in bends(names):
            (x0, _), (x1, _) = at[op], at[source]
            link(ax, at[op], at[source], "backward", bend, dash="--")
            y = (x0 - x1) * bend / 2
            ax.text((x0 + x1) / 2, y + (0.08 if y >= 0 else -0.1),
                    f"{handed[op, source].pop(0):g}", ha="center",
                    va="bottom" if y >= 0 else "top", fontsize=9.5,
                    color=PALETTE["backward"], style="italic")
        turn = {op: i for i, (op, _, _) in enumerate(turns, 1)}
        for part, (text, _) in names.items():
            x, _ = at[part]
            leaf = part not in turn
            stuck = not leaf and part in left
            place(ax, at[part], "" if leaf else f"{turn[part]}", leaf)
            ax.text(x, 0.5, text, ha="center", va="bottom",
                    family="monospace", fontsize=9)
            took = (left[part].item() if leaf else
                    next(g for op, g, _ in turns if op is part))
            ax.text(x, -0.48, f"x.grad {took:g}" if leaf else
                    f"takes {took:g}", ha="center", va="top", fontsize=9,
                    color=PALETTE["backward"], style="italic")
            if stuck:
                ax.text(x, -0.86, f"too late: {left[part].item():g}",
                        ha="center", va="top", fontsize=9, weight="bold",
                        color=PALETTE["ink"])
        ax.set_title(title, loc="left")
        ax.set(xlim=(-0.9, step * (len(names) - 1) + 0.9),
               ylim=(-1.5, 0.95), aspect="equal")
        bare(ax)


def wild(graphs):
    """Small pictures of some graphs, {title: the record of the loss}."""
    _, axes = plt.subplots(2, len(graphs) // 2, figsize=(6.4, 3.7))
    for ax, (title, last) in zip(axes.flat, graphs.items(), strict=True):
        ops = behind(last)
        depth = depths(ops)
        columns: dict[int, list] = {}
        for part, d in depth.items():
            columns.setdefault(d, []).append(part)
        at = {}
        for d, parts in columns.items():
            for i, part in enumerate(parts):
                at[part] = d, i - (len(parts) - 1) / 2
        for op in ops:
            for source in sources(op):
                far = depth[op] - depth[source] > 1
                ax.add_patch(FancyArrowPatch(
                    at[op], at[source], arrowstyle="-", shrinkA=0,
                    shrinkB=0, linewidth=0.7, color=PALETTE["muted"],
                    connectionstyle=f"arc3,rad={0.35 * far}", zorder=1))
        for kind, mark, role, size in (
            (False, "s", "forward", 5), (True, "o", "ink", 2.8),
        ):
            places = [at[p] for p in at if isinstance(p, Context) is kind]
            ax.plot(*zip(*places, strict=True), mark, color=PALETTE[role],
                    markersize=size)
        ax.plot(*at[last], "D", color=PALETTE["backward"], markersize=5)
        ax.set_title(f"{title}: {len(ops)} records", loc="left", fontsize=8.5)
        ax.margins(x=0.08)
        ax.set_ylim(-1.7, 1.9)
        bare(ax)


def copies(row, slopes, total):
    """A row copied to several on the way there, and the slopes of the
    copies added up on the way back."""
    n, width = slopes.shape
    far = width + 2.6
    _, (above, below) = plt.subplots(2, 1, figsize=(4.6, 4.0))

    def grid(ax, left, top, values, role, stored=True):
        for i, line in enumerate(values.reshape(-1, width).tolist()):
            for j, value in enumerate(line):
                cell(ax, left + j, top + i, f"{value:g}", role, stored)

    middle = (n - 1) / 2
    grid(above, 0, middle, row, "weights")
    grid(above, far, 0, row.expand(n, width), "weights", stored=False)
    grid(below, far, 0, slopes, "backward")
    grid(below, 0, middle, total, "backward")
    for ax, start, end, word, role, dash in (
        (above, width, far, "a copy", "weights", "-"),
        (below, far, width, "a sum", "backward", "--"),
    ):
        side = 0.25 if end > start else -0.25
        ax.annotate("", (end - side, n / 2), (start + side, n / 2),
                    arrowprops={"arrowstyle": "-|>", "linewidth": 1.3,
                                "linestyle": dash, "color": PALETTE[role]})
        ax.text((start + end) / 2, n / 2 - 0.2, word, ha="center",
                va="bottom", color=PALETTE[role])
        ax.set(xlim=(-0.1, far + width + 0.1), ylim=(n + 0.1, -0.75),
               aspect="equal")
        bare(ax)
    for ax, here, there in ((above, "b", "b, for each row"),
                            (below, "b.grad", "a slope for each copy")):
        ax.text(width / 2, middle - 0.25, here, ha="center", va="bottom")
        ax.text(far + width / 2, -0.25, there, ha="center", va="bottom")


def saved(last, own):
    """A bar for each tensor that the records behind the last one saved.

    own: the addresses of the parameters' memory, which is drawn open.
    """
    rows, seen = [], set()
    for op in reversed(behind(last)):
        for t, _ in op.saved:
            at = t.untyped_storage().data_ptr()
            again = at in own or at in seen
            seen.add(at)
            rows.append((type(op).__name__, list(t.shape),
                         t.numel() * t.itemsize / 1024,
                         "a parameter" if at in own else
                         "saved before" if again else ""))
    _, ax = plt.subplots(figsize=(6.2, 0.7 + 0.33 * len(rows)))
    longest = max(size for _, _, size, _ in rows)
    for y, (_, _, size, why) in enumerate(rows):
        ax.barh(y, size, height=0.6, color=PALETTE["forward"] + "38"
                if not why else "none",
                edgecolor=PALETTE["muted" if why else "forward"],
                linestyle="--" if why else "-", linewidth=0.9)
        ax.text(size + longest * 0.012, y, f"{size:,.1f}"
                + (f"   {why}" if why else ""), va="center", fontsize=8.5,
                color=PALETTE["muted" if why else "forward"])
    ax.set_yticks(range(len(rows)), [
        f"{name} {shape}" for name, shape, *_ in rows])
    ax.tick_params(axis="y", length=0, labelsize=8.5)
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, longest * 1.3),
           xlabel="KiB")
    ax.spines["left"].set_visible(False)
