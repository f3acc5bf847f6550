# Every goal is a verb of the press, which sets itself up: `make help`.
PYTHON ?= python3
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONSTARTUP

.DEFAULT_GOAL := help
.PHONY: always
%: always
	@$(PYTHON) -m press $@ $(ARGS)
always Makefile: ;
