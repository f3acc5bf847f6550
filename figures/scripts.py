"""Data for the simulations: scripts that give a name to a value."""

import json
import os
from pathlib import Path


def write(path, name, value, head):
    """Write a script that sets a global `name`, if that changes it.

    value: anything that JSON can hold; head: a comment, without its
    marks. All of the file is written or none. Returns its size.
    """
    path = Path(path)
    comment = "".join(f"// {line}\n" for line in head.strip().split("\n"))
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    text = f"{comment}globalThis.{name} = {body};\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_text(text, encoding="utf-8", newline="\n")
        os.replace(aside, path)
    return path.stat().st_size
