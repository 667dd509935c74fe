"""The staff's pages: views, forms, tables, addresses. Asks crmsync.sync to act, never a CRM directly."""
