"""Outgoing connections: allowed addresses, and HTTP downloads of users' URLs.

Every request to an address that a user gave goes through here, after its address was checked.
"""
