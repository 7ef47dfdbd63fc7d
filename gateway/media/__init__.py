"""HTTP routes of media: uploads, records, downloads, views and samples.

`shared/media` stores the files.
"""
