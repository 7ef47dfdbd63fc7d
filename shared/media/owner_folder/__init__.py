"""The folder of an owner: its size, last change, and index by hash.

Quotas and the recognition of known bytes read it, without opening each record.
"""
