"""The simulated CRMs, tested over real HTTP: each test states a fact of the references or of the control."""
