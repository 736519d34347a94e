# The studio's commands. `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

# Where torch comes from: on Linux PyPI's own brings CUDA, gigabytes that a machine without an NVIDIA card never uses.
CPU_INDEX := https://download.pytorch.org/whl/cpu
TORCH_INDEX ?= $(shell [ "$$(uname -s)" != Linux ] || command -v nvidia-smi >/dev/null || echo $(CPU_INDEX))
PIP := $(BIN)/python -m pip install --quiet

.PHONY: help run test test-all check lock clean
.DEFAULT_GOAL := help

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.runtime ## set up what is needed and open the studio on http://127.0.0.1:7860 (ARGS="--port 8000")
	$(BIN)/python app.py $(ARGS)

# Threads of torch that wait for each other cost several times what they bring where other processes run. Servers under
# load and pages in a browser are timed, so nothing else runs beside them.
ALONE := tests/browser tests/load
TOGETHER := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ALONE:%=--ignore=%)
JOURNEYS := test_journey.py::test_drop_break_twice_run_three_models_and_download \
    test_takeaway.py::test_a_link_restores_every_control_and_the_view \
    test_keyboard.py::test_a_photograph_is_chosen_broken_restored_looked_at_and_taken_away \
    test_train.py::test_the_whole_journey
test: $(VENV)/.development ## set up what is needed and run the quick tests and four journeys (ARGS="tests/models -k tiles")
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(TOGETHER) --ignore=tests/slow
	$(BIN)/python -m pytest $(JOURNEYS:%=tests/browser/%)
endif

test-all: $(VENV)/.development ## set up what is needed and run all tests
	$(TOGETHER)
	$(BIN)/python -m pytest $(ALONE)

NPM := $(shell command -v npm)
check: $(VENV)/.development $(if $(NPM),node_modules/.package-lock.json) ## lint, formatting, types; of Python and of the page's scripts
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	@if [ -d node_modules/eslint ]; then npm run --silent check; \
	else echo "The page's scripts are NOT checked: npm or its packages are missing. Node.js 20.19 or later is needed."; fi

lock: $(VENV)/.development ## write the newest versions that fit, with hashes, into requirements.lock
	echo torch > $(VENV)/no-torch.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --no-python-downloads --python $(BIN)/python --generate-hashes --no-annotate --python-version 3.11 \
	    --custom-compile-command "make lock" --excludes $(VENV)/no-torch.txt -o requirements.lock requirements.txt

clean: ## remove the virtual environment and node_modules
	rm -rf $(VENV) node_modules

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# Packages of CUDA are refused where the index of CPU builds was chosen: pip ends with a message rather than fetch them.
$(VENV)/.torch: requirements.txt | $(VENV)/bin/python
	$(if $(TORCH_INDEX),echo 'triton<0' > $(VENV)/no-cuda.txt)
	$(PIP) $(if $(TORCH_INDEX),--retries 1 --extra-index-url $(TORCH_INDEX) -c $(VENV)/no-cuda.txt) "$$(sed -n 's/^\(torch[^;#]*[0-9]\).*/\1/p' requirements.txt)"
	touch $@

$(VENV)/.runtime: requirements.txt $(VENV)/.torch
	$(PIP) -r requirements.txt
	touch $@

$(VENV)/.development: requirements-dev.txt requirements-scale.txt requirements-ray.txt requirements-runtime.txt requirements.txt $(VENV)/.torch
	$(PIP) -r requirements-dev.txt
	touch $@

node_modules/.package-lock.json: package-lock.json
	-$(NPM) ci --silent --no-audit --no-fund && touch $@
