"""Webhooks: from the request to the stored event, and CentralStation's hooks."""
