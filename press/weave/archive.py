"""Zip files: the same files give the same bytes, on any machine."""

import io
import zipfile

EPOCH = (1980, 1, 1, 0, 0, 0)   # the earliest date that a zip file knows


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip file of these files, in order of their names."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name], compresslevel=9)
    return body.getvalue()
