# Everything a user or a developer does, by name. Needs a shell, make and git; `make deps` installs
# the rest (root or sudo).
.PHONY: help deps build demo serve test bench lint clean
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
BLUESHIFT = build/release/src/blueshift

help:
	@echo 'make demo    install what is needed, build, load 336,776 flights, answer eight questions'
	@echo 'make test    build and pass the tests'
	@echo 'make build   build build/release/blueshift'
	@echo 'make serve   start a server on ./data, port 5439'
	@echo 'make bench   TPC-H SF1 against DuckDB, and the other numbers of bench/report.md'
	@echo 'make lint    formatting, layers, file lengths, clang-tidy (ALL=1: all files)'
	@echo 'make deps    install packages and the Python environment, nothing else'

deps:
	@echo '== deps: Debian packages, Arrow C++, Python environment'
	@bash scripts/deps.sh

build: deps
	@echo '== build: build/release/blueshift'
	@cmake --preset release >/dev/null
	@cmake --build build/release -j $(JOBS) --target blueshift
	@ln -sf src/blueshift build/release/blueshift

demo: build
	@echo '== demo: real flights, eight questions'
	@bash demo/run.sh

serve: build
	@echo '== serve: ./data on port 5439'
	@exec $(BLUESHIFT) serve --data data

test: deps
	@echo '== test: optimised build and tests'
	@bash scripts/test.sh $(JOBS)

bench: build
	@echo '== bench: see bench/report.md'
	@bash bench/run.sh

lint: deps
	@echo '== lint: format, layers, lengths, tidy'
	@bash scripts/lint.sh

clean:
	@echo '== clean: build trees (dependencies stay)'
	@rm -rf build/release build/debug build/dev build/tsan
