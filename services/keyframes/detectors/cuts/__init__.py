"""Hard cuts: detection, exact position, and exclusion of other changes."""
