"""Hard cuts: detection, exact frame, and changes that are no cuts."""
