"""How is it plugged together?  The only place that joins the layers."""
