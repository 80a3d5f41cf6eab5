# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The two commands to begin with: "make demo" and "make test". CONTRIBUTING.md says the rest.
# PYTHON chooses the interpreter that .venv is made with; ARGS adds words to the command of one gate.
PYTHON ?= python3
ARGS ?=
VENV_PYTHON := .venv/bin/python
GATES := $(VENV_PYTHON) -m tools.gates
ONE_GATE := bench push unit integration integration-oldest apparatus traps browser reliability security sanity ruff format mypy mypy-tools yamllint reuse changelog ansible-lint antsibull-docs docs artifact

CORES := oldest core-2.17 core-2.18 core-2.19 core-2.20 newest next
MATRIX_GATES := $(foreach core,$(CORES),sanity-$(core) unit-$(core) main-job-$(core))
MATRIX_GATES += $(foreach core,oldest core-2.18 core-2.19 newest,hostile-$(core))

.PHONY: help
help:
	@sed -n 's/^## //p' Makefile

.PHONY: environment
environment:
	@$(PYTHON) -m tools.environment check

## make demo [KEEP=1]       the whole story on this machine: emulator, registries, playbook; KEEP=1 leaves it running
.PHONY: demo
demo:
	@$(PYTHON) -m tools.environment run
	@PYTHONPATH=tests $(VENV_PYTHON) -m demo $(if $(filter 1,$(KEEP)),--keep)

## make push-demo           a push to a registry, the rulebook that hears of it, and the image stream that moves; needs Java 17
.PHONY: push-demo
push-demo: environment
	@$(GATES) push-demo

## make test                every gate, with the Python it is started with (PYTHON=...)
## make test-matrix         sanity tests, unit tests and the main job with every ansible-core that is supported, and the one to come, which may fail
## make integration-oldest  playbooks on the oldest ansible-core, with modules on the oldest Python: before a release
## make everything          both, side by side: what .ci/run does
## make soak                the long forms: 50 kills of each job, 200 rounds of twenty writers, 100 clusters (QUAYSIDE_SEED=... chooses other moments)
##                          and every credential in every place with every failure, and hostile text with ansible-core 2.18 and 2.19
## make browser             the drift report in Chromium; SCREENSHOTS=folder keeps pictures of it, to be looked at
## make fuzz                property tests with 20,000 examples each; FUZZ_EXAMPLES=... for another number
## make lint                ruff, mypy, yamllint, reuse, changelog, ansible-lint
## make docs                the documentation site, in .build/docs/html
## make docs-lint           the site, and the documentation of each module and role
## make build               the artifact: what is in it, its installation, galaxy-importer
.PHONY: test test-matrix everything soak fuzz lint docs-lint build
test test-matrix everything soak fuzz lint docs-lint build: environment
	@$(GATES) $@

## make unit [ARGS=...]     one gate alone, with words for its command; also: integration apparatus traps reliability security
##                          sanity ruff mypy mypy-tools yamllint reuse changelog ansible-lint antsibull-docs artifact docs
## make unit-core-2.18      one gate of the matrix; also: sanity-... and main-job-..., with oldest, core-2.17 to core-2.20, newest and next
.PHONY: $(ONE_GATE) $(MATRIX_GATES)
$(ONE_GATE) $(MATRIX_GATES): environment
	@$(GATES) $@ --arguments='$(ARGS)'

## make contract CASES=... REGISTRY=...   other recorded exchanges, replayed against the emulator
.PHONY: contract
contract: environment
	@$(GATES) contract --arguments='$(if $(CASES),--cases "$(abspath $(CASES))") $(if $(REGISTRY),--registry "$(abspath $(REGISTRY))") $(ARGS)'

## make test-cluster        the integration tests on a real cluster: see CONTRIBUTING.md for the variables
.PHONY: test-cluster
test-cluster: environment
	@$(GATES) test-cluster --arguments='$(ARGS)'

## make playbooks-page     docs/playbooks.md, from the heads of the playbooks and the argument specs of the roles
.PHONY: playbooks-page
playbooks-page: environment
	@$(VENV_PYTHON) -m tools.playbooks_page

## make bench-fleet [ARGS=...]  time and memory of a report on 25, 50 and 100 clusters: see docs/performance.md
.PHONY: bench-fleet
bench-fleet: environment
	@$(GATES) bench-fleet --arguments='$(ARGS)'

## make release VERSION=X.Y.Z   version, changelog, artifact, commit and tag, in this checkout only: see docs/releases.md
.PHONY: release
release: environment
	@$(VENV_PYTHON) -m tools.release '$(VERSION)'

## make bench [ARGS=...]    speed, as ratios of two ways of doing the same: see docs/performance.md

## make clean               remove what the commands above have made
.PHONY: clean
clean:
	rm -rf .venv .build .cache .ruff_cache .mypy_cache .pytest_cache .hypothesis .ansible tests/output
