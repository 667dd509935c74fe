"""The pure core: contacts in, a plan out. No Django, no httpx, no clock, no database."""
