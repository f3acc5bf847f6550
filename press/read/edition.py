"""Which edition of the book this is, and what its readers may do with it."""

import tomllib
from pathlib import Path

from press.errors import BookError

PROJECT = "pyproject.toml"
COPYRIGHT = "© 2026 the authors of PyTorch from Scratch"
LICENSES = "The program is under MIT, prose and pictures under CC BY 4.0."
SECTION = "sec-made-licenses"  # where the book says what that means


def read_version(root: Path) -> str:
    """The version in `pyproject.toml`; a book without that file has none."""
    try:
        text = (root / PROJECT).read_bytes().decode("utf-8")
        return tomllib.loads(text)["project"]["version"]
    except FileNotFoundError:
        return ""
    except KeyError:
        raise BookError(
            PROJECT, None, "no version; write 'version = \"1.0.0\"' "
            "under [project]",
        )
    except ValueError as error:  # not TOML, not UTF-8
        raise BookError(PROJECT, None, f"not TOML: {error}")
