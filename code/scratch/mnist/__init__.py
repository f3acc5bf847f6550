# Tangled from book/data.qmd. Checksum 6d701a44.
"""MNIST's four raw files, from whichever source is in reach."""

from scratch.mnist.fetch import fetch_mnist
