"""The forms, a module an object. They check what is typed; whether a CRM accepts it, crmsync.sync finds out."""
