# One door for each chore; .ci/run goes through the same.
PYTHON ?= python

.PHONY: demo test check format lock screenshots

demo:  ## everything on this machine, with both CRMs simulated
	$(PYTHON) manage.py demo

test:  ## on SQLite; with DATABASE_URL and REDIS_URL set, on those
	$(PYTHON) -m pytest

check:  ## style, types, architecture, migrations, deployment, pinned versions
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	PYTHONPATH=. lint-imports --no-cache
	$(PYTHON) manage.py makemigrations --check --dry-run
	.ci/deploy
	.ci/hosts
	.ci/lock --check

format:
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

screenshots:  ## of the main pages, into docs/images; needs chromium
	$(PYTHON) -m pytest -q -n0 tests/dashboard/screenshots.py

lock:  ## after a change of dependencies in pyproject.toml
	.ci/lock
