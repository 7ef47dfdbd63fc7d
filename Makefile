# Every target sets up what it needs first; the set-up is kept in .venv and is a matter of milliseconds the second time.
PYTHON ?= python3
BIN := .venv/bin
CLIP ?=
.DEFAULT_GOAL := help

# uv does not read pip's find-links (a folder of local wheels, where one is set up): hand them over.
FIND_LINKS = $(foreach dir,$(shell $(BIN)/python -m pip config get global.find-links 2>/dev/null) $(PIP_FIND_LINKS),--find-links $(dir))

.venv/.ready: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python $(FIND_LINKS) -e '.[dev]'
	@touch $@

setup: .venv/.ready  ## install everything into .venv

up: setup  ## start the suite and the web page on http://127.0.0.1:8080
	@exec $(BIN)/reelwright up

demo: setup  ## start the suite, ramp a real clip through the gateway, show the result (CLIP=file for your own)
	@$(BIN)/python -m benchmarks.demo $(CLIP)

check: setup  ## style, types, import boundaries, and whether generated pages are up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m docs.generate --check
	$(BIN)/pytest tests/test_boundaries.py

test: setup  ## the tests that every change must pass
	$(BIN)/pytest

coverage: setup  ## which lines the tests reach
	$(BIN)/pytest --cov --cov-report=term

test-all: setup check  ## every test, the slow ones too
	$(BIN)/pytest -m 'not deployment and not gpu'

# The containers use the GPU where there is one; GPU=0 and GPU=1 say so by hand.
GPU ?= $(shell nvidia-smi --list-gpus >/dev/null 2>&1 && echo 1 || echo 0)
COMPOSE = docker compose $(addprefix --file ,docker-compose.yaml $(if $(filter 1,$(GPU)),docker-compose.gpu.yaml) $(wildcard docker-compose.override.yaml))

compose-up:  ## the suite as containers, on the GPU where there is one, on http://127.0.0.1:8080
	@mkdir -p secrets
	$(COMPOSE) up --build --detach --wait

compose-down:  ## end the containers; what is on their volumes stays
	$(COMPOSE) down

test-compose: setup  ## the tests that need a Docker engine: they build the images, and kill what they started
	$(BIN)/pytest -m deployment tests/deployment

bench: setup  ## every benchmark, as tables
	$(BIN)/python -m benchmarks

# Beside the environment, not in it: its dependency on OpenCV's package with windows clashes with the one without.
bench-peers: setup  ## put what the benchmarks compare with into var/peers
	$(BIN)/uv pip install --quiet --python $(BIN)/python $(FIND_LINKS) --target var/peers --no-deps scenedetect==0.7.2 click platformdirs tqdm

docs: setup  ## write the reference pages in docs/ from the declarations
	$(BIN)/python -m docs.generate

contact-sheet: setup  ## draw docs/trails.jpg, the styles of motion trails on a real clip
	$(BIN)/python -m docs.contact_sheet

help:
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: setup up demo compose-up compose-down test-compose check coverage test test-all bench bench-peers docs contact-sheet help
