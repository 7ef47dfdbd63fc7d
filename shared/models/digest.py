"""File checksums in the forms that model publishers use."""

import hashlib
from pathlib import Path

BLOCK_BYTES = 1 << 20


def digests(path: Path, like: str | None) -> tuple[str, str | None]:
    """Return a file's SHA-256, and its checksum of the same kind as `like`.

    The SHA-256 is in hex. The second is None if `like` is None. Kinds: `sha256:<hex>`, `md5:<hex>`, and `git:<hex>`, git's name of the
    content. The file is read once.
    """
    kind = (like or "sha256").partition(":")[0]
    sha256 = hashlib.sha256()
    second = hashlib.new("sha1" if kind == "git" else kind, usedforsecurity=False)
    with path.open("rb") as file:
        if kind == "git":
            second.update(b"blob %d\0" % path.stat().st_size)
        while block := file.read(BLOCK_BYTES):
            sha256.update(block)
            if kind != "sha256":
                second.update(block)
    of_kind = sha256 if kind == "sha256" else second
    return sha256.hexdigest(), f"{kind}:{of_kind.hexdigest()}" if like else None
