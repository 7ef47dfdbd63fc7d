"""Every backend of matting."""

from services.matting.backends.backend import Backend

BACKENDS: tuple[Backend, ...] = ()

BY_NAME = {backend.name: backend for backend in BACKENDS}
