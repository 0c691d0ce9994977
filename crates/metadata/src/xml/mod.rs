//! XML as a tree of byte ranges over the original text.
