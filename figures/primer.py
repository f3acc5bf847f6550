"""Pictures of the primer: a tangent, and the two curves of e."""

import matplotlib.pyplot as plt
import numpy as np

from figures.book import PALETTE


def tangent(at: float = 3.0) -> None:
    """x squared over 4, and the line that touches it at one point."""
    x = np.linspace(0, 5, 200)
    slope = at / 2
    fig, ax = plt.subplots(figsize=(5.2, 2.6))
    ax.plot(x, x ** 2 / 4, color=PALETTE["forward"])
    line = np.array([1.2, 4.8])
    ax.plot(line, at ** 2 / 4 + slope * (line - at), ls="--",
            color=PALETTE["backward"])
    ax.plot([at], [at ** 2 / 4], "o", color=PALETTE["ink"], ms=4)
    y = at ** 2 / 4
    ax.plot([at, at + 1, at + 1], [y, y, y + slope],
            color=PALETTE["muted"], lw=1)
    ax.text(at + 0.5, y - 0.15, "1", ha="center", va="top")
    ax.text(at + 1.08, y + slope / 2, f"{slope:g}", va="center")
    ax.text(0.5, 0.35, r"$x^2/4$", color=PALETTE["forward"])
    ax.set(xlabel="x", xlim=(0, 5.2), ylim=(-0.4, 6))


def exponential() -> None:
    """e to the x, and the natural logarithm."""
    fig, axes = plt.subplots(1, 2, figsize=(6.2, 2.5))
    x = np.linspace(-3, 2, 200)
    axes[0].plot(x, np.exp(x), color=PALETTE["forward"])
    axes[0].plot([0], [1], "o", color=PALETTE["ink"], ms=4)
    axes[0].set(xlabel="x", title=r"$e^x$")
    x = np.geomspace(np.exp(-3), np.exp(2), 200)
    axes[1].plot(x, np.log(x), color=PALETTE["forward"])
    axes[1].plot([1], [0], "o", color=PALETTE["ink"], ms=4)
    axes[1].set(xlabel="x", title=r"$\ln\,x$")
    for ax in axes:
        ax.axhline(0, color=PALETTE["rule"], lw=0.8, zorder=0)
        ax.axvline(0, color=PALETTE["rule"], lw=0.8, zorder=0)
