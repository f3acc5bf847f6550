"""The press: what turns the chapters into a program and a book."""
