"""donjon under the names of the libraries that it replaces."""
