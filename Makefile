# Everything from a bare clone: each target first makes .venv and installs what it needs.
#   make PYTHON=python3.12 test    uses another interpreter (3.11 or newer)

PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
INSTALLED := .venv/.installed
LOCK := requirements-dev.lock
OLDEST_LOCK := requirements-oldest.lock
SERVE_LOCK := requirements-serve.lock
OLDEST := .cache/oldest

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-oldest benchmark lint types check format docs pictures qdrant lock install clean

## Print what the targets do.
help:
	@awk '/^## / { says[n++] = substr($$0, 4); next } \
		sub(/^[a-z-]+:.*/, "make &") { sub(/:.*/, ""); \
			for (i = 0; i < n; i++) printf "%-18s%s\n", i ? "" : $$0, says[i] } \
		{ n = 0 }' Makefile

## Train on invented playlists, load them into the embedded store, ask for "rainy day".
demo: $(INSTALLED)
	$(BIN)/melon demo

## All tests, on both engines. Some: make test TESTS="tests/store -k filters"
test: $(INSTALLED)
	$(PYTEST) $(TESTS)

# All that melon asks of qdrant-client is asked by those that are left; the life of releases, say,
# asks for the same again and again.
OLDEST_TESTS := not embedded and not edge and not full_disk and not random and not test_damage \
	and not test_server_lease and not test_release_names and not test_proxies \
	and not TestFound and not TestChoice and (not test_releases or TestPromote or TestPrune)

## The store's tests on a server without strict mode, with the oldest qdrant-client that
## pyproject.toml allows.
test-oldest: $(INSTALLED) $(OLDEST)
	MELON_TEST_QDRANT_PLAIN=1 PYTHONPATH="$(CURDIR)/$(OLDEST)" $(PYTEST) tests/store \
		-k "$(OLDEST_TESTS)"

OUT ?= .melon/benchmark

## The score of the default strategy: train on DIR (a directory, or files), answer, compare.
##   make benchmark DIR=held-out QUESTIONS=held-out/questions.json ANSWERS=held-out/answers.json
benchmark: $(INSTALLED)
	$(foreach name,DIR QUESTIONS ANSWERS,$(if $($(name)),,$(error $(name) is missing: \
		make benchmark DIR=... QUESTIONS=... ANSWERS=... [OUT=$(OUT)])))
	MELON_HOME="$(OUT)" $(BIN)/melon train $(DIR)
	MELON_HOME="$(OUT)" $(BIN)/melon ingest --path "$(OUT)/store"
	MELON_HOME="$(OUT)" $(BIN)/melon evaluate "$(QUESTIONS)" "$(ANSWERS)" --path "$(OUT)/store"

## Style, by ruff.
lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

## Types, by mypy, strictly.
types: $(INSTALLED)
	MYPYPATH=.editable $(BIN)/mypy -p melon
	MYPYPATH=.editable:scripts:benchmarks $(BIN)/mypy --explicit-package-bases scripts benchmarks

## Style, types and all tests, as CI checks them.
check: lint types test

## Mend the style where ruff can.
format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

## The references of the command and of the fields, docs/cli.md and docs/fields.md; tests fail when
## they are stale.
docs: $(INSTALLED)
	$(BIN)/python scripts/cli_reference.py
	$(BIN)/python scripts/field_reference.py

## The pictures of the documents, of the demo's store; tests fail when they are stale.
pictures: $(INSTALLED)
	$(BIN)/python scripts/pictures.py

## A Qdrant server on localhost:6333 without Docker, in the foreground.
qdrant: $(INSTALLED)
	$(BIN)/python scripts/qdrant_server.py

# What a host needs none of that only answers, from a server.
NOT_SERVED := filelock gensim pandas pyarrow python-dateutil pytz qdrant-edge-py scipy six \
	smart-open tzdata wrapt

## Pin the newest versions that pyproject.toml allows, by hash, for every platform.
lock: $(INSTALLED)
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--upgrade --generate-hashes --no-annotate --custom-compile-command "make lock" \
		--quiet --output-file $(LOCK)
	$(BIN)/uv pip compile pyproject.toml --extra web --universal --python-version 3.11 \
		--constraint $(LOCK) $(addprefix --no-emit-package ,$(NOT_SERVED)) \
		--generate-hashes --no-annotate --custom-compile-command "make lock" \
		--quiet --output-file $(SERVE_LOCK)

## Make .venv and install melon there, editable, with all that the other targets need.
install: $(INSTALLED)

# --no-compile: Python compiles what it imports, which is a fraction of what is installed.
$(INSTALLED): pyproject.toml setup.py $(LOCK) | $(BIN)/python
	$(BIN)/pip install --quiet --no-compile --require-hashes --requirement $(LOCK)
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# Beside .venv, for PYTHONPATH to find it first: all else is as it is there.
$(OLDEST): $(OLDEST_LOCK) | $(INSTALLED)
	rm -rf $@
	$(BIN)/pip install --quiet --no-compile --no-deps --require-hashes \
		--requirement $(OLDEST_LOCK) --target $@
	touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'melon needs Python 3.11 or newer: make PYTHON=/path/to/python3.12' >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv

## Remove all that these targets made, the demo's and the benchmark's stores too; others below .melon
## stay, and .editable, through which another environment may see melon.
clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .melon/demo .melon/benchmark
	rm -rf build dist melon.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
