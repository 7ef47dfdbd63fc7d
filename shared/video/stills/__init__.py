"""Still pictures.

Reading of files and zip files, pictures without transparency, thumbnails.
"""
