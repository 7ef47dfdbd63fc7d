"""Still pictures: reading of files and zip files, pictures without transparency, thumbnails."""
