"""MatAnyone 1 and 2, frame by frame, with the package that the user installed. Nothing of it is in this repository."""
