"""File formats of editing programs: frame rates and Final Cut Pro XML."""
