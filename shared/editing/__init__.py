"""What is handed over to editing programs: rates, and Final Cut Pro XML."""
