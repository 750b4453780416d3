# Patchbay's tasks. Each line here is one script in scripts/; read that for what it does.

.PHONY: help run dev build test bench build-times check fmt db db-reset sqlx setup

help:
	@echo 'make run       build everything quickly and run the demo'
	@echo 'make build     the programs for production, in target/release'
	@echo 'make dev       build and run, again after every change'
	@echo 'make test      everything that has to pass before a change is merged'
	@echo 'make bench     measure the release build'
	@echo 'make build-times  how long each half takes to compile, and what takes longest'
	@echo 'make check     does it compile? (both halves, quickly)'
	@echo 'make fmt       format the source'
	@echo 'make db        start the development database that the SQL is checked against'
	@echo 'make db-reset  the same, emptied and migrated again'
	@echo 'make sqlx      describe all SQL statements, so that a build needs no database'

setup:
	@scripts/setup

build: setup
	@scripts/build --release

run: setup
	@scripts/build
	@env -u DATABASE_URL target/debug/patchbay demo

dev: setup
	@scripts/dev

test:
	@scripts/test

bench:
	@scripts/bench

build-times:
	@scripts/build-times

check:
	cargo check --workspace --features ssr --all-targets
	cargo check --lib --features hydrate

fmt:
	cargo fmt --all
	cargo fmt --manifest-path xtask/Cargo.toml

db: setup
	@scripts/dev-db up

db-reset: setup
	@scripts/dev-db reset
	@scripts/dev-db migrate

sqlx: setup
	@scripts/sqlx-describe
