# donjon. `make demo` shows it at work, `make test` proves it; `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

CARGO  ?= cargo
PREFIX ?= /usr/local
export CARGO_TARGET_DIR := $(CURDIR)/target

OUT      := target/donjon
SHIM_OUT := target/donjon-shim
PY       := target/venv/bin/python
SOURCES  := Cargo.toml Cargo.lock build.rs cbindgen.toml $(shell find src -name '*.rs')

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

.PHONY: lib
lib: $(OUT)/lib/libdonjon.a ## the C library: header, static, shared, pkg-config

.PHONY: lib-shim
lib-shim: $(SHIM_OUT)/lib/libdonjon.a

$(OUT)/lib/libdonjon.a: $(SOURCES) tools/build-library
	@tools/build-library $(OUT) ffi

$(SHIM_OUT)/lib/libdonjon.a: $(SOURCES) tools/build-library
	@tools/build-library $(SHIM_OUT) test-entropy

.PHONY: header
header: ## regenerates include/donjon.h
	@$(CARGO) build -q --features ffi
	cp "$$(ls -t target/debug/build/donjon-*/out/donjon.h | head -1)" include/donjon.h

.PHONY: install
install: lib ## installs the C library under PREFIX
	@tools/install-library $(OUT) "$(PREFIX)"
