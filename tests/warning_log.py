"""A Progress for tests of warnings."""

from shared.operation import Progress, Silent


class WarningLog(Silent):
    """A Progress that records its warnings and its parts' warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def part(self, stage: str, start: float, end: float) -> Progress:
        return self

    def warn(self, message: str) -> None:
        self.warnings.append(message)
