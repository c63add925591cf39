//! Events → cells, as tables.
