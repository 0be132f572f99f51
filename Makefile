# What a user of this repository calls. `make` alone lists it.
.PHONY: help setup test sim sanitize fuzz demo bench lab format

help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/ #/' | column -t -s '#'

setup: ## Installs the Debian packages that are missing
	@Tools/setup

test: setup ## Builds and runs everything that needs no Xen, one test at a time: some play processes that block
	swift build --build-tests
	@Tools/test

sim: setup ## Plays histories with all faults on: SEEDS=20000, FIRST=seed, KIND=store; SEED=1234 shows one, ONLY=... what is left of it
	swift build -c release --product xen-sim
	@.build/release/xen-sim $(if $(KIND),--kind $(KIND)) $(if $(SEED),--seed $(SEED) $(if $(ONLY),--only $(ONLY)),--seeds $(or $(SEEDS),2000) --first $(or $(FIRST),0))

sanitize: setup ## Runs the tests of rings, grants, events and the mock under ThreadSanitizer, those and the store's under AddressSanitizer
	@Tools/sanitize thread
	@Tools/sanitize address

fuzz: setup ## Lets hostile peers loose on the rings, the store's codec and its server: SECONDS=60 each, SUBJECT=store-server
	@Tools/fuzz $(or $(SECONDS),60) $(SUBJECT)

demo: setup ## Copies a disk image between two domains while the backend crashes: IMAGE=path
	swift build -c release --product block-demo
	@.build/release/block-demo $(if $(IMAGE),--image "$(IMAGE)")

bench: setup ## Ours beside C: ROWS=name,name picks rows, QUICK=1 is brief, DOCS=1 writes docs/benchmarks
	swift build -c release --product xen-bench
	@ROWS="$(ROWS)" .build/release/xen-bench $(if $(QUICK),--quick) $(if $(DOCS),--docs docs)

lab: setup ## Boots real Xen under QEMU and runs the checks of Lab/checks there
	@Lab/run

format: ## Formats all Swift code as CI wants it
	swift format -i -r Package.swift Sources Tests Examples Lab Benchmarks Fuzz Snippets Tools
