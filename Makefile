# Every target first makes .venv and installs the lock it needs, when that has changed.
PYTHON ?= python3
RUN = $(PYTHON) config/launch/bootstrap.py requirements.txt
DEV = $(PYTHON) config/launch/bootstrap.py requirements-dev.txt
COMPILE = uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --custom-compile-command "make lock"

.PHONY: run engines test bench format lock manage reset

run: ## start Recado: engines, web, worker, beat
	@$(RUN) config.launch run

engines: ## PostgreSQL and Valkey alone, for work by hand; prints their URLs
	@$(RUN) config.launch engines

test: ## every check and every test; ARGS="tests/flows -k end" for pytest
	@$(DEV) config.launch test $(ARGS)

bench: ## the benchmarks; ARGS are theirs
	@$(DEV) config.launch bench $(ARGS)

format: ## rewrite the code in the house style
	@$(DEV) ruff check --fix .
	@$(DEV) ruff format .

lock: ## resolve pyproject.toml into both locks; ARGS="--upgrade" renews the pins
	@$(DEV) $(COMPILE) --output-file requirements.txt $(ARGS)
	@$(DEV) $(COMPILE) --group dev --constraints requirements.txt --output-file requirements-dev.txt $(ARGS)

manage: ## Django's command line on the running Recado: make manage ARGS="sandbox say Oi"
	@$(RUN) config.launch manage $(ARGS)

reset: ## forget the embedded engines' data
	@$(RUN) config.launch reset
