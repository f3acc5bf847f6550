"""Packages that hold next to nothing, installed or to be installed."""

import base64
import hashlib
import zipfile


def put_package(site, name, files=2):
    """A package as an installer leaves it: the folder that names it."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    listed = {f"{name}/m{number}.py": "x = 1\n" for number in range(files)}
    listed[f"{name}/__init__.py"] = ""
    listed[f"{info.name}/METADATA"] = f"Name: {name}\nVersion: 1.0\n"
    for path, text in listed.items():
        (site / path).parent.mkdir(exist_ok=True)
        (site / path).write_text(text, encoding="utf-8")
    rows = [f"{path},,{len(text)}" for path, text in listed.items()]
    rows += [f"{name}/__pycache__/m0.pyc,,", f"{info.name}/RECORD,,"]
    (info / "RECORD").write_text("\n".join(rows), encoding="utf-8")
    return info


def write_wheel(folder, name, files, version="1.0", tag="py3-none-any"):
    """A wheel of these files (bytes by their paths): its line of a lock."""
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\n"
        f"Version: {version}\n".encode(),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\n"
        f"Root-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    rows = []
    for path, body in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest())
        rows.append(f"{path},sha256={digest.decode().rstrip('=')},{len(body)}")
    files[f"{info}/RECORD"] = "\n".join(
        [*rows, f"{info}/RECORD,,", ""]).encode()
    wheel = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, body in files.items():
            entry = zipfile.ZipInfo(path)
            program = "/scripts/" in path
            mode = 0o100755 if program else 0o100644
            entry.external_attr = mode << 16
            archive.writestr(entry, body)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"{name}=={version} \\\n    --hash=sha256:{digest}\n"
