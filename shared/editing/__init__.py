"""Timelines for editing programs: constant frame rates, and Final Cut Pro XML."""
