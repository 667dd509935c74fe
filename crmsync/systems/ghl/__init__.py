"""GoHighLevel: its operations, fields, records and client. Entry: `crmsync.systems.ghl.client.GhlSystem`."""
