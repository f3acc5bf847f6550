"""The notebooks, and the program as a zip."""
