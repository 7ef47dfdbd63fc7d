"""Still pictures: reading of files and zip files, frames by number, thumbnails.

Also pictures without transparency.
"""
