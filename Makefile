# What a user of this repository calls. `make` alone lists it.
.PHONY: help setup test demo bench lab format

help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/ #/' | column -t -s '#'

setup: ## Installs the Debian packages that are missing
	@Tools/setup

test: setup ## Builds and runs everything that needs no Xen, one test at a time: some play processes that block
	swift build --build-tests
	swift test --skip-build --no-parallel

demo: setup ## Copies a disk image between two domains while the backend crashes: IMAGE=path
	swift build -c release --product block-demo
	@.build/release/block-demo $(if $(IMAGE),--image "$(IMAGE)")

bench: setup ## Our rings beside C's: ROWS=name,name picks rows, QUICK=1 measures briefly
	swift build -c release --product xen-bench
	@ROWS="$(ROWS)" .build/release/xen-bench $(if $(QUICK),--quick)

lab: setup ## Boots real Xen under QEMU and runs the checks of Lab/checks there
	@Lab/run

format: ## Formats all Swift code as CI wants it
	swift format -i -r Package.swift Sources Tests Examples Lab Benchmarks Snippets Tools
