"""Performs what nodes want of the world: one module per kind of call."""
