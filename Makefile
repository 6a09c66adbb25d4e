# normalign: `make demo` and `make test` each work as the first command in a fresh clone; `make help` lists the rest.

# ---- settings: override on the command line, as in `make test SANITIZE=1` -------------------------------------
BUILD      := build
OPT        := -O3
# `make DEBUG=-g` adds debug information, for half as much time again
DEBUG      :=
PORTABLE   := 0
SANITIZE   := 0
# 1: for the loop of changing, compiling and testing: little optimised, in a folder and a shared library of its own
DEV        := 0
WERROR     := $(if $(CI),1,0)
# folders below src/ and tests/ that are built and tested alone, with all below them, as in PARTS='base linalg'; empty: all
PARTS      :=
DEMO_SEEDS := 0 1 2
QUICK      := 0
DATA       := data/mnist
UCI        := 0
# an archive of the UCI collection: by default, and where UCI=1 asks for it, its public one
UCI_URL    := $(if $(filter 1,$(UCI)),http://persoal.citius.usc.es/manuel.fernandez.delgado/papers/jmlr/data.tar.gz)
PREFIX     := /usr/local
PYTHON     := /usr/bin/python3
VERSION    := $(shell cat VERSION)
# CXX: by default the first of g++ >= 12, g++-12 and later, clang++ >= 14 that is found

# ---- how a file is compiled and linked -------------------------------------------------------------------------
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
ifeq ($(filter -j%,$(MAKEFLAGS)),)
  MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
endif

# Expanded at first use, after `deps` has run, and then kept.
once = $(eval $(1) := $$(shell $(2)))$($(1))
ifeq ($(origin CXX),default)
  CXX = $(call once,CXX,scripts/deps --compiler)
endif
BLAS_CFLAGS = $(call once,BLAS_CFLAGS,scripts/deps --blas-cflags)
BLAS_LIBS   = $(call once,BLAS_LIBS,scripts/deps --blas-libs)
CATCH_LIBS  = $(call once,CATCH_LIBS,scripts/deps --catch-libs)

comma := ,
ifeq ($(SANITIZE),1)
  override BUILD := $(BUILD)/sanitize
  override OPT   := -O1
  SANITIZERS     := -fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -Wno-maybe-uninitialized
endif
# `make DEV=1`: a change is compiled with few others, by ccache where that is installed, and only the library is linked again.
ifeq ($(DEV),1)
  override BUILD := $(BUILD)/dev
  override OPT   := -O1
  override DEBUG := -g1 -gsplit-dwarf
  CCACHE         := $(shell command -v ccache)
  export CCACHE_SLOPPINESS := pch_defines,time_macros,include_file_mtime,include_file_ctime
endif
# Tests are compiled often and run once. With the sanitizers the optimiser takes longer than everything else, without
# them a little of it shortens the compilation; at -O1 g++ 12 sees uninitialised values where there are none.
TEST_OPT = $(if $(SANITIZERS)$(filter 1,$(DEV)),-O0,-O1) $(if $(findstring clang,$(CXX)),,-Wno-maybe-uninitialized)
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion $(if $(filter 1,$(WERROR)),-Werror)
# g++ 12 takes some insertions of a literal into a string for overlapping copies (GCC bug 105651).
GCC_WARNINGS = $(if $(findstring clang,$(CXX)),,-Wno-restrict)
# clang warns where `omp simd` finds no vector version of a function; the loop is right all the same.
CLANG_WARNINGS = $(if $(findstring clang,$(CXX)),-Wno-pass-failed)
# One set of objects serves both libraries: position independent, with calls inside the library resolved inside it.
CXXFLAGS  = -std=c++20 $(OPT) $(DEBUG) -march=$(if $(filter 1,$(PORTABLE)),x86-64-v3,native) -fno-math-errno -fopenmp \
            -fPIC -fno-semantic-interposition $(WARNINGS) $(GCC_WARNINGS) $(CLANG_WARNINGS) $(SANITIZERS)
CPPFLAGS  = -Isrc -Itests -I$(BUILD)/generated $(BLAS_CFLAGS) -DNORMALIGN_VERSION='"$(VERSION)"'
LIBS      = $(BLAS_LIBS) -lClp -lCoinUtils -lcairo -lxxhash -lz
LDLIBS    = -fopenmp $(SANITIZERS) $(LIBS)

# ---- what is built ---------------------------------------------------------------------------------------------
PROGRAM_MAIN  := src/experiments/commands/main.cpp
# of every program that is linked here, and not of the library
PROGRAM_START := src/linalg/program_start.cpp
LIBRARY_FILES := $(filter-out $(PROGRAM_MAIN) $(PROGRAM_START),$(shell find $(if $(PARTS),$(addprefix src/,$(PARTS)),src) -name '*.cpp' | sort))
TEST_FILES    := $(shell find $(if $(PARTS),$(addprefix tests/,$(PARTS)) tests/support,tests) -name '*.cpp' | sort)
EXAMPLE_FILES := $(wildcard examples/*.cpp)
# the bench counts calls of malloc as the tests do
BENCH_FILES   := $(wildcard bench/*.cpp) tests/support/malloc_counter.cpp
# Loops that take no time: compiled at -O1, in three quarters of the time.
EXPERIMENT_FILES := $(filter src/experiments/%,$(LIBRARY_FILES) $(PROGRAM_MAIN))
# A task and a condition are one file each, NAME.cpp, which defines one function NAME(): the lists follow the folders.
TASK_FILES      := $(sort $(wildcard src/experiments/training/tasks/*.cpp))
CONDITION_FILES := $(sort $(wildcard src/experiments/training/conditions/*.cpp))
LISTS           := $(BUILD)/generated/tasks.inc $(BUILD)/generated/conditions.inc

# Most of a file's compilation is that of the headers it includes: the files of a folder are compiled together, eight at
# a time (with DEV=1 three), as the unit $(BUILD)/units/FIRST.cpp, which includes them. Lint compiles each alone.
objects  = $(patsubst %.cpp,$(BUILD)/obj/%.o,$(1))
in       = $(foreach file,$(2),$(if $(filter $(1),$(dir $(file))),$(file)))
unit     = $(eval $(call objects,$(firstword $(1))): FILES := $(1))$(call objects,$(firstword $(1)))
cut      = $(if $(1),$(call unit,$(wordlist 1,$(LAST),$(1))) $(call cut,$(wordlist $(NEXT),$(words $(1)),$(1))))
LAST    := $(if $(filter 1,$(DEV)),3,8)
NEXT    := $(if $(filter 1,$(DEV)),4,9)
units    = $(foreach folder,$(sort $(dir $(1))),$(call cut,$(call in,$(folder),$(1))))

LIBRARY  := $(BUILD)/libnormalign.$(if $(filter 1,$(DEV)),so,a)
# While the version begins with 0 every minor one may break programs: they are bound to major.minor.
SONAME   := libnormalign.so.$(word 1,$(subst ., ,$(VERSION))).$(word 2,$(subst ., ,$(VERSION)))
SHARED   := $(BUILD)/$(SONAME)
PROGRAM  := $(BUILD)/normalign
TESTS    := $(BUILD)/normalign-tests
BENCH    := $(BUILD)/normalign-bench
EXAMPLES := $(patsubst examples/%.cpp,$(BUILD)/examples/%,$(EXAMPLE_FILES))
# Alone: what only some programs link, and what defines macros before it includes Catch2.
ALONE_FILES     := tests/support/main.cpp tests/support/malloc_counter.cpp
LIBRARY_OBJECTS := $(call units,$(LIBRARY_FILES))
TEST_OBJECTS    := $(call units,$(filter-out $(ALONE_FILES),$(TEST_FILES)))
UNIT_OBJECTS    := $(LIBRARY_OBJECTS) $(TEST_OBJECTS)
ALL_OBJECTS     := $(sort $(LIBRARY_OBJECTS) $(TEST_OBJECTS) \
                     $(call objects,$(ALONE_FILES) $(PROGRAM_MAIN) $(PROGRAM_START) $(EXAMPLE_FILES) $(BENCH_FILES)))

# The test program's main says what Catch2 is to be before it includes it.
PRECOMPILED       := $(BUILD)/precompiled/tests.hpp.gch
PRECOMPILED_USERS := $(TEST_OBJECTS)

.PHONY: all deps python python-module python-deps refuse-python data demo paper-grokking paper-tabular test check bench bench-pytorch install uninstall lint docs format clean help
all: $(PROGRAM) ## the command line, build/normalign

deps: ## install what is missing (apt-get; sudo where not root)
	@scripts/deps

define compile
@mkdir -p $(@D)
@echo "  compile $(or $(firstword $(FILES)),$<)$(if $(word 2,$(FILES)), and $(words $(wordlist 2,8,$(FILES))) more)"
@$(CCACHE) $(CXX) $(CPPFLAGS) $(CXXFLAGS) $(USE_PRECOMPILED) -MMD -MP -c $< -o $@
endef
$(filter-out $(UNIT_OBJECTS),$(ALL_OBJECTS)): $(BUILD)/obj/%.o: %.cpp $(BUILD)/flags | deps $(LISTS)
	$(compile)
$(UNIT_OBJECTS): $(BUILD)/obj/%.o: $(BUILD)/units/%.cpp $(BUILD)/flags | deps $(LISTS)
	$(compile)
$(UNIT_OBJECTS): private CPPFLAGS += -iquote . -Wno-subobject-linkage
$(BUILD)/units/%.cpp: always
	@mkdir -p $(@D)
	@printf '#include "%s"\n' $(FILES) | cmp -s - $@ || printf '#include "%s"\n' $(FILES) > $@
-include $(ALL_OBJECTS:.o=.d) $(PRECOMPILED:.gch=.d)
# Private, or the flags file would take it over.
$(call objects,$(TEST_FILES)) $(PRECOMPILED): private OPT = $(TEST_OPT)
$(call objects,$(EXPERIMENT_FILES)): private OPT := $(if $(filter -O3,$(OPT)),-O1,$(OPT))

# The headers that every test begins with, compiled once. g++ and clang++ both find X.gch beside the X that -include
# names, and there is no X that they could take instead.
$(PRECOMPILED): tests/support/precompiled.hpp $(BUILD)/flags | deps
	@mkdir -p $(@D)
	@echo "  compile $<"
	@$(CCACHE) $(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -MF $(@:.gch=.d) -MT $@ -x c++-header $< -o $@
$(PRECOMPILED_USERS): $(PRECOMPILED)
$(PRECOMPILED_USERS): private USE_PRECOMPILED = -include $(PRECOMPILED:.gch=)

# Other flags or another compiler: everything is compiled anew. The file changes only when its text does.
FLAGS = $(CXX) $(CPPFLAGS) $(CXXFLAGS), tests $(TEST_OPT)
$(BUILD)/flags: always | deps
	@mkdir -p $(@D)
	@echo '$(FLAGS)' | cmp -s - $@ || { echo '$(FLAGS)' > $@; \
	  echo "  compiler $(CXX) $$($(CXX) -dumpversion), BLAS $(BLAS_LIBS)"; }
.PHONY: always

# list OF,FILES: one line OF(NAME) for each file, written only when the list changes.
list = printf '$(1)(%s)\n' $(notdir $(basename $(2))) | cmp -s - $@ || printf '$(1)(%s)\n' $(notdir $(basename $(2))) > $@
$(LISTS): always
	@mkdir -p $(@D)
	@$(if $(findstring tasks,$@),$(call list,TASK,$(TASK_FILES)),$(call list,CONDITION,$(CONDITION_FILES)))

# The archive follows the list of files, so that an object whose source is gone is gone from it too. It is thin: the
# objects stay where they are, and `make install` makes a whole one of them.
$(BUILD)/libnormalign.a: $(LIBRARY_OBJECTS) $(BUILD)/library_files
	@rm -f $@ && ar rcsT $@ $(filter %.o,$^)
$(BUILD)/libnormalign.so: $(LIBRARY_OBJECTS) $(BUILD)/library_files
	@echo "  link    $@"
	@$(CXX) -shared $(filter %.o,$^) $(LDLIBS) -o $@
$(BUILD)/library_files: always
	@mkdir -p $(@D)
	@echo '$(LIBRARY_FILES)' | cmp -s - $@ || echo '$(LIBRARY_FILES)' > $@

# The shared library is without the command line.
$(SHARED): $(filter-out $(BUILD)/obj/src/experiments/commands/%,$(LIBRARY_OBJECTS)) scripts/libnormalign.map
	@echo "  link    $@"
	@$(CXX) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=scripts/libnormalign.map -Wl,-z,defs $(filter %.o,$^) $(LDLIBS) -o $@

$(PROGRAM): $(call objects,$(PROGRAM_MAIN))
$(TESTS): $(TEST_OBJECTS) $(call objects,$(ALONE_FILES))
$(TESTS): LDLIBS += $(CATCH_LIBS)
$(BENCH): $(call objects,$(BENCH_FILES))
$(EXAMPLES): $(BUILD)/examples/%: $(BUILD)/obj/examples/%.o
PROGRAMS := $(PROGRAM) $(TESTS) $(BENCH) $(EXAMPLES)
# A shared library that has changed needs no new programs.
$(PROGRAMS): $(if $(filter 1,$(DEV)),| )$(LIBRARY)
$(PROGRAMS): $(call objects,$(PROGRAM_START))
	@mkdir -p $(@D)
	@echo "  link    $@"
	@$(CXX) $(SANITIZERS) $(filter %.o,$^) $(LIBRARY) $(if $(filter 1,$(DEV)),-Wl$(comma)-rpath$(comma)'$(abspath $(BUILD))') $(LDLIBS) -o $@

# ---- the Python module -----------------------------------------------------------------------------------------
# It has a BLAS of its own inside, so that it neither depends on the one that NumPy loads nor changes it, and shows
# nothing but the function that Python calls. It holds the library without the experiments.
PYTHON_SUFFIX  = $(call once,PYTHON_SUFFIX,'$(PYTHON)' -c "import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))")
PYTHON_CFLAGS  = $(call once,PYTHON_CFLAGS,'$(PYTHON)' -m pybind11 --includes | sed -E 's/(^| )-I/\1-isystem /g')
BLAS_ARCHIVE   = $(call once,BLAS_ARCHIVE,scripts/deps --blas-archive)
PYTHON_FOLDER := $(BUILD)/python/normalign
PYTHON_FILES  := $(shell find python/bindings -name '*.cpp' | sort)
PYTHON_SOURCES := $(wildcard $(addprefix python/normalign/,*.py *.typed _core/*.pyi))
PYTHON_OBJECTS := $(call objects,$(PYTHON_FILES))
PYTHON_MODULE  = $(PYTHON_FOLDER)/_core$(PYTHON_SUFFIX)

python: python-module $(PROGRAM) $(EXAMPLES) ## the Python module in build/python, and its tests; PYTHON=INTERPRETER: another than Debian's
	@NORMALIGN_BUILD='$(BUILD)' NORMALIGN_PROGRAM='$(abspath $(PROGRAM))' NORMALIGN_EXAMPLES='$(abspath $(BUILD)/examples)' \
	  scripts/python-test '$(PYTHON)' '$(BUILD)/python' $(TEST_ARGS)

python-module: $(if $(PARTS)$(SANITIZERS)$(filter 1,$(DEV)),refuse-python,$(BUILD)/python/built)
refuse-python:
	@echo "make python: found PARTS, SANITIZE or DEV, expected none: the module is made of the whole library" >&2; exit 2
python-deps: deps
	@scripts/deps --python '$(PYTHON)'
# The interpreter's headers are a part of the objects.
$(BUILD)/python/flags: always | python-deps
	@mkdir -p $(@D)
	@echo '$(PYTHON_CFLAGS)' | cmp -s - $@ || echo '$(PYTHON_CFLAGS)' > $@
$(PYTHON_OBJECTS): $(BUILD)/obj/%.o: %.cpp $(BUILD)/flags $(BUILD)/python/flags
	@mkdir -p $(@D)
	@echo "  compile $<"
	@$(CCACHE) $(CXX) $(CPPFLAGS) -iquote . $(PYTHON_CFLAGS) $(CXXFLAGS) -O2 -fvisibility=hidden -MMD -MP -c $< -o $@
-include $(PYTHON_OBJECTS:.o=.d)
$(BUILD)/python/built: $(PYTHON_OBJECTS) $(filter-out $(BUILD)/obj/src/experiments/%,$(LIBRARY_OBJECTS)) scripts/python.map $(PYTHON_SOURCES)
	@rm -rf $(PYTHON_FOLDER) && mkdir -p $(PYTHON_FOLDER)/_core
	@for file in $(PYTHON_SOURCES:python/normalign/%=%); do cp python/normalign/$$file $(PYTHON_FOLDER)/$$file; done
	@echo "  link    $(PYTHON_MODULE)"
	@$(CXX) -shared -Wl,--version-script=scripts/python.map -Wl,--exclude-libs,ALL $(filter %.o,$^) \
	  -fopenmp $(BLAS_ARCHIVE) -l:libgfortran.so.5 -lClp -lCoinUtils -lxxhash -lz -o $(PYTHON_MODULE)
	@touch $@

# The test of the installation runs `make install` on what was built here, with the settings of this make.
INSTALL_FROM = $(if $(PARTS)$(SANITIZERS)$(filter 1,$(DEV)),,NORMALIGN_MAKE='$(MAKE) BUILD=$(BUILD) CXX=$(CXX) OPT=$(OPT) DEBUG=$(DEBUG) PORTABLE=$(PORTABLE) WERROR=$(WERROR)')
test: $(TESTS) $(if $(PARTS),,$(PROGRAM) $(EXAMPLES) $(if $(SANITIZERS)$(filter 1,$(DEV)),,$(SHARED))) ## every test; SANITIZE=1 for the same under the sanitizers
	@LSAN_OPTIONS="suppressions='$(abspath tests/support/leaks.supp)':print_suppressions=0" \
	  NORMALIGN_PROGRAM='$(abspath $(PROGRAM))' NORMALIGN_EXAMPLES='$(abspath $(BUILD)/examples)' \
	  $(INSTALL_FROM) scripts/test $(TESTS) $(TEST_ARGS)

demo: $(PROGRAM) ## sparse parity under five conditions, 3 seeds each: the table, and logs in runs/demo/
	@scripts/demo $(PROGRAM) runs/demo "$(DEMO_SEEDS)"

data: deps $(if $(UCI_URL),$(PROGRAM)) ## download MNIST to data/mnist; UCI=1 (or UCI_URL=ARCHIVE): also the UCI tables to data/uci
	@status=0; scripts/data uci data/uci '$(UCI_URL)' $(PROGRAM) || status=$$?; scripts/data mnist data/mnist || status=$$?; exit $$status

paper-grokking: $(PROGRAM) ## the paper's grokking table and pictures in runs/paper/, hours; QUICK=1: minutes, runs/quick/
	@scripts/paper-grokking $(PROGRAM) $(if $(filter 1,$(QUICK)),configs/quick.json runs/quick,configs/paper.json runs/paper) \
	  '$(DATA)' $(SWEEP_ARGS)

# DATA has another default here: MNIST is no table.
TABLES := $(if $(filter-out file,$(origin DATA)),$(DATA),data/uci)
paper-tabular: $(PROGRAM) ## RFM and RFAM on the tables in data/uci (DATA=DIR): table and pictures in runs/tabular/
	@scripts/paper-tabular $(PROGRAM) runs/tabular '$(TABLES)' $(TABULAR_ARGS)

check: $(PROGRAMS) ## build everything, run nothing

compile_commands.json: always | $(LISTS) ## how each file is compiled, for editors and clangd
	@scripts/compile-commands $@ '$(subst ','\'',$(CXX) $(CPPFLAGS) $(CXXFLAGS))' $(LIBRARY_FILES) $(PROGRAM_MAIN) $(TEST_FILES) $(EXAMPLE_FILES) $(BENCH_FILES)

bench: $(BENCH) ## training steps against their floor, threads, memory, geometry, epochs to grok
	@$(BENCH) --data '$(DATA)' $(BENCH_ARGS)

bench-pytorch: $(BENCH) ## the same steps in PyTorch, in turn with ours; needs PyTorch (Debian: python3-torch)
	@$(PYTHON) bench/pytorch_step.py $(BENCH) $(BENCH_ARGS)

install: $(PROGRAM) $(LIBRARY) $(SHARED) ## program, libraries, headers, pkg-config and CMake files under PREFIX
	@scripts/install '$(DESTDIR)' '$(PREFIX)' '$(VERSION)' '$(BUILD)' '$(BLAS_CFLAGS)' '-fopenmp $(LIBS)' $(SONAME)

uninstall: ## remove what `make install` with the same PREFIX wrote
	@scripts/uninstall '$(DESTDIR)' '$(PREFIX)'

lint: deps $(LISTS) ## formatting, clang-tidy, cppcheck, floors, sizes, docstrings; LINT_ARGS=CHECK...: some of them
	@scripts/lint '$(BUILD)' $(LINT_ARGS)

docs: ## the API reference by Doxygen in build/docs
	@scripts/docs '$(BUILD)' '$(VERSION)'

format: ## clang-format every file in place
	@git ls-files -co --exclude-standard '*.hpp' '*.cpp' | xargs clang-format -i

clean: ## remove what was built; logs in runs/ stay
	@rm -rf $(BUILD)

help: ## this list
	@awk -F':.*## ' '/^[a-z_.-]+:.*## /{printf "make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
