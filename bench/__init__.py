"""Benchmarks of the whole: real processes, real engines, Meta played by the sandbox."""
