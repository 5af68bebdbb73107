"""The launcher behind `make run` and `make test`: from a bare Python to a running Recado."""
