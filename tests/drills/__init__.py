"""What must not lose, double or loop anything, at full size and with figures: `python -m tests.drills`, by hand.

The same drills run in small as tests (tests/sync/test_drills.py).
"""
