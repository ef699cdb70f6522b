"""Who talks?  Every socket of trueup."""
