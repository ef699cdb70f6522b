"""Who remembers?  Every file and database of trueup."""
