# Every command of the project. Each builds what it needs first, and nothing twice; CI runs the same ones.

PYTHON ?= python3
BIN    := .venv/bin
CORE   := $(wildcard fastcore/*.pyx fastcore/*.pxd fastcore/*.h)

.PHONY: serve test lint types bench load asan fuzz lock audit clean

serve: .venv/.built
	@exec $(BIN)/qredge serve

test: .venv/.dev .venv/.clients .venv/.browser .venv/.redis .venv/.front .venv/.print .venv/.reader
	$(if $(ARGS),$(BIN)/python -m pytest $(ARGS),$(ALL_TESTS))

# One more at a time than twice the processors, as many of them wait for a process or a deadline most of their time;
# then those that measure time, with nothing beside them.
AT_ONCE = $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN) + 1)
define ALL_TESTS
$(BIN)/python -m pytest --numprocesses=$(AT_ONCE) --dist=loadfile --no-loadscope-reorder -m "not alone"
	$(BIN)/python -m pytest -m alone
endef

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint fastcore  # it calls pycodestyle by name

types: .venv/.dev
	$(BIN)/mypy

# `make bench ARGS="http stats"` measures a part.
bench: .venv/.dev .venv/.rivals .venv/.fastify
	$(BIN)/python -m bench $(or $(ARGS),all)

load: .venv/.dev .venv/.redis
	$(BIN)/python -m loadtests.run $(ARGS)

# In a copy of its own, so that the build that everything else uses stays as it is. Without the browser, and without
# the guard of speed: how much slower the sanitizers make a build says nothing of it. pytest leaves file descriptor 2
# alone, or it would take the report of the sanitizer into the grave.
ASAN := build/asan
asan: .venv/.dev
	rm -rf $(ASAN)/tests
	mkdir -p $(ASAN)
	cp -rpu --parents setup.py pyproject.toml README.md LICENSE fastcore/*.p* fastcore/*.h tests/fastcore $(ASAN)
	cd $(ASAN) && FASTCORE_ASAN=1 $(CURDIR)/$(BIN)/python setup.py --quiet build_ext --inplace
	cd $(ASAN) && LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
		ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc PYTHONPATH=. $(CURDIR)/$(BIN)/python -m pytest tests/fastcore --noconftest \
		--capture=sys --ignore=tests/fastcore/test_browser.py --ignore=tests/fastcore/test_regression.py $(ARGS)

# Each target for so many seconds, in a copy as above, built by clang to tell what it runs through; fuzz/README.md says
# what of it is kept.
FUZZ    := build/fuzz
SECONDS := 600
fuzz: .venv/.fuzz
	rm -rf $(FUZZ)/fuzz $(FUZZ)/server
	mkdir -p $(FUZZ)/found $(FUZZ)/grown/core $(FUZZ)/grown/content
	cp -rpu --parents setup.py pyproject.toml README.md LICENSE fastcore/*.p* fastcore/*.h server fuzz $(FUZZ)
	cd $(FUZZ) && CC=clang FASTCORE_FUZZ=1 $(CURDIR)/$(BIN)/python setup.py --quiet build_ext --inplace
	cd $(FUZZ) && for target in core content; do \
		LD_PRELOAD="$$($(CURDIR)/$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/asan_with_fuzzer.so" \
		ASAN_OPTIONS=detect_leaks=0 PYTHONPATH=. $(CURDIR)/$(BIN)/python -m fuzz $$target grown/$$target fuzz/corpus/$$target \
			-max_total_time=$(SECONDS) -timeout=10 -max_len=4096 -artifact_prefix=found/$$target- -print_final_stats=1 \
		|| exit 1; done

lock: .venv/.dev
	$(BIN)/python .ci/lock.py > deploy/constraints.txt

audit: .venv/.dev
	$(BIN)/python .ci/audit.py

clean:
	rm -rf .venv build dist *.egg-info fastcore/*.c fastcore/*.so fastcore/*.html

# --- what the machine must have ------------------------------------------------------------------------------

# $(call need,<test>,<Debian packages>): where the test fails, installs the packages if it may, else says so.
define need
@if ! { $(1); } >/dev/null 2>&1; then \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		echo "installing $(2)"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(2) >/dev/null; \
	else \
		echo "qredge needs what these Debian packages hold; install them (or your system's own) and run make again:" >&2; \
		echo "    $(2)" >&2; \
		exit 1; \
	fi; \
fi
endef

PYTHON_IS_NEW  := $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON_IS_FULL := $(PYTHON) -c 'import ensurepip, os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")'
IMAGE_HEADERS  := printf '\#include <stdio.h>\n\#include <zlib.h>\n\#include <jpeglib.h>\n\#include <webp/encode.h>\n\#include <tiffio.h>\n' | cc -E -
BROWSER        := command -v chromium && command -v chromedriver
REDIS          := command -v redis-server

.venv/.system:
	@$(PYTHON_IS_NEW) || { echo "qredge needs Python 3.11 or newer; say which: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(call need,$(PYTHON_IS_FULL),python3-dev python3-venv)
	$(call need,$(IMAGE_HEADERS),zlib1g-dev libjpeg-dev libwebp-dev libtiff-dev)
	@mkdir -p .venv && touch $@

.venv/.browser: .venv/.system
	$(call need,$(BROWSER),chromium chromium-driver fonts-dejavu-core)
	@touch $@

.venv/.redis: .venv/.system
	$(call need,$(REDIS),redis-server)
	@touch $@

.venv/.front: .venv/.system
	$(call need,command -v nginx,nginx-light)
	@touch $@

.venv/.print: .venv/.system
	$(call need,command -v gs && command -v qpdf,ghostscript qpdf)
	@touch $@

.venv/.node: .venv/.system
	$(call need,command -v node && command -v npm,nodejs npm)
	@touch $@

.venv/.reader: .venv/.system
	$(call need,ls /usr/lib/*/libzbar.so.0,libzbar0)
	@touch $@

.venv/.rivals: .venv/.system
	$(call need,ls /usr/lib/*/libqrencode.so.4 /usr/lib/*/libpng16.so.16 && command -v wrk nginx,libqrencode4 libpng16-16 wrk nginx-light)
	@touch $@

# --- what is built -------------------------------------------------------------------------------------------

# Quiet also about editable installs, of which setuptools has an opinion at every one.
PIP_INSTALL := PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check

$(BIN)/pip: .venv/.system
	$(PYTHON) -m venv .venv
	$(PIP_INSTALL) --upgrade pip
	@touch $@

.venv/.built: $(BIN)/pip pyproject.toml setup.py $(CORE)
	$(PIP_INSTALL) --editable .
	@touch $@

.venv/.dev: .venv/.built
	$(PIP_INSTALL) --group dev
	@touch $@

.venv/.fastify: .venv/.node $(wildcard bench/servers/with_fastify/*)
	@mkdir -p .venv/fastify
	cp bench/servers/with_fastify/* .venv/fastify
	npm ci --prefix .venv/fastify --no-audit --no-fund --silent
	@touch $@

.venv/.fuzz: .venv/.dev
	$(call need,command -v clang,clang)
	$(PIP_INSTALL) --group fuzz
	@touch $@

# What makes clients in TypeScript, and collections of Postman, of the documents of APIs.
.venv/.clients: .venv/.node tests/clients/package.json tests/clients/package-lock.json
	@mkdir -p .venv/clients
	cp tests/clients/package*.json .venv/clients
	npm ci --prefix .venv/clients --no-audit --no-fund --silent
	@touch $@
