# make help tells what there is.
GO      ?= go
GOLANGCI ?= golangci-lint
FUZZ    ?= 30s
CHECKS  ?= 100
VERSION := $(shell cat .golangci-version)

.PHONY: help build check test lint race postgres crash fuzz scenario property fidelity load gen smoke postman sdk quickstart e2e

help: ## this list
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

build: ## the binary, in ./hikyaku
	$(GO) build -trimpath -o hikyaku ./cmd/hikyaku

check: ## format, vet, the plan of the house, short tests: under a minute
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) test -short ./...

test: ## all quick tests; needs nothing but Go
	$(GO) test ./...

lint: ## golangci-lint, in the pinned version
	$(GOLANGCI) run ./...

lint-install: ## installs the pinned golangci-lint into GOBIN
	$(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(VERSION)

race: ## the concurrent packages under the race detector
	$(GO) test -race -short ./internal/clock/... ./internal/limits/... ./internal/journal/... ./internal/pipeline/... \
		./internal/webhook/... ./internal/network/... ./internal/vault/... ./internal/graph/... ./device/... ./internal/app/... \
		./internal/business/... ./internal/access/... ./internal/template/... ./internal/analytics/... ./internal/policy/...

postgres: ## the store's conformance suite on a temporary PostgreSQL
	test/postgres.sh $(GO) test ./internal/store/...

postman: ## the Postman collections, headless, against fresh sandboxes; needs Node.js
	test/postman.sh

crash: ## kill -9 at 200 random moments, disk errors, full disk
	$(GO) test -tags crash -count=1 -timeout 15m ./test/crash/...

fuzz: ## every fuzz target for FUZZ (30s)
	test/fuzz.sh $(FUZZ)

scenario: ## conversations with the platform, byte for byte; ARGS=-update rewrites them
	$(GO) test -count=1 ./test/scenario/... $(ARGS)

property: ## what a business may legally send arrives, can be read, and is answered: CHECKS (100) of every kind
	$(GO) test -count=1 -timeout 30m ./test/property/... -rapid.checks=$(CHECKS)

fidelity: ## the scenarios against the published OpenAPI file: HIKYAKU_META_OPENAPI=path make fidelity
	@test -n "$$HIKYAKU_META_OPENAPI" || { echo "set HIKYAKU_META_OPENAPI to the path of the published OpenAPI file (v23.0)"; exit 1; }
	$(GO) test -count=1 ./test/fidelity/...

load: ## the load figures of docs/performance.md, and half a minute of hostile input
	$(GO) test -tags load -count=1 -timeout 30m -v ./test/load/...

smoke: ## a short bench run of the whole platform; HIKYAKU is the program, compiled when empty
	@[ -n "$$HIKYAKU" ] || $(GO) build -o .cache/hikyaku ./cmd/hikyaku
	"$${HIKYAKU:-.cache/hikyaku}" bench platform --mps 200 --duration 5s

sdk: ## unmodified SDKs of other people, for JavaScript and Go, against a fresh sandbox; needs Node.js
	test/sdk/run.sh

e2e: ## the Manager in a real browser; needs Chromium
	cd e2e && E2E=1 $(GO) test -count=1 ./...

quickstart: ## from a clone, with nothing compiled, to the first delivered message: five minutes at most
	test/quickstart/run.sh

gen: ## generated code and pages; CI fails when they differ
	$(GO) generate ./...
