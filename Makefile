# `make run` starts everything on this machine; `make test` runs every test. Nothing but Python (3.11 or newer) is needed.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help run up setup test test-fast test-localstack fuzz chaos lint format check validate openapi load docs bench bench-service sizes scan audit sbom lock clean

help:
	@echo "make run     start the service here, submit a sample workbook, print its results; Ctrl-C stops it"
	@echo "make test    every test        make lint    ruff, mypy, cfn-lint        make check    both"
	@echo "make test-localstack  the template on LocalStack with SAM, from nothing (Docker, or root on Debian)"
	@echo "make bench   speed beside its peers, into docs/benchmarks.md (QUICK=1: one minute, nothing written)"
	@echo "make bench-service  upload to result with 1, 10 and 50 clients, beside Celery and Redis (QUICK=1 likewise)"
	@echo "make openapi  the OpenAPI document against the service      make load    many clients at once"
	@echo "make setup   the environment alone, in $(VENV)"

setup: $(READY)

# The mark is written last: an environment that was interrupted half-way is made anew.
$(READY): pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
	  echo "sheetrun: Python 3.11 or newer is needed and was not found; install it, or say make PYTHON=/path/to/python" >&2; exit 1; fi
	@if [ -d $(VENV) ] && ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	  echo "sheetrun: $(VENV) is not whole; making it again"; rm -rf $(VENV); fi
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "sheetrun: $(PYTHON) cannot make environments (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@echo "sheetrun: installing into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' || { \
	  echo "sheetrun: pip could not install what is needed; is there a network?" >&2; exit 1; }
	@touch $(READY)

run: $(READY)
	@exec $(BIN)/sheetrun up --sample

up: $(READY)
	@exec $(BIN)/sheetrun up

test: $(READY)
	@$(BIN)/python -m pytest

# `make fuzz FORMULAS=1000000 FILES=20000 TEXTS=1000000 SEED=1`: random formulas, damaged files, mangled texts; prints what
# breaks, with its seed. `make fuzz SECONDS=200` stops each of the three after so long.
FORMULAS ?= 100000
FILES ?= 2000
TEXTS ?= 100000
SECONDS ?= inf
SEED ?= 1
fuzz: $(READY)
	@$(BIN)/python -m tests.fuzz --formulas $(FORMULAS) --files $(FILES) --texts $(TEXTS) --seconds $(SECONDS) --seed $(SEED)

# `make chaos SCHEDULES=20000`: seeded storms of deaths, lost and doubled messages and faults; prints what breaks.
SCHEDULES ?= 20000
chaos: $(READY)
	@$(BIN)/python -m tests.chaos --schedules $(SCHEDULES) --seed $(SEED)

test-fast: $(READY)
	@$(BIN)/python -m pytest tests/unit tests/contract

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/cfn-lint template.yaml
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml functions infra

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: lint test

# `sam` in an environment of its own: its dependencies are pinned against ours.
SAM_VENV := .sam-venv
$(SAM_VENV)/bin/sam: $(READY)
	@$(BIN)/python -m venv $(SAM_VENV)
	@$(SAM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'aws-sam-cli==1.164.0'

validate: $(SAM_VENV)/bin/sam
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(SAM_VENV)/bin/sam validate --lint
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(SAM_VENV)/bin/sam build
	@$(MAKE) --no-print-directory sizes

# LocalStack in Docker, `sam deploy`, the end-to-end tests there, `sam local`. TESTS=tests/e2e/test_job.py: only those.
test-localstack: $(SAM_VENV)/bin/sam
	@$(BIN)/python -m infra.localstack $(TESTS)

# What the start of each function costs, beside its budget. It prints; it does not fail. WRITE=1: into docs/benchmarks.md too.
sizes: $(READY)
	@$(BIN)/python -m tests.bench.start $(if $(WRITE),--write)

# What is asked of others: the policy scanner, known weaknesses of what is shipped, and the list of what that is.
CHECKOV_VENV := .checkov-venv
$(CHECKOV_VENV)/bin/checkov: $(READY)
	@$(BIN)/python -m venv $(CHECKOV_VENV)
	@$(CHECKOV_VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'checkov==3.3.30'

scan: $(CHECKOV_VENV)/bin/checkov
	@$(CHECKOV_VENV)/bin/python $(CHECKOV_VENV)/bin/checkov --config-file infra/checkov.yaml

SUPPLY_VENV := .supply-venv
$(SUPPLY_VENV)/.ready: $(READY)
	@$(BIN)/python -m venv $(SUPPLY_VENV)
	@$(SUPPLY_VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit==2.10.1' 'cyclonedx-bom==7.5.0'
	@touch $@

# Says plainly when the list of known weaknesses cannot be reached; then nothing was checked.
audit: $(SUPPLY_VENV)/.ready
	@$(BIN)/python infra/audit.py $(SUPPLY_VENV)/bin/pip-audit

# One CycloneDX document per function, in build/sbom.
sbom: $(SUPPLY_VENV)/.ready
	@mkdir -p build/sbom
	@for file in functions/*/requirements.txt; do \
	  name=$$(basename $$(dirname $$file)); \
	  $(SUPPLY_VENV)/bin/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application \
	    --output-reproducible --of JSON -o build/sbom/$$name.json $$file || exit 1; done
	@ls build/sbom/*.json

# Pins what the functions ship, with hashes; `make lock UPGRADE=1` takes newer versions.
lock: $(READY)
	@$(BIN)/python infra/lock.py $(if $(UPGRADE),--upgrade)

# The peers in an environment of their own. SLOW=1: also those that need minutes.
BENCH_VENV := .bench-venv
PEERS := tests/bench/peers/$(if $(SLOW),slow,requirements).txt
$(BENCH_VENV)/.$(notdir $(PEERS)): $(READY) $(PEERS)
	@$(BIN)/python -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $(PEERS)
	@touch $@

bench: $(BENCH_VENV)/.$(notdir $(PEERS))
	@$(BIN)/python -m tests.bench $(if $(QUICK),--quick) $(if $(SLOW),--slow)

# The embedded service beside FastAPI, Celery and Redis, with 1, 10 and 50 clients; needs redis-server.
$(BENCH_VENV)/.service.txt: $(READY) tests/bench/peers/service.txt
	@$(BIN)/python -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/bench/peers/service.txt
	@touch $@

bench-service: $(BENCH_VENV)/.service.txt
	@$(BIN)/python -m tests.bench.service $(if $(QUICK),--rounds 1 --seconds 5,--write)

# Schemathesis likewise.
API_VENV := .schemathesis-venv
$(API_VENV)/bin/schemathesis: $(READY)
	@$(BIN)/python -m venv $(API_VENV)
	@$(API_VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'schemathesis==4.32.5'

openapi: $(API_VENV)/bin/schemathesis
	@$(BIN)/python infra/openapi_check.py $(CURDIR)/$(API_VENV)/bin/schemathesis

# A hundred clients for a minute, then the graded workbooks (SHEETRUN_CORPUS names the folder that they are in).
load: $(READY)
	@$(BIN)/python -m tests.load

docs: $(READY)
	$(BIN)/python infra/function_modules.py
	$(BIN)/python infra/functions_page.py

clean:
	rm -rf $(VENV) $(SAM_VENV) $(API_VENV) $(BENCH_VENV) $(CHECKOV_VENV) $(SUPPLY_VENV) .localstack .aws-sam build dist
