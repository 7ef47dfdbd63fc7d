"""The tests that docs/video.md names as proofs: each exists."""

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_proof_exists() -> None:
    text = (HERE.parents[2] / "docs" / "video.md").read_text()
    proofs = re.findall(r"`(\w+): (test_\w+)`", text)
    assert len(proofs) > 50
    texts = {path.stem: path.read_text(encoding="utf-8") for path in HERE.rglob("test_video_*.py")}
    assert [f"{file}: {name}" for file, name in proofs if f"def {name}(" not in texts[f"test_video_{file}"]] == []
