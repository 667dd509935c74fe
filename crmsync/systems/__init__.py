"""One package a CRM: its client, and its records as the engine takes them. Knows no database."""
