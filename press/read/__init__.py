"""Read: the sources as documents, the book's numbers and its words."""
