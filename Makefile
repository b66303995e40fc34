# Builds, tests, measures and installs uringaio. `make help` lists the targets.

CARGO   ?= cargo
CC      ?= cc
CFLAGS  ?= -O2 -g
INSTALL ?= install
INSTALL_PROGRAM ?= $(INSTALL) -m 755

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
FISHDIR    ?= $(PREFIX)/share/fish/vendor_completions.d
DATADIR    ?= $(PREFIX)/share/uringaio
DESTDIR    ?=

VERSION := $(shell sed -n 's/^version *= *"\(.*\)"/\1/p' Cargo.toml 2>/dev/null | head -n 1)

LIBRARY := target/release/liburingaio.so
DROP_IN := target/libaio/libaio.so.1
T64     := target/libaio-t64/libaio.so.1t64
ARCHIVE := target/archive/release/liburingaio.a
COMMAND := target/release/uringaio
SOURCES := $(shell find src build.rs Cargo.toml Cargo.lock uringaio.map libaio.map -type f 2>/dev/null)
SNIPPET := /etc/ld.so.conf.d/00-uringaio-libaio.conf

.DEFAULT_GOAL := all
.PHONY: all library library-aarch64 drop-in drop-in-t64 archive command demo test test-kernels test-aarch64 sanitize miri coverage soak fuzz check bench bench-smoke bench-stat sbom reproducible site deb test-packages dist deb-source rpm install install-strip uninstall clean help

all: library drop-in drop-in-t64 archive command ## everything that is installed

# Cargo decides what is out of date, so these always ask it.
library: ## target/release/liburingaio.so, for LD_PRELOAD and for linking
	$(CARGO) build --release

drop-in: ## target/libaio/libaio.so.1, libaio alone under upstream's symbol versions
	$(CARGO) build --release --features libaio-abi --target-dir target/drop-in
	@mkdir -p target/libaio
	@# A running program may have the old file mapped: replace it, do not write into it.
	cp target/drop-in/release/liburingaio.so target/libaio/.libaio.so.1
	mv -f target/libaio/.libaio.so.1 $(DROP_IN)
	ln -sf libaio.so.1 target/libaio/libaio.so
	ln -sf libaio.so.1 target/libaio/libaio.so.1t64

drop-in-t64: drop-in ## target/libaio-t64/libaio.so.1t64, the drop-in by the name that Debian 13 and Ubuntu 24.04 give it
	@# The same code, linked once more: ldconfig goes by the name inside the file.
	@mkdir -p target/libaio-t64
	$(CC) -shared -o target/libaio-t64/.libaio.so.1t64 -Wl,--whole-archive target/drop-in/release/liburingaio.a \
	    -Wl,--no-whole-archive -Wl,--version-script=libaio.map -Wl,-soname,libaio.so.1t64 -Wl,--gc-sections \
	    -Wl,-z,nodelete,-z,relro,-z,now -lgcc_s -lc
	mv -f target/libaio-t64/.libaio.so.1t64 target/libaio-t64/libaio.so.1t64

archive: ## target/archive/release/liburingaio.a, for static linking
	$(CARGO) build --release --features archive --target-dir target/archive

command: library ## target/release/uringaio, the command
	@# A directory of its own: the command's libraries are not the library's, which need not be built again for them.
	$(CARGO) build --release --features command --bin uringaio --target-dir target/command
	cp target/command/release/uringaio target/release/.uringaio
	mv -f target/release/.uringaio $(COMMAND)

# For install, which may be run by a root that has no cargo: built only where it is missing or older than the source.
$(LIBRARY): $(SOURCES)
	@$(MAKE) library && touch -c $@
$(DROP_IN): $(SOURCES)
	@$(MAKE) drop-in
$(T64): $(SOURCES) | $(DROP_IN)
	@$(MAKE) drop-in-t64
$(ARCHIVE): $(SOURCES)
	@$(MAKE) archive && touch -c $@
$(COMMAND): $(SOURCES) | $(LIBRARY)
	@$(MAKE) command

demo: library drop-in ## the original AIO and uringaio side by side, in less than a minute
	@CC="$(CC)" CFLAGS="$(CFLAGS)" demo/run

test: ## every test: Rust, C programs against the originals, real programs
	@scripts/test

library-aarch64: ## target/aarch64-unknown-linux-gnu/release/liburingaio.so; needs gcc-aarch64-linux-gnu and that target of Rust's
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	    $(CARGO) build --release --target aarch64-unknown-linux-gnu

test-kernels: library drop-in ## the C programs on Linux 5.10, 6.1, 6.12 and the newest, in QEMU; COLUMNS=preload,engine,threads,without
	scripts/test-kernels --columns "$${COLUMNS:-preload,engine,threads}"

test-aarch64: library-aarch64 ## the same on aarch64, with pages of 4 and 16 KiB
	scripts/test-kernels --machine aarch64 --columns "$${COLUMNS:-preload,engine,threads}"

sanitize: ## the C programs with AddressSanitizer and ThreadSanitizer (library and programs), UndefinedBehaviorSanitizer, Valgrind; RUN=options
	scripts/sanitize $(RUN)

miri: ## the unit tests that need no kernel, the engines on a simulated one among them, in Miri; needs rustup's nightly with miri
	@# Tree Borrows: an operation is the first field of its face's structure, which is found from it. Stacked Borrows would
	@# confine a reference to the field. Leaks are not looked for: what belongs to the process is never freed.
	MIRIFLAGS="-Zmiri-tree-borrows -Zmiri-permissive-provenance -Zmiri-ignore-leaks -Zmiri-disable-isolation \
	    -Zmiri-compare-exchange-weak-failure-rate=0.1" \
	    $(CARGO) +nightly miri test --lib --target-dir target/miri

coverage: ## which lines of src/ the tests run, into docs/coverage.md; needs rustup's llvm-tools; half an hour
	scripts/coverage --fresh

soak: ## everything random, round after round, then one page: HOURS=n MINUTES=n
	@HOURS="$(HOURS)" MINUTES="$(MINUTES)" scripts/soak

fuzz: ## libFuzzer on what reads bytes from elsewhere, a minute for each target; needs clang; MINUTES=n
	scripts/fuzz $(MINUTES)

check: ## formatting, lints, documentation, shell scripts
	@scripts/check

bench: library ## every pattern on every device, about an hour; CELLS=pattern, ROUNDS=n, SECONDS_EACH=s, OTHER=library
	@CC="$(CC)" bench/run

bench-smoke: library ## a few telling cells of it, in about a minute
	@CC="$(CC)" bench/run --smoke

bench-stat: library command ## what it costs a program at full load that `uringaio stat` watches it; CELLS, ROUNDS, SECONDS_EACH
	@python3 -B bench/watched.py

site: ## the documentation as a site with a search, target/site/book/index.html; needs mdBook: cargo install mdbook --locked
	@scripts/site

sbom: ## target/sbom.cdx.json: the crates that are shipped, as CycloneDX
	@scripts/sbom

reproducible: ## builds everything twice, in two directories, and compares the bytes
	scripts/reproducible

dist: ## the source with every crate it needs, target/dist/uringaio-VERSION.tar.xz; of the last commit
	scripts/dist

deb: ## the Debian packages, into target/debian/
	packaging/deb

deb-source: ## the Debian source package, into target/debian/; of the last commit
	packaging/deb --source

rpm: ## RPM packages of what is built here, into target/rpm/
	packaging/rpm

test-packages: deb ## the packages in fresh Debian 12 and 13 roots; as root, needs debootstrap and the network
	scripts/test-packages

install: $(LIBRARY) $(DROP_IN) $(T64) $(ARCHIVE) $(COMMAND) ## into PREFIX (default /usr/local), below DESTDIR if given
	$(INSTALL) -d "$(DESTDIR)$(LIBDIR)/pkgconfig" "$(DESTDIR)$(LIBDIR)/uringaio/pkgconfig" "$(DESTDIR)$(LIBDIR)/cmake/uringaio" \
	    "$(DESTDIR)$(INCLUDEDIR)/uringaio"
	$(INSTALL_PROGRAM) $(LIBRARY) "$(DESTDIR)$(LIBDIR)/liburingaio.so.1"
	ln -sf liburingaio.so.1 "$(DESTDIR)$(LIBDIR)/liburingaio.so"
	$(INSTALL) -m 644 $(ARCHIVE) "$(DESTDIR)$(LIBDIR)/liburingaio.a"
	$(INSTALL_PROGRAM) $(DROP_IN) "$(DESTDIR)$(LIBDIR)/uringaio/libaio.so.1"
	@# A file of its own, not a link: ldconfig goes by the name inside it.
	rm -f "$(DESTDIR)$(LIBDIR)/uringaio/libaio.so.1t64"
	$(INSTALL_PROGRAM) $(T64) "$(DESTDIR)$(LIBDIR)/uringaio/libaio.so.1t64"
	ln -sf libaio.so.1 "$(DESTDIR)$(LIBDIR)/uringaio/libaio.so"
	$(INSTALL) -m 644 include/uringaio.h "$(DESTDIR)$(INCLUDEDIR)/uringaio.h"
	$(INSTALL) -m 644 include/libaio.h "$(DESTDIR)$(INCLUDEDIR)/uringaio/libaio.h"
	$(INSTALL) -m 644 include/aio.h "$(DESTDIR)$(INCLUDEDIR)/uringaio/aio.h"
	@set -e; for file in pkgconfig/uringaio.pc uringaio/pkgconfig/libaio.pc cmake/uringaio/uringaio-config.cmake \
	    cmake/uringaio/uringaio-config-version.cmake; do \
	    case $$file in *.pc) from=pkgconfig ;; *) from=cmake ;; esac; \
	    sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@LIBDIR@|$(LIBDIR)|g' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|g' \
	        -e 's|@VERSION@|$(VERSION)|g' "$$from/$${file##*/}.in" > "$(DESTDIR)$(LIBDIR)/$$file"; \
	    chmod 644 "$(DESTDIR)$(LIBDIR)/$$file"; done
	@set -e; for page in man/*.[1-8]; do \
	    [ -e "$$page" ] || continue; \
	    section="$(DESTDIR)$(MANDIR)/man$${page##*.}"; \
	    $(INSTALL) -d "$$section"; $(INSTALL) -m 644 "$$page" "$$section/"; done
	$(INSTALL) -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(BASHDIR)" "$(DESTDIR)$(ZSHDIR)" "$(DESTDIR)$(FISHDIR)"
	$(INSTALL_PROGRAM) $(COMMAND) "$(DESTDIR)$(PREFIX)/bin/uringaio"
	$(INSTALL) -m 644 completions/uringaio.bash "$(DESTDIR)$(BASHDIR)/uringaio"
	$(INSTALL) -m 644 completions/_uringaio "$(DESTDIR)$(ZSHDIR)/_uringaio"
	$(INSTALL) -m 644 completions/uringaio.fish "$(DESTDIR)$(FISHDIR)/uringaio.fish"
	@set -e; for file in share/*/*; do \
	    folder="$(DESTDIR)$(DATADIR)/$$(basename "$${file%/*}")"; mode=644; [ ! -x "$$file" ] || mode=755; \
	    $(INSTALL) -d "$$folder"; $(INSTALL) -m $$mode "$$file" "$$folder/"; done

install-strip: ## install, without debugging information: a fifth of the size
	@$(MAKE) install INSTALL_PROGRAM='$(INSTALL) -m 755 -s'

uninstall: ## removes what install put there, and takes back `uringaio drop-in enable`
	@if [ -z "$(DESTDIR)" ] && grep -qsxF "$$(readlink -f "$(LIBDIR)/uringaio")" $(SNIPPET); then \
	    rm -f $(SNIPPET) && PATH=$$PATH:/usr/sbin:/sbin ldconfig; fi
	rm -f "$(DESTDIR)$(LIBDIR)/liburingaio.so.1" "$(DESTDIR)$(LIBDIR)/liburingaio.so" "$(DESTDIR)$(LIBDIR)/liburingaio.a"
	rm -f "$(DESTDIR)$(LIBDIR)/pkgconfig/uringaio.pc" "$(DESTDIR)$(INCLUDEDIR)/uringaio.h" "$(DESTDIR)$(PREFIX)/bin/uringaio"
	rm -rf "$(DESTDIR)$(LIBDIR)/uringaio" "$(DESTDIR)$(LIBDIR)/cmake/uringaio" "$(DESTDIR)$(INCLUDEDIR)/uringaio" \
	    "$(DESTDIR)$(DATADIR)"
	rm -f "$(DESTDIR)$(BASHDIR)/uringaio" "$(DESTDIR)$(ZSHDIR)/_uringaio" "$(DESTDIR)$(FISHDIR)/uringaio.fish"
	@for page in man/*.[1-8]; do \
	    [ -e "$$page" ] || continue; \
	    rm -f "$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}"; done
	@# Folders of the system's own stay; of a place of our own nothing does.
	@case "$(DESTDIR)$(PREFIX)" in /usr | /usr/local) ;; *) \
	    cd "$(DESTDIR)/" && for folder in "$(LIBDIR)/pkgconfig" "$(LIBDIR)/cmake" "$(INCLUDEDIR)" "$(PREFIX)/bin" \
	        "$(MANDIR)/man1" "$(MANDIR)/man3" "$(BASHDIR)" "$(ZSHDIR)" "$(FISHDIR)" "$(dir $(DATADIR))"; do \
	        rmdir -p "$${folder#/}" 2> /dev/null || :; done ;; esac

clean: ## removes everything built
	$(CARGO) clean
	rm -rf target c-tests/build

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
