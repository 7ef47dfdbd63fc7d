"""Media: records, file storage, and ingestion of untrusted uploads."""
