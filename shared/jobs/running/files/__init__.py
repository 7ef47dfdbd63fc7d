"""Files of a running job: its folders, its published outputs and its log."""
