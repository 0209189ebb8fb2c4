# make run     build everything and serve the demo organisation on http://127.0.0.1:8080
# make build   build the web app, bin/parley, which holds it, and bin/parley-load
# make test    install what the tests lack, then run all of them
# make check   fast static checks
# make dev     serve the demo organisation with a web app that reloads as it is edited
# make generate, make fuzz, make soak
# make fixture RELEASE=0001   keep databases and client profile of a release for the upgrade tests
# make bench   what the server has to reach, and what it reaches on this machine
# make bench-peers   the same loads on ejabberd, Prosody and Parley, one after the other

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
FUZZTIME ?= 30s
BENCHTIME ?= 20s

web_sources := $(shell find web/src web/public web/build -type f 2>/dev/null) \
	$(wildcard web/*.html web/*.ts web/*.json)
fuzz_files := $(shell git grep -l '^func Fuzz' -- '*_test.go' 2>/dev/null)

.PHONY: run build test check dev generate fuzz soak fixture bench bench-peers
.PHONY: toolchain static go-test web-test browser-test bin/parley bin/parley-load

run: build
	bin/parley serve --demo

build: web/dist/build.txt bin/parley bin/parley-load

toolchain:
	@bash test/install.sh --toolchain

bin/parley: web/dist/build.txt | toolchain
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $@ ./cmd/parley

bin/parley-load: web/dist/build.txt | toolchain
	CGO_ENABLED=0 go build -trimpath -o $@ ./cmd/parley-load

web/dist/build.txt: web/node_modules/.installed $(web_sources)
	cd web && npm run build
	@touch $@

web/node_modules/.installed: web/package-lock.json | toolchain
	cd web && npm ci --no-audit --no-fund
	@touch $@

test:
	bash test/install.sh
	$(MAKE) build static
	@# Where install.sh installs them, the peers have to be there.
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then export PARLEY_CI=1; fi; \
		$(MAKE) go-test web-test browser-test

check: build static
	cd web && npm run check

# gofmt, vet, and staticcheck where it can be had.
static:
	@unformatted=$$(git ls-files '*.go' | xargs gofmt -l); \
		if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:" $$unformatted; exit 1; fi
	go vet ./...
	bash test/staticcheck.sh

# The scenarios run in two settings: one node over SQLite, two nodes over PostgreSQL.
go-test:
	go test -race -timeout 30m ./...
	PARLEY_SETTING=nodes go test -race -timeout 30m ./server

web-test: web/node_modules/.installed
	cd web && npm test

browser-test: bin/parley
	bash test/browser.sh

dev: build
	@trap 'kill 0' EXIT; bin/parley serve --demo & (cd web && npm run dev)

generate: build
	go generate ./...

# Every fuzz target for FUZZTIME.
fuzz:
	@set -e; for file in $(fuzz_files); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$file); do \
			echo "== $$target in $$(dirname $$file)"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file); \
		done; \
	done

# The long runs of tests that are short in "make test": 500 kills, 100 faults of
# two nodes, and 100,000 people imported and searched, whose figures docs/performance.md reports.
soak: build
	PARLEY_KILLS=500 go test -race -count=1 -timeout 2h -v -run '^TestKilledServer$$' ./server
	PARLEY_ROUNDS=100 go test -race -count=1 -timeout 2h -v -run '^TestNodesUnderFaults$$' ./server
	PARLEY_PEOPLE=100000 go test -count=1 -timeout 1h -v -run '^TestUC1ManyPeople$$|^TestCC3ManyPeopleOfADirectory$$' ./server

# What the release that is being made leaves behind, for test/upgrade, and its
# migrations in store/schema/released.txt. A release that is not out yet may be made again.
fixture: web/dist/build.txt test/browser/node_modules/.installed
	@test -n "$(RELEASE)" || { echo "make fixture RELEASE=0001"; exit 1; }
	go test -count=1 -v -run '^TestMakeFixture$$' ./test/upgrade -args -release $(RELEASE)

test/browser/node_modules/.installed: test/browser/package-lock.json | toolchain
	cd test/browser && npm ci --no-audit --no-fund
	@touch $@

bench: bin/parley bin/parley-load
	bin/parley-load bench --duration $(BENCHTIME)

# As root on Debian: installs the peers, and starts them as plain processes in
# folders of their own.
bench-peers: bin/parley bin/parley-load
	bash test/bench/peers.sh
