"""Both CRMs as local HTTP servers: for the demo, for staging, for tests.

Entry points: `running`, `ghl.create_app`, `centralstation.create_app`.
"""
