"""What only resumable uploads answer: statuses that tus 1.0 names."""

from shared.errors import Conflict, NotFound, ReelwrightError


class BadUploadRequest(ReelwrightError):
    """The request does not follow tus 1.0"""

    type, status = "bad-upload-request", 400


class UnknownUpload(NotFound):
    """No upload has that id"""

    type = "unknown-upload"


class OffsetMismatch(Conflict):
    """The upload stands at another offset"""

    type = "offset-mismatch"


class UploadExpired(ReelwrightError):
    """The upload has expired"""

    type, status = "upload-expired", 410


class WrongTusVersion(ReelwrightError):
    """Another version of tus is spoken here"""

    type, status = "wrong-tus-version", 412


class UploadLocked(ReelwrightError):
    """Another request is writing to the upload"""

    type, status = "upload-locked", 423


class ChecksumMismatch(ReelwrightError):
    """The bytes are not the ones that were sent"""

    type, status = "checksum-mismatch", 460
