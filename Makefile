# make test    installs what the tests need and runs them all
# make demo    shows a hotfix back-promoted, step by step
# make bench   measures syncline and its peers, writes docs/benchmarks.md
# make soak    the laws on 1,000 seeds, SOAK_CASES cases each; writes docs/soak.md
# make fuzz    each fuzz target for FUZZ_SECONDS

CARGO ?= cargo
SOAK_CASES ?= 20000
FUZZ_SECONDS ?= 60

.PHONY: test demo bench soak fuzz tools

test: tools
	@ci/suite begin
	@ci/suite run format    $(CARGO) fmt --all --check
	@ci/suite run clippy    $(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	@ci/suite run tests     $(CARGO) nextest run --workspace --locked --no-fail-fast
	@ci/suite run doctests  $(CARGO) test --workspace --locked --doc
	@ci/suite run tidy      $(CARGO) xtask tidy
	@ci/suite run docs      env RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --locked --no-deps --document-private-items
	@$(CARGO) build --locked --package syncline
	@ci/suite run clients   ci/conformance
	@ci/suite run types     $(CARGO) xtask types --check
	@if [ -n "$${SYNCLINE_CORPUS:-}" ] || [ -f ../shared/corpus/dev.tar.zst ]; then \
		ci/suite run corpus $(CARGO) xtask corpus --core; \
	else ci/suite skip corpus "set SYNCLINE_CORPUS to the folder of the unpacked corpus"; fi
	@ci/suite end

tools:
	@ci/tools test

demo:
	$(CARGO) run --release --locked --package syncline -- demo

bench:
	@ci/tools bench
	$(CARGO) xtask bench

soak:
	@ci/tools test
	@ci/soak $(SOAK_CASES)

fuzz:
	@ci/tools fuzz
	@ci/fuzz $(FUZZ_SECONDS)
