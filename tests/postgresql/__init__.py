"""Django's PostgreSQL, as the tests use it: `base` is the backend that tests.settings names."""
