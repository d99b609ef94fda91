"""Rules about calls that succeed, and a result that is wrong."""
