"""Publication of a job's outputs as media."""

from contextlib import suppress
from pathlib import Path

from shared.errors import UnknownMedia
from shared.file_calls import ProbedFile
from shared.jobs.database.ledger import PREVIEW_TTL_S
from shared.jobs.database.rows import Claim
from shared.jobs.running.files.folders import OUTPUTS
from shared.media.record import MediaRecord
from shared.media.store import MediaStore, NewMedium
from shared.worker.folders.taken_file import take
from shared.worker.operation_run import output_path


class Publisher:
    """Publisher of outputs in the media store."""

    def __init__(self, media: MediaStore):
        self._media = media

    def publish(self, claim: Claim, files: dict[str, ProbedFile], work: Path) -> dict[str, MediaRecord]:
        """Publish all output files of a job; none if one of them fails.

        `work`: the job's work folder. Raises QuotaExceeded if they do not fit the owner's quota.
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

    def _publish_one(self, claim: Claim, name: str, output: ProbedFile, folder: Path) -> MediaRecord:
        with self._media.incoming() as incoming:
            new = NewMedium(
                owner=claim.owner,
                name=f"{claim.operation.replace('.', '-')}-{claim.id[-6:]}-{name}{output.suffix}",
                kind=output.kind,
                content_type=output.content_type,
                suffix=output.suffix,
                source=claim.id,
                media=output.media,
                ttl_s=None if claim.preview is None else PREVIEW_TTL_S,
                listed=claim.listed,
            )
            take(output_path(folder, name, output.kind), incoming.content)
            size, reservation = incoming.content.stat().st_size, self._media.room.reservation(claim.owner, incoming.folder)
            try:
                reservation.require(size, at_most=size, is_written=True)
                return self._media.publish(incoming, new, reservation=reservation)
            finally:
                reservation.end()
