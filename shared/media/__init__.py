"""Media: records, the store of their files, and the ingestion of untrusted uploads."""
