"""API keys: scopes, quotas and stored records.

The key file in the data folder keeps hashes only. Every process reads it again when it changes.
"""

from shared.keys.access import CURRENT_ACCESS, Access, Scope
from shared.keys.ring import KeyRing

__all__ = ["CURRENT_ACCESS", "Access", "KeyRing", "Scope"]
