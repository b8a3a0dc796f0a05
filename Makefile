# Everything a developer or a user may do. `make` alone prints this list.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
DEMO_ENV := BLINDSCOPE_DEMO=True BLINDSCOPE_DATA_DIR=$(CURDIR)/var/demo

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo manage demo-reset test check lint types contracts browser-deps redis-deps postgresql-deps format bench-harvest bench-analysis bench-browser bench-inference bench-study bench-leaks bench-coverage

help:  ## Print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { echo "Blindscope needs Python 3.11 and found no '$(PYTHON)'. Install it, or name yours: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Blindscope needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version)."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "This Python cannot make virtual environments (no ensurepip). On Debian: apt-get install python3.11-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.made requirements.txt
	@echo "Installing what Blindscope needs (once; PyTorch is the large part) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt || { echo "The packages could not be installed. Is there a network, and room on the disk? The lines above say what pip met; run the same command again to go on."; exit 1; }
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@echo "Installing what the tests need …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt || { echo "The test packages could not be installed; the lines above say what pip met."; exit 1; }
	@touch $@

setup: $(VENV)/.runtime  ## Make .venv with everything Blindscope needs
setup-dev: $(VENV)/.dev  ## The same, and what tests need

demo: setup  ## The whole experiment on real models: prints an address and logins (PORT=8000)
	@$(DEMO_ENV) $(BIN)/python manage.py demo --port $(PORT)

manage: setup  ## A management command on the demo's data: make manage CMD="check"
	@$(DEMO_ENV) $(BIN)/python manage.py $(CMD)

demo-reset:  ## Delete everything the demo made
	@rm -rf var/demo && echo "The demo's data is gone; 'make demo' starts anew."

browser-deps:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing chromium for the browser test …"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	  else echo "The browser test needs Chromium and found none. Install it (Debian: sudo apt-get install chromium) and run make test again."; exit 1; fi; }

redis-deps:
	@command -v redis-server >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Redis for the test of many workers …"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq redis-server >/dev/null; \
	  else echo "The test of many workers needs Redis and found no redis-server. Install it (Debian: sudo apt-get install redis-server) and run make test again."; exit 1; fi; }

postgresql-deps:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing PostgreSQL for the tests of the log's protection …"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null; \
	  else echo "The tests of the log's protection need PostgreSQL and found no initdb. Install it (Debian: sudo apt-get install postgresql) and run make test again."; exit 1; fi; }

test: setup-dev browser-deps redis-deps postgresql-deps  ## All checks and all tests, set-up included
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/mypy
	@$(BIN)/python manage.py makemigrations --check --dry-run --settings evalsite.settings_test
	@$(BIN)/python -m pytest -n 2 --dist loadfile

lint: setup-dev  ## ruff
	@$(BIN)/ruff check .
types: setup-dev  ## mypy
	@$(BIN)/mypy
contracts: setup-dev  ## Who may import whom
	@$(BIN)/lint-imports
format: setup-dev  ## Let ruff format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

# Other people's harvesters, each in an environment of its own; only PEERS=1 makes them. One that cannot be installed is
# left out of the comparison, which says so.
.venv-peers/%/.made: benchmarks/peers/requirements-%.txt
	@echo "Installing $* for the comparison (once; one to two gigabytes) …"
	@rm -f $@; $(PYTHON) -m venv .venv-peers/$* \
	  && .venv-peers/$*/bin/pip install --quiet --disable-pip-version-check -r $< \
	  && { [ ! -f benchmarks/peers/no-deps-$*.txt ] || .venv-peers/$*/bin/pip install --quiet --disable-pip-version-check --no-deps -r benchmarks/peers/no-deps-$*.txt; } \
	  && touch $@ \
	  || echo "$* could not be installed and will be left out; the lines above say what is missing."

ifdef PEERS
bench-harvest: .venv-peers/sae-dashboard/.made .venv-peers/delphi/.made
endif
bench-harvest: setup-dev  ## Harvest beside the forward pass and other ways (TOKENS=2000000, PEERS=1)
	@$(BIN)/python -m benchmarks.harvest $(if $(TOKENS),--tokens $(TOKENS)) $(if $(PEERS),--peers)

ifdef PEERS
bench-analysis: .venv-peers/statistics/.made
endif
bench-analysis: setup-dev  ## A whole report on 660 neurons and on a million judgments, part by part (PEERS=1)
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.analysis $(if $(PEERS),--peers)

bench-inference: setup  ## How long readers wait for one's own text: start and requests
	@$(BIN)/python -m benchmarks.inference

bench-study: setup-dev  ## The SoLU paper's 660 neurons with 30 raters: time of the freeze and balance of the lists
	@$(BIN)/python -m benchmarks.study

bench-leaks: setup  ## How well each display hides the arms, on the demo's networks (NEURONS=400)
	@$(DEMO_ENV) $(BIN)/python manage.py display_leaks --from annotation/study_templates/solu_1l.toml $(if $(NEURONS),--neurons $(NEURONS))

bench-coverage: setup-dev  ## How often every interval covers, in simulated studies (RUNS=20000 CELLS="raters=3 neurons=20" PROCESSES=2 WRITE=1)
	@$(BIN)/python -m benchmarks.coverage $(if $(RUNS),--runs $(RUNS)) $(if $(CELLS),--cells "$(CELLS)") $(if $(PROCESSES),--processes $(PROCESSES)) $(if $(WRITE),--write)

bench-browser: setup-dev  ## The neurons' pages at 100,000 neurons: must answer within 50 ms
	@$(BIN)/python -m benchmarks.browser
