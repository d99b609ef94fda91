"""What happened, for the head of a report: what ran, how it ended, where it stands."""
