"""Media: what a record says, where files lie, and how untrusted bytes become a record."""
