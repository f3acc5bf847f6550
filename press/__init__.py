"""The press: it turns the chapters in book/ into code/ and _book/.

Any Python that is called reads this file first, so it asks for nothing that
an old one lacks.
"""

import sys

OLDEST, NEWEST = (3, 11), (3, 14)  # what requirements.lock serves


def check_python(version):  # type: (tuple) -> None
    """End in one sentence under a Python that the lock does not serve."""
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        sys.exit(
            "Python %d.%d to %d.%d is needed; this is %d.%d. Name another "
            "with 'make PYTHON=python3.12'." % (
                OLDEST + NEWEST + tuple(version[:2])
            )
        )
