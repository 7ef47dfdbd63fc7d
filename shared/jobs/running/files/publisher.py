"""Publication of a job's outputs as media."""

from contextlib import suppress
from pathlib import Path

from shared.errors import UnknownMedia
from shared.jobs.database.ledger import PREVIEW_TTL_S
from shared.jobs.database.rows import Claim
from shared.jobs.running.files.folders import OUTPUTS, checked_file
from shared.media.record import MediaRecord
from shared.media.store import MediaStore, NewMedium
from shared.worker.operation_run import WrittenFile


class Publisher:
    """Publisher of outputs in the media store."""

    def __init__(self, media: MediaStore):
        self._media = media

    def publish(self, claim: Claim, files: dict[str, WrittenFile], work: Path) -> dict[str, MediaRecord]:
        """Publish all output files of a job; none if one of them fails.

        `work`: the job's work folder.
        """
        records: dict[str, MediaRecord] = {}
        try:
            for name, output in files.items():
                records[name] = self._publish_one(claim, name, output, work / OUTPUTS)
        except Exception:
            for record in records.values():
                with suppress(UnknownMedia):
                    self._media.delete(claim.owner, record.id)
            raise
        return records

    def _publish_one(self, claim: Claim, name: str, output: WrittenFile, folder: Path) -> MediaRecord:
        with self._media.incoming() as incoming:
            new = NewMedium(
                owner=claim.owner,
                name=f"{claim.operation.replace('.', '-')}-{claim.id[-6:]}-{name}{output.suffix}",
                kind=output.kind,
                content_type=output.content_type,
                suffix=output.suffix,
                source=claim.id,
                media=output.media,
                sha256=output.sha256,
                ttl_s=None if claim.preview is None else PREVIEW_TTL_S,
                listed=claim.listed,
            )
            file = checked_file(str(folder / Path(output.path).name), folder)
            return self._media.publish(incoming, new, file=file)
