"""Tangle: the program, gathered from the chapters."""
