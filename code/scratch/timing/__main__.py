# Tangled from book/09-gpu.qmd. Checksum bb18df1c.
"""python -m scratch.timing --json FILE"""

import argparse
import os
from pathlib import Path

from scratch.timing.records import Sizes, label, make_record, write


def main(arguments=None):
    """Measure this machine and write the record."""
    parser = argparse.ArgumentParser(
        prog="scratch.timing", allow_abbrev=False,
        description="Time this machine; write the results as JSON.")
    parser.add_argument("--json", metavar="FILE", type=Path,
                        required=True, help="file to write")
    args = parser.parse_args(arguments)
    folder = args.json.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if args.json.is_dir() or not os.access(folder, os.W_OK):
            raise OSError(f"{args.json} cannot be written")
    except OSError as error:
        parser.error(str(error))
    record = make_record(Sizes())
    write(record, args.json)
    print(f"{args.json}: {label(record)}")


if __name__ == "__main__":
    main()
