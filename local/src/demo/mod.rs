//! The main job on show.
