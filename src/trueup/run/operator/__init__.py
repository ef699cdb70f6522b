"""What does the operator see?  Alerts, logs, health, metrics, and the services that run."""
