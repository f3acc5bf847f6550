"""Weave: outputs below cells, values in sentences, set as a book."""
