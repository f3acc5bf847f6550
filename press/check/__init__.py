"""Check: the sources, the numbers, the program and the press itself."""
