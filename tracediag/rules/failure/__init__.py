"""Failed calls: what an error means for this call and this object."""
