"""Errors of resumable uploads, with the status codes of tus 1.0."""

from shared.errors import Conflict, NotFound, ReelwrightError


class BadUploadRequest(ReelwrightError):
    """The request violates tus 1.0"""

    type, status = "bad-upload-request", 400


class UnknownUpload(NotFound):
    """Unknown upload"""

    type = "unknown-upload"


class OffsetMismatch(Conflict):
    """Wrong upload offset"""

    type = "offset-mismatch"


class UploadExpired(ReelwrightError):
    """The upload has expired"""

    type, status = "upload-expired", 410


class WrongTusVersion(ReelwrightError):
    """Unsupported tus version"""

    type, status = "wrong-tus-version", 412


class UploadLocked(ReelwrightError):
    """Another request is writing to the upload"""

    type, status = "upload-locked", 423


class ChecksumMismatch(ReelwrightError):
    """Checksum mismatch"""

    type, status = "checksum-mismatch", 460
