# Two commands need nothing but Go and make: make demo, make test.

GO      ?= go
BIN     := bin/finarc
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -s -w $(if $(VERSION),-X main.version=$(VERSION))

# Pinned, so that a check says the same today and tomorrow.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.8.0

.PHONY: build demo test race fuzz crash soak week load bench growth lint vuln cross clean

build: ## the program, in bin/
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/finarc

demo: build ## crawl the built-in mirror and show what came of it, in demo/
	$(BIN) demo --dir demo

test: ## every test that this machine has the programs for
	$(GO) test ./...

# The detector makes each test some five times slower: with -short, those that try
# what comes by chance try less of it. The end-to-end tests are left out: they start
# the program, which is built without it.
race: ## the same but end to end, with fewer tries, under the race detector
	$(GO) test -race -short -timeout 30m $$($(GO) list ./... | grep -v /internal/e2e)

# A number of inputs, not a time: at the end of a time the fuzzer of Go now and
# then reports its own deadline as a failure.
FUZZTIME ?= 20000x
fuzz: ## every fuzz target for a while: make fuzz FUZZTIME=1000000x
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

crash: ## kill -9 at hundreds of moments of everything that writes, and a thousand flipped bytes
	FINARC_KILLS=$(or $(KILLS),100) $(GO) test -run TestCrash -timeout 60m -v ./internal/e2e
	FINARC_FLIPS=$(or $(FLIPS),1000) $(GO) test -run Flip -timeout 60m -v ./archive

RUNS ?= 200
soak: ## many runs in a row, as cron starts them, on a mirror that lives and fails
	FINARC_SOAK=$(RUNS) $(GO) test -count=1 -run TestSoak -timeout 60m -v ./internal/e2e

DAYS ?= 7
week: ## a trading week of a mirror with 2,000 categories, in sped-up time
	FINARC_WEEK=$(DAYS) $(GO) test -count=1 -run TestWeek -timeout 60m -v ./internal/e2e

LASTS ?= 60
POSTS ?= 100000
load: ## 200 readers a second of 100,000 posts while a crawl writes, and whether the server grows
	FINARC_LOAD=$(LASTS) FINARC_LOAD_POSTS=$(POSTS) $(GO) test -count=1 -run TestLoad -timeout 120m -v ./internal/e2e

bench: export TMPDIR := $(or $(TMPDIR),/var/tmp)
bench: ## the figures in README.md; compare two runs with benchstat
	$(GO) test -run '^$$' -bench Whole -benchtime 1x -timeout 30m ./internal/e2e
	$(GO) test -run '^$$' -bench 'Crawl|Colly' -benchtime 20x ./crawler
	$(GO) test -run '^$$' -bench . ./page ./jekyll ./robots

growth: export TMPDIR := $(or $(TMPDIR),/var/tmp)
growth: ## what an archive costs as it grows, and whom its care holds up; takes minutes and 3 GB, see FINARC_GROWTH_DIR
	$(GO) test -run '^$$' -bench '(Growth|Care)$$' -benchtime 1x -timeout 60m ./internal/e2e

lint: ## form, doubtful constructs, known holes
	@test -z "$$(gofmt -l .)" || { echo 'gofmt would change:'; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) mod verify
	$(GO) run $(STATICCHECK) ./...

vuln: ## known holes in what is used; asks the Go vulnerability database
	$(GO) run $(GOVULNCHECK) ./...

# The tests too are looked at for Windows, which is the most unlike: to compile what
# they import takes minutes for each system.
cross: ## the program for the systems it runs on, compiled and thrown away
	@set -e; for target in linux/amd64 linux/arm64 darwin/arm64 windows/amd64; do \
		echo "build $$target"; \
		GOOS=$${target%/*} GOARCH=$${target#*/} CGO_ENABLED=0 $(GO) build -trimpath -o /dev/null ./...; \
	done
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 $(GO) vet ./...

clean: ## what make made
	rm -rf bin demo
