"""Hard cuts: detection, the exact frame, and changes of picture that are no cuts."""
