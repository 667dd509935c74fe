"""The engine: pure, so tested without any CRM, database or clock."""
