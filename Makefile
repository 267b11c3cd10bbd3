# A thin front over CMake's presets. `make help` lists the targets.
.DEFAULT_GOAL := help
jobs := $(shell nproc)

MINUTES ?= 10
SECONDS ?= 60
SEEDS ?= 1000000
FUZZ ?= range names head body connection torrent store

.PHONY: help setup build demo test test-asan test-tsan test-layers-asan test-layers-tsan test-clang test-valgrind test-go-asan lint fuzz stress mutants soak bench bench-rss \
  bench-eviction bindings install clean

help: ## list these targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install the Debian packages that are missing (asks for rights only then)
	@scripts/setup.sh

build: setup ## build the program: build/slipstream
	@cmake --preset release >build-release.log 2>&1 || { cat build-release.log; exit 1; }
	@rm -f build-release.log
	@cmake --build --preset release --target slipstream

demo: build ## stream a real film from a local swarm through memory, and say what was seen
	@build/slipstream demo

test: setup ## build everything and run every test
	@cmake --preset release
	@cmake --build --preset release
	@ctest --preset release -j $(jobs) $(CTEST_FLAGS)

test-asan: setup ## every test with address, leak and undefined-behaviour checks
	@$(MAKE) --no-print-directory preset-asan

test-tsan: setup ## every test with the race detector, libtorrent too (builds that once, from its Debian source package)
	@scripts/instrumented_libtorrent build-libtorrent-tsan thread
	@$(MAKE) --no-print-directory preset-tsan

test-layers-asan: setup ## test-asan of the layers below the engine
	@$(MAKE) --no-print-directory preset-layers-asan

test-layers-tsan: setup ## test-tsan of the layers below the engine, without their sessions
	@$(MAKE) --no-print-directory preset-layers-tsan

preset-%:
	@cmake --preset $*
	@cmake --build --preset $*
	@ctest --preset $* -j $(jobs) $(CTEST_FLAGS)

test-valgrind: ## the unit and contract tests under memcheck
	@scripts/setup.sh valgrind
	@cmake --preset valgrind
	@cmake --build build-valgrind --target block_test store_test cache_test faults_test conformance_test
	@scripts/under_valgrind build-valgrind

test-clang: ## build all under Clang, where a lock that is not held is an error (installs clang)
	@scripts/setup.sh clang-16
	@cmake --preset clang
	@cmake --build --preset clang

lint: ## clang-tidy and cppcheck, with the checks that .clang-tidy and scripts/lint name
	@scripts/setup.sh clang-16 clang-tidy-16 cppcheck
	@cmake --preset clang >/dev/null
	@cmake --build build-clang --target slipstream_pch_torrent slipstream_pch_http
	@scripts/lint build-clang

stress: setup ## tests/stress at ten times the size: 1,000 session lives, 100,000 torrents under load, ten million slots used again
	@cmake --preset release
	@cmake --build --preset release --target stress_test
	@SLIPSTREAM_STRESS=1000 build/stress_test

mutants: setup ## break chosen lines one by one, and show that a test turns red for each
	@nice scripts/mutants

test-go-asan: setup ## the Go suite on a library with address and undefined-behaviour checks
	@cmake --preset asan
	@cmake --build --preset asan --target slipstream_library slipstream_go binding_seeder
	@tests/bindings/go-asan.sh build-asan

fuzz: ## search with libFuzzer for SECONDS=60 in each of FUZZ="range names ..." (installs clang)
	@scripts/setup.sh clang-16 libclang-rt-16-dev
	@cmake --preset fuzz
	@cmake --build --preset fuzz
	@for target in $(FUZZ); do \
		mkdir -p build-fuzz/found/$$target && \
		build-fuzz/fuzz_$$target -max_total_time=$(SECONDS) -timeout=20 -max_len=8192 -artifact_prefix=build-fuzz/failed-$$target- \
			build-fuzz/found/$$target tests/fuzz/corpus/$$target || exit 1; \
	done

soak: setup ## a model, SEEDS=1000000 orders of operations, players on films larger than the memory for MINUTES=10, 2 GiB through 64 MiB
	@cmake --preset release
	@cmake --build --preset release --target soak slipstream model_test interleavings_test
	@SLIPSTREAM_SEED=$$(date +%s) SLIPSTREAM_STEPS=5000000 build/model_test
	@SLIPSTREAM_SEEDS=$(SEEDS) build/interleavings_test --gtest_filter='*calls_and_completions*'
	@SLIPSTREAM_SEEDS=$$(($(SEEDS) / 10)) build/interleavings_test --gtest_filter='*every_order_of_forgetting*'
	@build/soak --minutes $(MINUTES) --change-capacity --hostile
	@SLIPSTREAM_BIN=build/slipstream SLIPSTREAM_TEST_FILM_MIB=2048 SLIPSTREAM_TEST_CAPACITY_MIB=64 \
		python3 -B tests/e2e/t09_big_film.py T01Film

bench: setup ## measure against the goals: a table in bench/results (10 to 15 minutes)
	@cmake --preset release
	@cmake --build --preset release
	@bench/run.sh build

bench-rss: setup ## RSS against the capacity, 32 MiB to 4 GiB, with 1 torrent and with 50
	@cmake --preset release
	@cmake --build --preset release --target rss
	@build/rss

bench-eviction: setup ## eviction policies compared on recorded traces
	@cmake --preset release
	@cmake --build --preset release --target eviction_simulator
	@build/eviction_simulator bench/traces/*.trace

bindings: setup ## libslipstream, and what Go and Python need of it, in the build folder
	@cmake --preset release
	@cmake --build --preset release --target bindings

install: build bindings ## install the program, its manual page and systemd unit, the library and the bindings (PREFIX=/usr/local)
	@cmake --install build --prefix $(or $(PREFIX),/usr/local)

clean: ## remove every build but the instrumented libtorrent
	@rm -rf build build-debug build-asan build-tsan build-layers-asan build-layers-tsan build-clang build-valgrind build-fuzz build-mutants
