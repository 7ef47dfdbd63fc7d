"""Hard cuts: detection, exact position, and exclusion of other changes.

The detector `auto` combines them with the gradual transitions.
"""
