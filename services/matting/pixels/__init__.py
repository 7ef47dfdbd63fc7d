"""Picture arithmetic that several backends share."""
