# donjon. `make demo` shows it at work, `make test` proves it; `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

CARGO  ?= cargo
PREFIX ?= /usr/local
# make's SECONDS is the one of `make fuzz SECONDS=n`, bash's a clock: never the same name below.
SECONDS_EACH := $(or $(filter-out 0,$(SECONDS)),20)
unexport SECONDS
export CARGO_TARGET_DIR := $(CURDIR)/target

OUT      := target/donjon
SHIM_OUT := target/donjon-shim
PY       := target/venv/bin/python
SOURCES  := Cargo.toml Cargo.lock build.rs cbindgen.toml $(shell find src -type f)
PACKAGE  := $(addprefix bindings/python/,Cargo.toml pyproject.toml README.md) $(shell find bindings/python/src bindings/python/python/donjon -type f -not -name '*.pyc')


.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

# ---- building ----

.PHONY: setup
setup: ## checks for what the build needs, and installs what Debian has
	@tools/setup

.PHONY: setup-tests
setup-tests: ## and for what the tests start themselves
	@tools/setup tests

.PHONY: lib
lib: $(OUT)/lib/libdonjon.a ## the C library: header, static, shared, pkg-config

$(OUT)/lib/libdonjon.a: $(SOURCES) tools/build-library
	@tools/step "C library" tools/build-library $(OUT) ffi

# The library of the conformance shims, which alone may choose its entropy.
$(SHIM_OUT)/lib/libdonjon.a: $(SOURCES) tools/build-library
	@tools/step "C library of the shims" tools/build-library $(SHIM_OUT) test-entropy static

.PHONY: lib-shim
lib-shim: $(SHIM_OUT)/lib/libdonjon.a

target/venv/.ready: bindings/python/requirements-dev.txt
	@tools/step "Python environment" tools/make-venv target/venv bindings/python/requirements-dev.txt
	touch $@

.PHONY: python
python: target/venv/.package ## the Python package, installed in target/venv

target/venv/.package: target/venv/.ready $(SOURCES) $(PACKAGE)
	@tools/step "Python package" $(PY) -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps ./bindings/python
	touch $@

.PHONY: header
header: ## regenerates include/donjon.h
	@$(CARGO) build --quiet --features ffi
	cp "$$(ls -t target/debug/build/donjon-*/out/donjon.h | head -1)" include/donjon.h

.PHONY: install
install: lib ## installs the C library under PREFIX (/usr/local)
	@tools/install-library $(OUT) "$(DESTDIR)$(PREFIX)"

# ---- the two commands of the README ----

.PHONY: demo
demo: setup lib python ## two services that trust each other's tokens, and a walk through them
	@rm -f target/demo/service; tools/step "Go service" env -C demo/go go build -o $(CURDIR)/target/demo/service .
	exec $(PY) demo/run.py

.PHONY: test
test: setup-tests test-rust test-c test-python test-go test-hosts test-redis test-readme test-demo test-load test-kill ## everything, in about a quarter of an hour from nothing
	@echo
	echo "All tests passed."

.PHONY: test-rust
test-rust: target/venv/.ready
	@tools/step "Rust: the kernel without std" $(CARGO) check --quiet --no-default-features
	tools/step "Vectors: what the generator writes" $(PY) tests/vectors/generate.py --check
	tools/step "Rust: kernel, C ABI, and the vectors through the shim" $(CARGO) test --quiet --package donjon --package donjon-shim --features donjon/ffi
	tools/step "Rust: envelopes again, on the other AES-GCM" $(CARGO) test --quiet --features ffi,aws-lc --lib --test envelopes --test wycheproof

.PHONY: test-c
test-c: lib lib-shim
	@tools/step "C: symbols and header" tools/check-symbols $(OUT)
	tools/step "C: static and shared, sanitizers and valgrind" tests/c/run.sh

.PHONY: test-python
test-python: python
	@tools/step "Python: building the shim's package" tests/shim build python
	tools/step "Python" $(CURDIR)/$(PY) -m pytest -q bindings/python -c bindings/python/pyproject.toml

.PHONY: test-go
test-go: lib lib-shim
	@tools/step "Go" env -C bindings/go go test -count=1 -race ./...
	tools/step "Go: limits in Redis" env -C bindings/go/redisstore go test -count=1 -race ./...
	tools/step "Go: vectors, through the shim" env -C bindings/go go test -count=1 -tags donjon_shim ./...

.PHONY: test-hosts
test-hosts: python lib-shim
	@tools/step "Rust, Python and Go: the same answers, byte for byte" $(PY) tests/cross_language/compare.py

.PHONY: test-redis
test-redis: python
	@tools/step "Redis: the scripts against the kernel's arithmetic" $(PY) tests/redis/script_equivalence.py
	tools/step "Redis: processes that share limits" $(PY) tests/redis/processes.py
	tools/step "Redis: processes that race log-ins, refreshes and log-outs" $(PY) tests/redis/session_races.py
	tools/step "Sessions in every store, against a model" $(PY) tests/redis/session_model.py
	tools/step "Redis: flushed, killed, set back, failed over" $(PY) tests/redis/session_faults.py --seed 6

.PHONY: test-readme
test-readme: lib python
	@tools/step "README: its examples as pasted" $(PY) -m pytest -q tests/readme

.PHONY: test-demo
test-demo: lib python
	@ONESHOT=1 $(MAKE) demo

.PHONY: test-load
test-load: python
	@tools/step "Load: 96 log-ins at once on a budget of memory" $(PY) tests/load/run.py --log-ins 96 --memory-only
	tools/step "Load: a file of 64 MiB in a few buffers" $(PY) tests/load/seal_file.py

.PHONY: test-kill
test-kill: python
	@tools/step "Killed while sealing a file: nothing half-written" $(PY) tests/kill/kill_seal_file.py --kills 3 --rows 2000
	tools/step "Killed while rotating a table: nothing lost" $(PY) tests/kill/kill_rotation.py --kills 3 --rows 2000

# ---- and the rest ----

.PHONY: lint
lint: setup lib python ## formatting, lints, types, licences
	@tools/lint

.PHONY: fuzz
fuzz: ## every fuzz target for SECONDS (20) each
	@fuzz/run.sh $(SECONDS_EACH)

.PHONY: soak
soak: lib lib-shim python ## the heavy proofs, in full
	@tools/step "200,000 requests, three hosts" $(PY) tests/cross_language/compare.py --requests 200000 --seed 7
	tools/step "C: all vectors under valgrind" tests/c/run.sh 1
	PROPTEST_CASES=100000 tools/step "property tests, 100,000 cases each" $(CARGO) test --quiet --release --features ffi --lib --test rbac_reference --test limits --test sessions --test sessions_model
	tools/step "50 kills while sealing a file" $(PY) tests/kill/kill_seal_file.py --kills 50 --rows 100000
	tools/step "50 kills while rotating 100,000 rows" $(PY) tests/kill/kill_rotation.py --kills 50 --rows 100000
	tools/step "200,000 steps of Redis' scripts" $(PY) tests/redis/script_equivalence.py --steps 200000
	tools/step "100,000 requests of 8 processes, 10,000 races, 20 outages" $(PY) tests/redis/processes.py --requests 100000 --trials 10000 --kills 20
	tools/step "100,000 operations of 8 processes on sessions" $(PY) tests/redis/session_races.py --operations 100000
	tools/step "100,000 steps of sessions in each of 5 stores, against a model" $(PY) tests/redis/session_model.py --steps 100000
	tools/step "Redis flushed, killed, set back and failed over, 5 times each" $(PY) tests/redis/session_faults.py --rounds 5
	$(PY) tests/load/run.py
	FUZZ_SEED=0 fuzz/run.sh 120

.PHONY: bench
bench: lib python ## donjon against its peers, as ratios; ONLY=tokens for one capability
	@$(PY) benches/run

.PHONY: clean
clean: ## removes everything that was built
	rm -rf target
