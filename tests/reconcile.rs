//! The reconciler among many rows.
