.PHONY: setup lab

setup: ## Installs the Debian packages that are missing
	@Tools/setup

lab: setup ## Boots real Xen under QEMU and runs the checks of Lab/checks there
	@Lab/run
