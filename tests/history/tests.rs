//! Each property: a history that breaks it.
