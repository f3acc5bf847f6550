"""Run: the cells of each chapter in a kernel, and what they gave."""
