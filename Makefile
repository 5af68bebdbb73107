# Every target first makes .venv and installs the lock it needs, when that has changed.
PYTHON ?= python3
RUN = $(PYTHON) config/launch/bootstrap.py requirements.txt
DEV = $(PYTHON) config/launch/bootstrap.py requirements-dev.txt

.PHONY: run test bench format lock manage reset

run: ## start Recado: engines, web, worker, beat
	@$(RUN) config.launch run

test: ## every check and every test; ARGS="tests/flows -k end" for pytest
	@$(DEV) config.launch test $(ARGS)

bench: ## the benchmarks; ARGS are theirs
	@$(DEV) config.launch bench $(ARGS)

format: ## rewrite the code in the house style
	@$(DEV) ruff check --fix .
	@$(DEV) ruff format .

lock: ## resolve pyproject.toml into requirements.txt and requirements-dev.txt; ARGS="--upgrade" renews the pins
	@$(DEV) config.launch lock $(ARGS)

manage: ## Django's command line on the running Recado: make manage ARGS="sandbox say Oi"
	@$(RUN) config.launch manage $(ARGS)

reset: ## forget the embedded engines' data
	@$(RUN) config.launch reset
