"""Makes `tests/vectors/*.json`: one module per theme, expected answers written from the specifications."""
