# Every verb is one of the press, which sets itself up: `make help`.
PYTHON ?= python3
VERBS := book html pdf tangle proof test reproduce record quarto serve \
         preview bench mutate audit clean help

.DEFAULT_GOAL := help
.PHONY: $(VERBS)
$(VERBS):
	@$(PYTHON) -m press $@ $(ARGS)
